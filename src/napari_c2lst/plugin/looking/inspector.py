"""One spot: its tissue, what was measured there, and what was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_c2lst.plugin.cells.chart import CompositionChart
from napari_c2lst.plugin.cells.records import SpotCells
from napari_c2lst.plugin.parts.latest import Latest

from .gene_bars import GeneBars
from .spot_facts import SpotFacts, read_patch, spot_facts
from .values import MapValues

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

SIDE_PX = 148
NOTHING = "Click a spot in the viewer to see its tissue and its genes."


class Inspector(QWidget):
    """Shows the spot that was clicked; knows neither viewer nor session.

    Attributes
    ----------
    gene_clicked
        Signal: a gene whose map is wanted.
    """

    gene_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel(NOTHING)
        self.words.setWordWrap(True)
        self.patch = QLabel()
        self.patch.setFixedSize(SIDE_PX, SIDE_PX)
        self.patch.setAccessibleName("Tissue of the spot")
        self.caption = QLabel()
        self.bars = GeneBars()
        self.bars.gene_clicked.connect(self.gene_clicked)
        self.cells = CompositionChart()
        self._work = Latest(self)
        self._spot = -1
        self._lay_out()
        self.clear()

    def _lay_out(self) -> None:
        tissue = QVBoxLayout()
        tissue.addWidget(self.patch)
        tissue.addWidget(self.caption)
        tissue.addStretch(1)
        row = QHBoxLayout()
        row.addLayout(tissue)
        row.addWidget(self.bars, 1, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.words)
        layout.addLayout(row)
        layout.addWidget(self.cells)

    @property
    def spot(self) -> int:
        """The spot that is shown; -1 for none."""
        return self._spot

    def clear(self, words: str = NOTHING) -> None:
        """Show no spot."""
        self._spot = -1
        self._work.drop()
        self.words.setText(words)
        self.patch.hide()
        self.caption.hide()
        self.bars.show_facts(None)
        self.cells.show_cells(None)

    def show_cells(self, cells: SpotCells | None) -> None:
        """Show what the spot is composed of; None where that is not known."""
        self.cells.show_cells(cells)

    def show_spot(self, slide: Slide, values: MapValues | None, spot: int, gene: str = "") -> None:
        """Show a spot; its tissue is read beside the GUI's thread."""
        same = spot == self._spot
        self._spot = spot
        facts = spot_facts(slide, values, spot, gene=gene)
        self.words.setText(facts.sentence)
        self.bars.show_facts(facts, gene)
        if not same and slide.microns is not None:
            patch_um = 112.0 if values is None else values.prediction.written.predictor.spec.patch_um
            self.patch.clear()  # the tissue of another spot must not stand beside this one's genes
            self.caption.clear()
            self._work.ask(
                _patch_with_facts,
                slide,
                spot,
                patch_um,
                done=self._show_patch,
                failed=self._no_patch,
            )

    def _show_patch(self, answer: tuple[NDArray[np.uint8], float, float | None]) -> None:
        pixels, patch_um, diameter_um = answer
        self.patch.setPixmap(_with_ring(pixels, None if diameter_um is None else diameter_um / patch_um))
        self.patch.setToolTip(f"{patch_um:g} × {patch_um:g} µm of tissue around the spot; the ring is the spot itself")
        self.caption.setText(f"{patch_um:g} µm wide")
        self.patch.show()
        self.caption.show()

    def _no_patch(self, message: str, hint: str) -> None:
        self.patch.hide()
        self.caption.hide()
        self.words.setText(f"{self.words.text()} Its tissue cannot be read: {message}. {hint}")

    @property
    def facts(self) -> SpotFacts | None:
        """What is shown."""
        return self.bars.facts


def _patch_with_facts(slide: Slide, spot: int, patch_um: float) -> tuple[NDArray[np.uint8], float, float | None]:
    return read_patch(slide, spot, patch_um), patch_um, slide.require_spots().diameter_um


def pixmap_of(pixels: NDArray[np.uint8], side: int) -> QPixmap:
    """A picture (h, w, 3) as a square pixmap."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    smooth = Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image).scaled(side, side, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)


def _with_ring(pixels: NDArray[np.uint8], share: float | None) -> QPixmap:
    pixmap = pixmap_of(pixels, SIDE_PX)
    if share is not None and share < 1:
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gap = SIDE_PX * (1 - share) / 2
        ring = QRectF(gap, gap, SIDE_PX - 2 * gap, SIDE_PX - 2 * gap)
        for colour, width in ((QColor(0, 0, 0, 150), 3), (QColor(255, 255, 255, 230), 1.4)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(ring)
        painter.end()
    return pixmap
