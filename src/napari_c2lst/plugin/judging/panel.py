"""The panel "Judge": how good the predictions are, in words, with the baselines, and gene by gene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QBoxLayout, QFormLayout, QLabel, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from napari_c2lst.plugin.looking.choices import narrow_combo
from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.parts.scrolled import scrolled
from napari_c2lst.plugin.parts.tab_order import ReadPanel
from napari_c2lst.plugin.pointing import NEAR_UM
from napari_c2lst.plugin.shared import shared_of

from .cautions import cautions
from .gene_part import GenePart
from .plots import ScorePlot
from .reading import Scores, read_scores, runs_with_scores
from .score_table import ScoreTable
from .words import paragraphs

if TYPE_CHECKING:
    import napari.viewer

NO_SLIDE = "Open a slide first."
NO_SCORES = (
    "Nothing has been scored yet. Run the step “Evaluate”: it scores the stored predictions beside simple baselines."
)
WIDE_PX = 640


class JudgePanel(ReadPanel):
    """Score table, plots and words, read from what `evaluate` wrote.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        shared = shared_of(viewer)
        self.session, self.canvas = shared.session, shared.canvas
        self.scores: Scores | None = None
        self.runs = narrow_combo("Runs of “Evaluate” of this slide, the newest first")
        self.blocks = narrow_combo("How the spots that it was judged on were held out")
        self.words = _text("What the scores say")
        self.beware = _text("What to keep in mind")
        self.table = ScoreTable()
        self.plots = (ScorePlot("r"), ScorePlot("mae"))
        self.genes = GenePart()
        self._work = Latest(self)
        self._lay_out()
        self._connect()
        self._use_runs()

    # ---------------------------------------------------------------- which scores

    def _use_runs(self) -> None:
        """The scores there are; older ones that were chosen stay chosen."""
        # who looked at the newest looks at the newest again: a step that ends leads here
        before = self.runs.currentData() if self.runs.currentIndex() > 0 else None
        found = runs_with_scores(self.session.runs_folder)
        with signals_blocked(self.runs):
            self.runs.clear()
            for path in found:
                self.runs.addItem(path.name, str(path))  # Qt finds texts again, not paths
            self.runs.setCurrentIndex(max(self.runs.findData(before), 0) if found else -1)
        self._read()

    def _read(self) -> None:
        path = self.runs.currentData()
        if not path:
            self._work.drop()
            self._show_nothing(NO_SLIDE if self.session.slide is None else NO_SCORES)
            return
        self._work.ask(read_scores, Path(path), done=self._use_scores, failed=self._refuse)

    def _use_scores(self, scores: Scores) -> None:
        self.scores = scores
        before = self.blocks.currentText()
        with signals_blocked(self.blocks):
            self.blocks.clear()
            self.blocks.addItems(list(scores.blocks))
            self.blocks.setCurrentIndex(max(self.blocks.findText(before), 0))
        self._form.setRowVisible(self.blocks, len(scores.blocks) > 1)
        said = cautions(scores)
        self.beware.setText(_bullets(said))
        self.beware.setVisible(bool(said))
        self._show_block()

    def _show_block(self) -> None:
        if self.scores is None or not self.scores.scores:
            self._show_nothing("These scores are empty: evaluate again.")
            return
        block = self.blocks.currentText()
        own = self.scores.of_block(block)
        self.words.setText("<br><br>".join(_escaped(each) for each in paragraphs(self.scores, block)))
        self.table.show_scores(own)
        for plot in self.plots:
            plot.show_scores(own)
        for widget in (self.table, *self.plots, self.genes):
            widget.show()
        self.genes.show_scores(self.session.slide, self.scores, block)
        self.genes.show_gene(self.session.gene)

    def _show_nothing(self, why: str) -> None:
        self.scores = None
        self.words.setText(_escaped(why))
        self._form.setRowVisible(self.blocks, False)
        self.genes.show_scores(None, None)
        for widget in (self.beware, self.table, *self.plots, self.genes):
            widget.hide()

    def _refuse(self, message: str, hint: str) -> None:
        self._show_nothing(" ".join(f"{each[:1].upper()}{each[1:]}." for each in (message, hint) if each))
        self.session.tell("error", message, hint)

    # ---------------------------------------------------------------- plumbing

    def _go_to(self, spot: int) -> None:
        slide = self.session.slide
        if slide is not None and slide.spots is not None and spot < len(slide.spots):
            self.canvas.go_to(slide.spots.yx[spot], across_um=NEAR_UM)
            self.session.spot_clicked.emit(spot)

    def _connect(self) -> None:
        hear = Listening(self)
        hear.to(self.session.results_changed, self._use_runs)
        hear.to(self.session.gene_changed, self.genes.show_gene)
        self._listening = hear
        self.runs.currentIndexChanged.connect(self._read)
        self.blocks.currentIndexChanged.connect(self._show_block)
        self.genes.gene_chosen.connect(self.session.show_gene)
        self.genes.spot_chosen.connect(self._go_to)

    def _lay_out(self) -> None:
        self._form = QFormLayout()
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, combo in (("Sco&res", self.runs), ("Held &out", self.blocks)):
            label = QLabel(text)
            label.setBuddy(combo)
            self._form.addRow(label, combo)
        scores = QVBoxLayout()
        scores.addLayout(self._form)
        for widget in (self.words, self.table, self.beware, *self.plots):
            scores.addWidget(widget)
        scores.addStretch(1)
        inside = QWidget()
        self._columns = QBoxLayout(QBoxLayout.Direction.TopToBottom, inside)
        self._columns.setContentsMargins(6, 6, 6, 6)
        self._columns.setSpacing(12)
        self._columns.addLayout(scores, 1)
        self._columns.addWidget(self.genes, 1)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(scrolled(inside))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Put the genes beside the scores where there is room, below them in a dock."""
        wide = self.width() >= WIDE_PX
        direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._columns.direction() != direction:
            self._columns.setDirection(direction)
        super().resizeEvent(event)


def _text(name: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setAccessibleName(name)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label


def _bullets(lines: list[str]) -> str:
    return "<b>Keep in mind</b><br>" + "<br>".join(f"⚠ {_escaped(line)}" for line in lines) if lines else ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
