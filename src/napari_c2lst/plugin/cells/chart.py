"""What a spot is composed of, as a small chart: one bar a type, its number and share beside it."""

from __future__ import annotations

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from .records import SpotCells

_ROW, _TOP = 20, 20


class CompositionChart(QWidget):
    """Bars of the nuclei in one spot; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells: SpotCells | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Cells of the spot by type")
        self.setToolTip("Nuclei whose centres lie in the spot")
        self.hide()

    def show_cells(self, cells: SpotCells | None) -> None:
        """Show another spot; None for none."""
        self.cells = cells
        self.setAccessibleDescription(self.in_words())
        self.setVisible(cells is not None)
        self.updateGeometry()
        self.update()

    def in_words(self) -> str:
        """'12 nuclei: epithelial 9 (75 %), inflammatory 3 (25 %)'."""
        if self.cells is None:
            return ""
        total = int(self.cells.counts.sum())
        if not total:
            return "No nuclei in this spot"
        named = zip(self.cells.types, self.cells.counts, strict=True)
        parts = [f"{name} {int(n)} ({n / total:.0%})".replace("%)", " %)") for name, n in named if n]
        return f"{_nuclei(total)}: {', '.join(parts)}"

    def sizeHint(self) -> QSize:
        """A row for each type."""
        return QSize(220, _TOP + _ROW * (0 if self.cells is None else len(self.cells.types)))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw title and bars."""
        if self.cells is None:
            return
        painter = QPainter(self)
        painter.setPen(self._ink())
        total = int(self.cells.counts.sum())
        title = "Cells of the spot: " + _nuclei(total) if total else self.in_words()
        painter.drawText(QRectF(0, 0, self.width(), _TOP - 2), Qt.AlignmentFlag.AlignVCenter, title)
        metrics = painter.fontMetrics()
        names = max((metrics.horizontalAdvance(name) for name in self.cells.types), default=0) + 10
        left = float(min(names, self.width() * 0.45))
        right = float(metrics.horizontalAdvance("0000 (100 %)") + 6)
        longest = max(float(self.cells.counts.max(initial=0)), 1.0)
        for i in range(len(self.cells.types)):
            self._row(painter, i, left, right, longest, total)
        painter.end()

    def _row(self, painter: QPainter, i: int, left: float, right: float, longest: float, total: int) -> None:
        assert self.cells is not None
        top, number = float(_TOP + i * _ROW), float(self.cells.counts[i])
        name = painter.fontMetrics().elidedText(self.cells.types[i], Qt.TextElideMode.ElideRight, int(left) - 6)
        painter.setPen(self._ink())
        painter.drawText(QRectF(0, top, left - 6, _ROW), Qt.AlignmentFlag.AlignVCenter, name)
        room = max(self.width() - left - right, 10.0)
        bar = QRectF(left, top + 4, max(room * number / longest, 1.0), _ROW - 8)
        painter.fillRect(bar, QColor(*self.cells.colours[i]))
        painter.setPen(QPen(self._ink(0.35), 1))
        painter.drawRect(bar)  # yellow on a light theme, black on a dark one
        painter.setPen(self._ink(0.85))
        share = f" ({number / total:.0%})".replace("%)", " %)") if total else ""
        beside = QRectF(bar.right() + 6, top, right, _ROW)
        painter.drawText(beside, Qt.AlignmentFlag.AlignVCenter, f"{int(number)}{share}")

    def _ink(self, opacity: float = 1.0) -> QColor:
        colour = QColor(self.palette().color(QPalette.ColorRole.WindowText))
        colour.setAlphaF(opacity)
        return colour


def _nuclei(n: int) -> str:
    return "1 nucleus" if n == 1 else f"{n} nuclei"
