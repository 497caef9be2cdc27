"""The panel "Look": gene maps over the slide, truth beside prediction, and one spot in detail."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QBoxLayout, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.shared import shared_of

from . import maps
from .beside import BesideView
from .choices import MapChoices
from .inspector import Inspector
from .legend import ColourBar
from .predictions import Prediction, list_predictions
from .shown import why_not

if TYPE_CHECKING:
    import napari.viewer

    from napari_c2lst.slides.slide import Slide

NO_SLIDE = "Open a slide to look at it."
NO_PREDICTION = (
    "This slide holds no predictions yet. Make some in the step “Predict”; measured genes are shown on the spots."
)
WIDE_PX = 640


class LookPanel(QWidget):
    """Predicted gene maps as layers over the whole slide, beside what was measured.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        shared = shared_of(viewer)
        self.session, self.canvas = shared.session, shared.canvas
        self.ready: maps.Prepared | None = None
        self.choices = MapChoices()
        self.bar = ColourBar()
        self.words = _words("Which prediction is shown, and what it can prove")
        self.note = _words("How to read the colours")
        self.inspector = Inspector()
        self.beside = BesideView()
        self._work = Latest(self)
        self._tissue_work = Latest(self)
        self._lay_out()
        self._connect()
        self._use_slide()

    # ---------------------------------------------------------------- what is there

    @property
    def prediction(self) -> Prediction | None:
        """The prediction that is chosen."""
        return self.choices.prediction

    def _use_slide(self) -> None:
        self.inspector.clear()
        self.beside.show_tissue(None)
        self._use_results()
        slide = self.session.slide
        if slide is not None and slide.microns is not None:
            self._tissue_work.ask(_overview, slide, done=self._show_tissue, failed=self._refuse)

    def _use_results(self) -> None:
        """The slide or what it holds has changed: keep the choice where it is still there."""
        found, problems = list_predictions(self.session.slide)
        for problem in problems:
            self.session.tell("warning", f"predictions cannot be shown: {problem}")
        self.ready = None
        self.choices.offer(found)
        if not found:
            self._show_nothing()

    def _show_nothing(self) -> None:
        self._work.drop()
        maps.clear(self.canvas)
        self.words.setText(NO_SLIDE if self.session.slide is None else NO_PREDICTION)
        for widget in (self.bar, self.note, self.beside):
            widget.hide()

    # ---------------------------------------------------------------- from choice to map

    def _prepare(self) -> None:
        """Another prediction or form: read and work out beside the GUI's thread."""
        slide, prediction = self.session.slide, self.choices.prediction
        if slide is None or prediction is None:
            return
        self.words.setText(" ".join(prediction.sentences()))
        known = self.ready.values if self.ready is not None and self.ready.values.prediction is prediction else None
        self._work.ask(
            maps.prepare, slide, prediction, self.choices.form, known, done=self._use_prepared, failed=self._refuse
        )

    def _use_prepared(self, ready: maps.Prepared) -> None:
        self.ready = ready
        self.choices.allow(partial(why_not, ready.values))
        self.choices.set_divider_range(*ready.x_range_px)
        maps.clear(self.canvas, but=ready.form)
        gene = self.session.gene
        if gene not in ready.values.predicted:
            gene = ready.values.predicted.genes[0]
            self.session.show_gene(gene)
        self.show_map()
        if self.inspector.spot >= 0:
            self._inspect(self.inspector.spot)

    def show_map(self) -> None:
        """Draw the chosen gene; in well under a tenth of a second for thousands of spots."""
        ready, gene, mode = self.ready, self.session.gene, self.choices.mode
        if ready is None or gene not in ready.values.predicted:
            return
        legend = maps.draw(self.canvas, ready, gene, mode, self.choices.divider_px)
        self.bar.show_legend(legend)
        self.note.setText(f"{legend.unit[0].upper()}{legend.unit[1:]}. {legend.note}")
        self.note.show()
        self._show_beside()

    def _show_beside(self) -> None:
        """The second view: what was measured, in the same colours as the prediction."""
        ready, gene = self.ready, self.session.gene
        wanted = self.choices.beside and ready is not None and ready.values.measured is not None
        self.beside.setVisible(wanted)
        if wanted:
            assert ready is not None
            self.beside.title.setText(f"<i><b>{gene}</b></i> measured")
            self.beside.show_map(*maps.picture(ready, gene, "measured"))

    def _use_gene(self, gene: str) -> None:
        if self.ready is None:
            return
        self.choices.show_gene(gene)
        if gene in self.ready.values.predicted:
            self.show_map()
            if self.inspector.spot >= 0:
                self._inspect(self.inspector.spot)
        elif gene:
            self.note.setText(
                f"{gene} was not predicted; the map still shows {self.bar.legend.gene}." if self.bar.legend else ""
            )

    # ---------------------------------------------------------------- one spot

    def _inspect(self, spot: int) -> None:
        slide = self.session.slide
        if slide is None or slide.spots is None or not -1 <= spot < len(slide.spots):
            return
        if spot < 0:
            self.inspector.clear("No spot here. " + "Click a spot to see its tissue and its genes.")
            return
        values = self.ready.values if self.ready is not None else None
        self.inspector.show_spot(slide, values, spot, self.session.gene)

    # ---------------------------------------------------------------- plumbing

    def _show_tissue(self, answer: tuple[Any, float]) -> None:
        self.beside.show_tissue(*answer)

    def _refuse(self, message: str, hint: str) -> None:
        self.words.setText(f"{message}. {hint}" if hint else f"{message}.")
        self.session.tell("error", message, hint)

    def _busy(self, busy: bool) -> None:
        if busy:
            self.bar.setToolTip("reading …")
        self.choices.setEnabled(self.choices.prediction is not None)

    def _connect(self) -> None:
        hear = Listening(self)
        hear.to(self.session.slide_changed, self._use_slide)
        hear.to(self.session.results_changed, self._use_results)
        hear.to(self.session.gene_changed, self._use_gene)
        hear.to(self.session.spot_clicked, self._inspect)
        self._listening = hear
        self.choices.source_changed.connect(self._prepare)
        self.choices.look_changed.connect(self.show_map)
        self.choices.gene_chosen.connect(self.session.show_gene)
        self.inspector.gene_clicked.connect(self.session.show_gene)
        self._work.busy.connect(self._busy)

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        for widget in (self.choices, self.bar, self.note, self.words, _line(), self.inspector):
            left.addWidget(widget)
        left.addStretch(1)
        inside = QWidget()
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom, inside)
        self._columns.setContentsMargins(6, 6, 6, 6)
        self._columns.addLayout(left)
        self._columns.addWidget(self.beside, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(scroll)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Put the second view beside the rest where there is room, below it in a dock."""
        wide = self.width() >= WIDE_PX
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._columns.direction() != direction:
            self._columns.setDirection(direction)
        super().resizeEvent(event)


def _overview(slide: Slide) -> tuple[Any, float]:
    from napari_c2lst.slides.images.overview import overview

    picture, downsample = overview(slide.pyramid)
    return picture, downsample * slide.mpp


def _words(name: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setAccessibleName(name)
    return label


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    return line
