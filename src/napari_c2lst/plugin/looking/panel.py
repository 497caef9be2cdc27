"""The panel "Look": gene maps over the slide, truth beside prediction, and one spot in detail."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QBoxLayout, QFrame, QLabel, QVBoxLayout, QWidget

from napari_c2lst.plugin.cells.shown import shown_cells
from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.parts.message_bar import MessageBar
from napari_c2lst.plugin.parts.scrolled import scrolled
from napari_c2lst.plugin.parts.tab_order import ReadPanel
from napari_c2lst.plugin.shared import shared_of

from .choices import MapChoices
from .inspector import Inspector
from .legend import ColourBar
from .maps import Maps, Prepared, prepare
from .predictions import Prediction, list_predictions
from .shown import why_not

if TYPE_CHECKING:
    import napari.viewer


NO_SLIDE = "Open a slide to look at it."
NO_PREDICTION = (
    "This slide holds no predictions yet. Make some in the step “Predict”; measured genes are shown on the spots."
)
WIDE_PX = 640


class LookPanel(ReadPanel):
    """Predicted gene maps as layers over the whole slide, beside what was measured.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        shared = shared_of(viewer)
        self.session, self.maps = shared.session, Maps(shared.canvas)
        self.cells = shown_cells(shared)
        self.ready: Prepared | None = None
        self._told: set[str] = set()  # what is wrong with tables of this slide, said once
        self.choices = MapChoices()
        self.newer = MessageBar()
        self.bar = ColourBar()
        self.words = _words("Which prediction is shown, and what it can prove")
        self.note = _words("How to read the colours")
        self.inspector = Inspector()
        self._work = Latest(self)
        self._lay_out()
        self._connect()
        self._use_results()

    # ---------------------------------------------------------------- what is there

    @property
    def prediction(self) -> Prediction | None:
        """The prediction that is chosen."""
        return self.choices.prediction

    def _leave_slide(self) -> None:
        """Another slide, or none: nothing of the one before may be drawn any more; what it holds is told next."""
        self._work.drop()
        self.ready = None
        self._told.clear()
        self.inspector.clear()
        self.maps.clear()

    def _use_results(self) -> None:
        """The slide or what it holds has changed: keep the choice where it is still there."""
        found, problems = list_predictions(self.session.slide)
        for problem in [each for each in problems if each not in self._told]:
            self._told.add(problem)
            self.session.tell("warning", f"predictions cannot be shown: {problem}")
        self.ready = None
        self._work.drop()
        # a map that is looked at is not exchanged under one's eyes
        self.choices.offer(found, follow=not self.isVisible())
        self._offer_newer()
        if not found:
            self._show_nothing()

    def _offer_newer(self) -> None:
        """A button that leads to predictions that were made while others are looked at."""
        newer = self._newer()
        if newer is None:
            self.newer.clear()
        else:
            self.newer.show_message("info", f"new predictions: {newer.label}", action="Show th&em")

    def _newer(self) -> Prediction | None:
        """Predictions that nobody has looked at, beside those that are chosen."""
        chosen = self.choices.prediction
        names = set() if chosen is None else self.session.unseen - {chosen.written.name}
        return next((each for each in self.choices.offered if each.written.name in names), None)

    def _show_newer(self) -> None:
        newer = self._newer()
        if newer is not None:
            self.choices.choose(newer)

    def _show_nothing(self) -> None:
        self._take_map_away()
        self.words.setText(NO_SLIDE if self.session.slide is None else NO_PREDICTION)

    def _take_map_away(self) -> None:
        self.ready = None
        self.maps.clear()
        for widget in (self.bar, self.note):
            widget.hide()

    # ---------------------------------------------------------------- from choice to map

    def _prepare(self) -> None:
        """Another prediction or form: read and work out beside the GUI's thread."""
        slide, prediction = self.session.slide, self.choices.prediction
        if slide is None or prediction is None or not self.isVisible():  # a panel nobody sees covers no spots
            return
        self.words.setText(" ".join(prediction.sentences()))
        known = self.ready.values if self.ready is not None and self.ready.values.prediction is prediction else None
        self._work.ask(
            prepare, slide, prediction, self.choices.form, known, done=self._use_prepared, failed=self._refuse
        )

    def _use_prepared(self, ready: Prepared) -> None:
        self.ready = ready
        self.choices.allow(partial(why_not, ready.values))
        self.choices.set_divider_range(*ready.x_range_px)
        gene = self.session.gene
        if gene not in ready.values.predicted:
            gene = ready.values.predicted.genes[0]
            self.session.show_gene(gene)
        self.choices.show_gene(gene)
        self.show_map()
        if self.inspector.spot >= 0:
            self._inspect(self.inspector.spot)

    def show_map(self) -> None:
        """Draw the chosen gene; in well under a tenth of a second for thousands of spots."""
        ready, gene, mode = self.ready, self.session.gene, self.choices.mode
        if ready is None or gene not in ready.values.predicted:
            return
        if not self.choices.wanted:
            self.maps.clear()
            return
        legend = self.maps.draw(ready, gene, mode, self.choices.divider_px)
        self.session.note_seen(ready.values.prediction.written.name)
        self.bar.show_legend(legend)
        self.note.setText(f"{legend.unit[0].upper()}{legend.unit[1:]}. {legend.note}")
        self.note.show()

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
            self.inspector.clear("There is no spot here. Click a spot to see its tissue and its genes.")
            return
        values = self.ready.values if self.ready is not None else None
        self.inspector.show_spot(slide, values, spot, self.session.gene)
        self._show_cells()

    def _show_cells(self) -> None:
        self.inspector.show_cells(self.cells.of_spot(self.inspector.spot))

    # ---------------------------------------------------------------- plumbing

    def _refuse(self, message: str, hint: str) -> None:
        self._take_map_away()  # a map of another prediction must not stand under this one's name
        self.words.setText(" ".join(f"{each[:1].upper()}{each[1:]}." for each in (message, hint) if each))
        self.session.tell("error", message, hint)

    def _connect(self) -> None:
        hear = Listening(self)
        hear.to(self.session.slide_changed, self._leave_slide)
        hear.to(self.session.results_changed, self._use_results)
        hear.to(self.session.gene_changed, self._use_gene)
        hear.to(self.session.map_seen, self._offer_newer)
        hear.to(self.session.spot_clicked, self._inspect)
        hear.to(self.cells.changed, self._show_cells)
        self._listening = hear
        self.newer.action_wanted.connect(self._show_newer)
        self.choices.source_changed.connect(self._prepare)
        self.choices.look_changed.connect(self.show_map)
        self.choices.gene_chosen.connect(self.session.show_gene)
        self.inspector.gene_clicked.connect(self.session.show_gene)

    def _lay_out(self) -> None:
        maps = QVBoxLayout()
        for widget in (self.newer, self.choices, self.bar, self.note, self.words):
            maps.addWidget(widget)
        maps.addStretch(1)
        spot = QVBoxLayout()
        spot.addWidget(self.inspector)
        spot.addStretch(1)
        inside = QWidget()
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom, inside)
        self._columns.setContentsMargins(6, 6, 6, 6)
        self._columns.setSpacing(10)
        self._columns.addLayout(maps)
        self._columns.addWidget(_line())
        self._columns.addLayout(spot, 1)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(scrolled(inside))

    def showEvent(self, event: QShowEvent | None) -> None:
        """Show the map once the panel is looked at."""
        super().showEvent(event)
        if self.ready is None and not self._work.awaited:
            self._prepare()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Put the spot beside the map's choices where there is room, below them in a dock."""
        wide = self.width() >= WIDE_PX
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._columns.direction() != direction:
            self._columns.setDirection(direction)
        super().resizeEvent(event)


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
