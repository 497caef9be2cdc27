"""The panel "Cells": nuclei over the tissue by type, the one that was clicked, and what spots are composed of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.parts.scrolled import scrolled
from napari_c2lst.plugin.parts.tab_order import ReadPanel
from napari_c2lst.plugin.shared import shared_of

from .chart import CompositionChart
from .shown import shown_cells
from .type_rows import TypeRows

if TYPE_CHECKING:
    import napari.viewer

NO_SLIDE = "Open a slide to see its cells."
NO_CELLS = "No cells have been searched for on this slide yet: do so in the tab “Find”."
NO_CELL = "Click a cell in the viewer to see what it is."
NO_SPOT = "Click a spot to see what it is composed of."
NO_COMPOSITION = "How many cells lie in each spot is not known for this slide."
ZOOM = (
    "Near, each nucleus has its outline; further away it is filled; from afar the colour of the most frequent type "
    "says how densely nuclei lie."
)


class CellsViewPanel(ReadPanel):
    """The cells of the open slide.

    Parameters
    ----------
    viewer
        napari's viewer.

    Attributes
    ----------
    cells
        What is shown; other panels of the viewer share it.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        shared = shared_of(viewer)
        self.session = shared.session
        self.cells = shown_cells(shared)
        self._spot = -1
        self._make()
        self._lay_out()
        self._connect()
        self._on_results()

    # -- what is there ---------------------------------------------------------------------------------------------

    def _on_results(self) -> None:
        names = [each.name for each in self.cells.results]
        self.which.blockSignals(True)
        self.which.clear()
        for name in names:
            self.which.addItem(name, name)
        if self.cells.result is not None:
            self.which.setCurrentIndex(names.index(self.cells.result.name))
        self.which.blockSignals(False)
        self._on_change()

    def _on_change(self) -> None:
        cells, there = self.cells, self.cells.result is not None
        self.words.setText(self._in_words())
        for widget in (self.which, self.shown):
            widget.setEnabled(there)
        self.shown.blockSignals(True)
        self.shown.setChecked(cells.wanted and there)
        self.shown.blockSignals(False)
        self.body.setVisible(cells.raster is not None and cells.wanted)
        if cells.raster is not None:
            self.rows.show_types(cells.types, cells.counts.tolist(), cells.colours(), cells.visible)
        self._offer_spot_colours()
        self._show_cell()
        self._show_spot()

    def _in_words(self) -> str:
        cells = self.cells
        if self.session.slide is None:
            return NO_SLIDE
        if cells.result is None:
            return NO_CELLS
        if cells.raster is None:
            return "Reading…" if cells.reading and cells.wanted else cells.result.facts.notice
        found = f"{len(cells.raster.columns):,} nuclei found with {cells.result.facts.name}."
        missing = (
            f" {cells.outlines_missing[:1].upper()}{cells.outlines_missing[1:]}." if cells.outlines_missing else ""
        )
        notice = cells.result.facts.notice
        return f"{found}{missing} {notice[:1].upper()}{notice[1:]}".strip()

    def _offer_spot_colours(self) -> None:
        known = self.cells.composition is not None
        types = self.cells.composition_types if known else ()
        wanted = [("A gene, as before", ""), ("Number of nuclei", "nuclei"), *((f"Share of {t}", t) for t in types)]
        wanted = wanted if known else wanted[:1]
        if [self.spots_by.itemData(i) for i in range(self.spots_by.count())] != [value for _, value in wanted]:
            self.spots_by.blockSignals(True)
            self.spots_by.clear()
            for label, value in wanted:
                self.spots_by.addItem(label, value)
            self.spots_by.blockSignals(False)
        self._show_spots_by()
        self.spots_by.setEnabled(known)

    def _show_spots_by(self) -> None:
        """What colours the spots now, whoever chose it."""
        self.spots_by.blockSignals(True)
        self.spots_by.setCurrentIndex(max(self.spots_by.findData(self.cells.spots_by), 0))
        self.spots_by.blockSignals(False)

    def _show_cell(self) -> None:
        picked = self.cells.picked
        self.cell.setText(NO_CELL if picked is None else picked.sentence)

    def _show_spot(self) -> None:
        cells = self.cells.of_spot(self._spot)
        self.chart.show_cells(cells)
        self.spot_words.setText(NO_SPOT if self.cells.composition is not None else NO_COMPOSITION)
        self.spot_words.setVisible(cells is None and self.cells.result is not None)

    def _on_spot(self, spot: int) -> None:
        self._spot = spot
        self._show_spot()

    def _on_gene(self, gene: str) -> None:
        """A gene that is chosen anywhere colours the spots again."""
        if gene:
            self.spots_by.blockSignals(True)
            self.spots_by.setCurrentIndex(0)
            self.spots_by.blockSignals(False)

    def _on_slide(self) -> None:
        self._spot = -1
        self._show_spots_by()

    # -- plumbing --------------------------------------------------------------------------------------------------

    def _make(self) -> None:
        self.which = _combo("Which result of “Find cells” is shown", self)
        self.shown = QCheckBox("Show cells &in the viewer", self)
        self.shown.setToolTip("Show the nuclei over the tissue, coloured by type")
        self.words = _label("What is shown", self)
        self.body = QWidget(self)
        self.rows = TypeRows(self.body)
        self.all, self.none = QPushButton("&All", self.body), QPushButton("N&one", self.body)
        self.all.setToolTip("Show every type")
        self.none.setToolTip("Hide every type")
        self.look = _combo("How nuclei that are large enough on the screen are drawn", self.body)
        self.look.addItem("Outlines", "outline")
        self.look.addItem("Filled", "filled")
        self.palette_box = _combo("The colours of the types", self.body)
        self.palette_box.addItem("Safe for colour-blind readers", "safe")
        self.palette_box.addItem("As the weights have them", "weights")
        self.zoom_words = _label("What is drawn at which zoom", self.body)
        self.zoom_words.setText(ZOOM)
        self.cell = _label("The cell that was clicked", self.body)
        self.spots_by = _combo("What colours the spots", self)
        self.spot_words = _label("What the spot is composed of", self)
        self.chart = CompositionChart(self)

    def _lay_out(self) -> None:
        body = QVBoxLayout(self.body)
        body.setContentsMargins(0, 0, 0, 0)
        body.addWidget(self.rows)
        buttons = QHBoxLayout()
        buttons.addWidget(self.all)
        buttons.addWidget(self.none)
        buttons.addStretch(1)
        body.addLayout(buttons)
        body.addLayout(_form(("&Drawn as", self.look), ("Colo&urs", self.palette_box)))
        body.addWidget(self.zoom_words)
        body.addWidget(_line())
        body.addWidget(self.cell)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(8)
        column.addLayout(_form(("C&ells", self.which)))
        for widget in (self.shown, self.words, self.body, _line()):
            column.addWidget(widget)
        column.addLayout(_form(("Colour spots &by", self.spots_by)))
        column.addWidget(self.spot_words)
        column.addWidget(self.chart)
        column.addStretch(1)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(scrolled(inside))

    def _connect(self) -> None:
        hear = Listening(self)
        hear.to(self.session.slide_changed, self._on_slide)
        hear.to(self.cells.results_changed, self._on_results)
        hear.to(self.cells.changed, self._on_change)
        hear.to(self.cells.picked_changed, self._show_cell)
        hear.to(self.session.spot_clicked, self._on_spot)
        hear.to(self.session.gene_changed, self._on_gene)
        self._listening = hear
        self.which.activated.connect(self._on_which)
        self.shown.toggled.connect(self.cells.show)
        self.rows.ticked.connect(self._on_ticked)
        self.all.clicked.connect(self._on_all)
        self.none.clicked.connect(self._on_none)
        self.look.currentIndexChanged.connect(self._on_look)
        self.palette_box.currentIndexChanged.connect(self._on_palette)
        self.spots_by.currentIndexChanged.connect(self._on_spots_by)

    def _on_which(self, index: int) -> None:
        self.cells.choose(str(self.which.itemData(index)))

    def _on_ticked(self) -> None:
        self.cells.show_types(self.rows.visible_types)

    def _on_all(self) -> None:
        self.rows.tick_all()

    def _on_none(self) -> None:
        self.rows.tick_all(False)

    def _on_look(self, _index: int) -> None:
        self.cells.use_look(self.look.currentData())

    def _on_palette(self, _index: int) -> None:
        self.cells.use_palette(self.palette_box.currentData())

    def _on_spots_by(self, _index: int) -> None:
        self.cells.colour_spots(str(self.spots_by.currentData() or ""))


def _label(name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAccessibleName(name)
    return label


def _combo(tip: str, parent: QWidget) -> QComboBox:
    combo = QComboBox(parent)
    combo.setToolTip(tip)
    combo.setAccessibleName(tip)
    # long names must not make the panel wide
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    return combo


def _form(*rows: tuple[str, QWidget]) -> QFormLayout:
    form = QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for label, widget in rows:
        form.addRow(label, widget)
    return form


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    return line
