"""A small colour bar with the values at its ends, and what they mean."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QSizePolicy, QWidget

from .colours import table_of
from .shown import Legend

_BAR_PX = 14
_TICKS = 3


class ColourBar(QWidget):
    """The colours of a map from its lowest to its highest value; an empty widget while there is no map."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._legend: Legend | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Colour bar")

    @property
    def legend(self) -> Legend | None:
        """What is shown."""
        return self._legend

    def show_legend(self, legend: Legend | None) -> None:
        """Show another legend; None for none."""
        self._legend = legend
        self.setVisible(legend is not None)
        if legend is not None:
            low, high = legend.limits
            digits = digits_of(legend)
            said = f"{legend.gene}, {legend.what}: colours from {low:.{digits}f} to {high:.{digits}f}, {legend.unit}"
            self.setAccessibleDescription(said)
            self.setToolTip(f"{said}.\nValues beyond the ends have the colours of the ends.")
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as there is room, three lines high."""
        return QSize(240, _BAR_PX + 2 * self.fontMetrics().height() + 14)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw title, bar and values."""
        if self._legend is None:
            return
        painter = QPainter(self)
        line = self.fontMetrics().height()
        self._title(painter, line)
        bar = QRectF(1, line + 5, self.width() - 2, _BAR_PX)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(bar, _bar_image(self._legend))
        painter.setPen(self._ink(0.4))
        painter.drawRect(bar)
        self._values(painter, bar, line)
        painter.end()

    def _title(self, painter: QPainter, line: int) -> None:
        assert self._legend is not None
        font = self.font()
        font.setBold(True)
        font.setItalic(True)  # gene names are written in italics
        painter.setFont(font)
        painter.setPen(self._ink())
        painter.drawText(QRectF(1, 0, self.width(), line), Qt.AlignmentFlag.AlignLeft, self._legend.gene)
        width = painter.fontMetrics().horizontalAdvance(self._legend.gene + "  ")
        painter.setFont(self.font())
        rest = QRectF(width + 4, 0, max(self.width() - width - 4, 0), line)
        painter.drawText(rest, Qt.AlignmentFlag.AlignLeft, self._legend.what)

    def _values(self, painter: QPainter, bar: QRectF, line: int) -> None:
        assert self._legend is not None
        low, high = self._legend.limits
        flags = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        marks = ("" if self._legend.nothing_below else "≤ ", "", "≥ ")
        under = QRectF(1, bar.bottom() + 3, self.width() - 2, line)
        painter.setPen(self._ink())
        for value, flag, mark in zip(np.linspace(low, high, _TICKS), flags, marks, strict=True):
            sign = "+" if self._legend.colours == "difference" and value else ""
            painter.drawText(under, flag, f"{mark}{value:{sign}.{digits_of(self._legend)}f}".replace("-", "−"))

    def _ink(self, opacity: float = 1.0) -> QColor:
        colour = QColor(self.palette().color(QPalette.ColorRole.WindowText))
        colour.setAlphaF(opacity)
        return colour


def digits_of(legend: Legend) -> int:
    """Digits after the point that tell the ends of the bar from its middle."""
    low, high = legend.limits
    return int(np.clip(np.ceil(-np.log10((high - low) / 2)) + 1, 2, 5))


def _bar_image(legend: Legend) -> QImage:
    row = np.ascontiguousarray((table_of(legend.colours)[None] * 255).astype(np.uint8))
    return QImage(row.tobytes(), row.shape[1], 1, 4 * row.shape[1], QImage.Format.Format_RGBA8888).copy()
