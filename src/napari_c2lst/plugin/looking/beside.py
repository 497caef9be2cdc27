"""A second view of the tissue beside napari's own: what was measured beside what is predicted, at the same place.

Not a second napari canvas: one that is docked or floated anew loses its OpenGL context, and with it the window.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget


class BesideView(QWidget):
    """Tissue with one map, which follows napari's camera and leads it.

    Attributes
    ----------
    moved
        Signal: the user panned or zoomed here; y and x of the centre in microns, microns for each screen pixel.
    clicked
        Signal: y and x of a click in microns.
    """

    moved = Signal(float, float, float)
    clicked = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.RichText)
        self.graphics = pg.GraphicsView(self, background=None)
        self.graphics.setAccessibleName("Second view of the tissue")
        self.graphics.setToolTip("Drag to move, turn the wheel to zoom: napari's view follows. Click a spot to look.")
        self.box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False, defaultPadding=0)
        self.graphics.setCentralItem(self.box)
        self.tissue = pg.ImageItem(axisOrder="row-major")
        self.map = pg.ImageItem(axisOrder="row-major")
        self.box.addItem(self.tissue)
        self.box.addItem(self.map)
        self._following = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.title)
        layout.addWidget(self.graphics, 1)
        self.box.sigRangeChangedManually.connect(self._tell)
        self.graphics.scene().sigMouseClicked.connect(self._pressed)
        self._use_palette()

    def sizeHint(self) -> QSize:
        """Large enough to compare, small enough for a dock."""
        return QSize(320, 280)

    def minimumSizeHint(self) -> QSize:
        """Smaller than this nothing can be compared."""
        return QSize(160, 220)

    def show_tissue(self, picture: NDArray[np.uint8] | None, um_per_px: float = 1.0) -> None:
        """Show a picture (h, w, 3) of the whole image; None for none."""
        if picture is None:
            self.tissue.clear()
            return
        self.tissue.setImage(picture, autoLevels=False, levels=(0, 255))
        height, width = picture.shape[:2]
        self.tissue.setRect(QRectF(0, 0, width * um_per_px, height * um_per_px))
        self.box.setRange(self.tissue.mapRectToParent(self.tissue.boundingRect()), padding=0)

    def show_map(self, picture: NDArray[np.uint8] | None, origin_um: NDArray[np.float64], step_um: float) -> None:
        """Show a map (h, w, 4) whose corner lies at `origin_um` (y, x); None for none."""
        if picture is None:
            self.map.clear()
            return
        self.map.setImage(picture, autoLevels=False, levels=(0, 255))
        height, width = picture.shape[:2]
        self.map.setRect(QRectF(origin_um[1], origin_um[0], width * step_um, height * step_um))

    def look_at(self, y_um: float, x_um: float, um_per_px: float) -> None:
        """Show the same place at the same size as another view, without telling it."""
        width, height = (max(side, 1) * um_per_px for side in (self.graphics.width(), self.graphics.height()))
        self._following = True
        self.box.setRange(QRectF(x_um - width / 2, y_um - height / 2, width, height), padding=0)
        self._following = False

    def seen(self) -> tuple[float, float, float]:
        """Y and x of the centre in microns, microns for each screen pixel."""
        (left, right), (top, bottom) = self.box.viewRange()
        return (top + bottom) / 2, (left + right) / 2, (right - left) / max(self.graphics.width(), 1)

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        if event is not None and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._use_palette()
        super().changeEvent(event)

    def _use_palette(self) -> None:
        self.graphics.setBackground(self.palette().color(QPalette.ColorRole.Window))

    def _tell(self, *_: object) -> None:
        if not self._following:
            self.moved.emit(*self.seen())

    def _pressed(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            place = self.box.mapSceneToView(event.scenePos())
            self.clicked.emit(place.y(), place.x())
