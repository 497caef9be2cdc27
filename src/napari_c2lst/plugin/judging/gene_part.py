"""The genes of a score: a table to sort and search, and the chosen gene measured against predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtWidgets import QHeaderView, QLabel, QLineEdit, QTableView, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from napari_c2lst.evaluation.arms import arm_named
from napari_c2lst.evaluation.records import GeneScore
from napari_c2lst.plugin.looking.choices import narrow_combo
from napari_c2lst.plugin.looking.values import MapValues
from napari_c2lst.plugin.parts.latest import Latest

from .gene_table import GeneFilter, GeneModel
from .plots import GeneScatter
from .reading import Scores
from .truth import held_out_values, prediction_of, read_truth

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

# which lines of the table belong together: split, settings, seed, arm, run
Key = tuple[str, str, int | None, str, str]


class GenePart(QWidget):
    """The genes of one arm; knows no session.

    Attributes
    ----------
    gene_chosen
        Signal: a gene was chosen in the table.
    spot_chosen
        Signal: a spot was chosen in the plot.
    """

    gene_chosen = Signal(str)
    spot_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.arms = narrow_combo("Whose genes: the arm, its run, and the split")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search a gene")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search a gene")
        self.model = GeneModel(self)
        self.filter = GeneFilter(self.model, self)
        self.table = QTableView()
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.scatter = GeneScatter()
        self.values: MapValues | None = None
        self._slide: Slide | None = None
        self._scores: Scores | None = None
        self._gene = ""
        self._searching = False
        self._work = Latest(self)
        self._set_up_table()
        self._lay_out()
        self._connect()

    def show_scores(self, slide: Slide | None, scores: Scores | None, block: str = "") -> None:
        """Show the genes of a block's arms, a network first."""
        self._slide, self._scores = slide, scores
        rows = () if scores is None else scores.genes
        blocks = {} if scores is None else {(s.split, s.label): s.block for s in scores.scores}
        keys = dict.fromkeys(key_of(row) for row in rows if blocks.get((row.split, row.label)) == block)
        order = sorted(keys, key=lambda key: arm_named(key[3]).kind != "trained")
        before = self.arms.currentData()
        with signals_blocked(self.arms):
            self.arms.clear()
            for key in order:
                if not arm_named(key[3]).constant:
                    self.arms.addItem(_label(key), key)
            self.arms.setCurrentIndex(_most_alike([self.arms.itemData(i) for i in range(self.arms.count())], before))
        self._use_arm()

    def show_gene(self, gene: str) -> None:
        """Show a gene that was chosen elsewhere."""
        self._gene = gene
        row = self.filter.row_of(gene)
        if row < 0:
            self.table.selectionModel().clear()  # the current row as well: a click on it is a choice again
        else:
            self.table.selectRow(row)
            self.table.scrollTo(self.filter.index(row, 0))
        self._plot()

    # ---------------------------------------------------------------- plumbing

    def _use_arm(self) -> None:
        key: Key | None = self.arms.currentData()
        self.values = None
        self.scatter.hide()
        self.title.setText("")
        if key is None or self._scores is None:
            self.model.show_genes([], [])
            self._work.drop()
            return
        median = (*key[:3], "median", "")
        genes = self._scores.genes
        self.model.show_genes(
            [row for row in genes if key_of(row) == key], [row for row in genes if key_of(row) == median]
        )
        self._read_values(key)
        self.show_gene(self._gene)

    def _read_values(self, key: Key) -> None:
        """The numbers behind the scores, where the slide holds them."""
        found = prediction_of(self._slide, run=key[4], arm=key[3])
        if self._slide is None or found is None:
            self._work.drop()
            if key[4]:
                self._say(
                    "The slide does not hold this run's predictions: predict with it to plot them against the measured."
                )
            return
        self._work.ask(read_truth, self._slide, found, done=self._use_values, failed=self._refuse)

    def _use_values(self, values: MapValues) -> None:
        self.values = values
        self._plot()

    def _refuse(self, message: str, hint: str) -> None:
        self._say(f"{message[:1].upper()}{message[1:]}: {hint}." if hint else f"{message[:1].upper()}{message[1:]}.")

    def _say(self, text: str) -> None:
        self.title.setText(text)
        self.scatter.hide()

    def _plot(self) -> None:
        if self.values is None:
            return
        if self._gene not in self.values.predicted:
            self._say("Choose a gene to see it measured against predicted, spot by spot.")
            return
        measured, predicted, spots = held_out_values(self.values, self._gene)
        if not len(spots):
            self._say("None of the predicted spots is held out: there is nothing to judge it by. Predict all spots.")
            return
        arm = arm_named(self.values.prediction.written.predictor.arm)
        self.scatter.show_gene(measured, predicted, spots, arm.colour)
        self.scatter.show()
        r = "no r: it does not vary" if self.scatter.r is None else f"r = {self.scatter.r:.2f}".replace("-", "−")
        said = (
            f"{self._gene} on {len(spots)} held-out spots, {arm.label}: {r}. On the dashed line it is predicted right."
        )
        if self.scatter.left_out:
            said += f" {self.scatter.left_out} without a number are left out."
        self.title.setText(said)

    def _search(self, text: str) -> None:
        """Show the genes that are searched; none is chosen by that."""
        self._searching = True  # Qt makes another row the current one when that row is filtered away
        self.filter.setFilterFixedString(text)
        self._searching = False
        self.show_gene(self._gene)

    def _chosen(self, current: QModelIndex, previous: QModelIndex) -> None:
        gene = self.filter.gene(current)
        if gene and gene != self._gene and not self._searching:
            self._gene = gene
            self._plot()
            self.gene_chosen.emit(gene)

    def _connect(self) -> None:
        self.arms.currentIndexChanged.connect(self._use_arm)
        self.search.textChanged.connect(self._search)
        self.table.selectionModel().currentRowChanged.connect(self._chosen)
        self.scatter.spot_clicked.connect(self.spot_chosen)

    def _set_up_table(self) -> None:
        self.table.setModel(self.filter)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(22)
        self.table.setShowGrid(False)
        self.table.setAccessibleName("Genes and their scores")
        self.table.setMinimumHeight(190)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(30)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.arms, self.search, self.table, self.title, self.scatter):
            layout.addWidget(widget)
        self.scatter.hide()


def key_of(row: GeneScore) -> Key:
    """Which arm of which trial a line belongs to."""
    return (row.split, row.label, row.seed, row.arm, row.run)


def _most_alike(keys: list[Key], before: Key | None) -> int:
    """Which of some arms was shown before, or is its like of another split or seed; else the first; -1 for none."""
    same = [key for key in keys if key == before]
    alike = same or [key for key in keys if before is not None and key[3] == before[3]] or keys
    return keys.index(alike[0]) if alike else -1


def _label(key: Key) -> str:
    split, label, seed, arm, run = key
    where = ", ".join(part for part in (split, label, "" if seed is None else f"seed {seed}") if part)
    return f"{arm_named(arm).label}{f' “{run}”' if run else ''} – {where}"
