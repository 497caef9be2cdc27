"""How spots are coloured: gene, colormap, contrast and opacity, as one expects of an image in napari."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QSlider, QVBoxLayout, QWidget
from superqt import QDoubleRangeSlider

from napari_c2lst.plugin.canvas import Canvas
from napari_c2lst.plugin.colouring import COLORMAPS
from napari_c2lst.plugin.parts.gene_box import GeneBox
from napari_c2lst.plugin.parts.listening import Listening

_SWATCH = QSize(64, 12)


class SpotColours(QWidget):
    """Which gene colours the spots, and how.

    Parameters
    ----------
    canvas
        Whose spots.
    """

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas, self.colouring = canvas, canvas.colouring
        self.gene = GeneBox()
        self.colormap = _colormaps()
        self.contrast = QDoubleRangeSlider(Qt.Orientation.Horizontal)
        self.contrast.setToolTip("Values at the two ends of the colours")
        self.contrast.setAccessibleName("Contrast")
        self.ends = QLabel()
        self.ends.setAccessibleName("Values at the two ends of the colours")
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setToolTip("How much of the tissue is covered")
        self.opacity.setAccessibleName("Opacity")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self._lay_out()
        self._heard = Listening(self)
        self._heard.to(canvas.session.slide_changed, self.refresh)
        self._heard.to(canvas.session.gene_changed, self._on_gene)
        self._heard.to(self.colouring.counts_ready, self.refresh)
        self._heard.to(self.colouring.changed, self._show_state)
        self.gene.gene_chosen.connect(canvas.session.show_gene)
        self.colormap.currentTextChanged.connect(self.colouring.set_colormap)
        self.contrast.valueChanged.connect(lambda ends: self.colouring.set_limits(*ends))
        self.opacity.valueChanged.connect(lambda share: self.colouring.set_opacity(share / 100))
        self.refresh()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        contrast = QVBoxLayout()
        contrast.setSpacing(0)
        contrast.addWidget(self.contrast)
        contrast.addWidget(self.ends)
        for label, field in (("&Gene", self.gene), ("Colou&rs", self.colormap)):
            form.addRow(label, field)
        form.addRow("Contrast", contrast)
        form.addRow("Opacity", self.opacity)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(self.note)

    def refresh(self) -> None:
        """Offer the genes of the open slide."""
        columns = self.colouring.columns
        self.gene.set_genes(columns.genes if columns is not None else [])
        if self.colouring.reading:
            self.gene.setPlaceholderText("Reading the counts …")
        self._on_gene(self.canvas.session.gene)
        self._show_state()

    def _on_gene(self, gene: str) -> None:
        if not self.gene.hasFocus() or self.gene.gene != gene:
            self.gene.set_gene(gene)

    def _show_state(self) -> None:
        state = self.colouring
        low, high = state.limits
        for widget in (self.contrast, self.opacity, self.colormap):
            widget.blockSignals(True)
        self.contrast.setRange(state.range[0], max(state.range[1], high, state.range[0] + 1e-6))
        self.contrast.setValue((low, high))
        self.opacity.setValue(round(state.opacity * 100))
        self.colormap.setCurrentText(state.colormap)
        for widget in (self.contrast, self.opacity, self.colormap):
            widget.blockSignals(False)
        self.ends.setText(f"{low:.2f} to {high:.2f}, log(1 + counts)")
        self.note.setText(_note(state.problem, state.bins is not None))
        self.note.setVisible(bool(self.note.text()))
        for widget in (self.contrast, self.opacity, self.colormap):
            widget.setEnabled(state.columns is not None)


def _note(problem: str, bins: bool) -> str:
    if problem:
        return f"Spots cannot be coloured: {problem}."
    return "Bins are coloured; squares are the “spots” that are chosen and predicted." if bins else ""


def _colormaps() -> QComboBox:
    from napari.utils.colormaps import ensure_colormap

    box = QComboBox()
    box.setIconSize(_SWATCH)
    box.setToolTip("Colours that can be told apart without colour vision")
    box.setAccessibleName("Colours")
    for name in COLORMAPS:
        colours = ensure_colormap(name).map([i / (_SWATCH.width() - 1) for i in range(_SWATCH.width())])
        row = (colours[:, :3] * 255).astype("uint8").tobytes()
        image = QImage(row, _SWATCH.width(), 1, 3 * _SWATCH.width(), QImage.Format.Format_RGB888)
        box.addItem(QIcon(QPixmap.fromImage(image.copy()).scaled(_SWATCH)), name)
    return box
