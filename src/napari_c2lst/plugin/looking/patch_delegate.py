"""How a spot looks in the gallery: its real patch in a frame, the synthetic ones beside it, all named in words."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, QRect, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPalette, QPen
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from .inspector import pixmap_of
from .patch_model import PATCHES, ROW

PX, GAP, PAD, LINE = 62, 4, 7, 16
REAL = QColor("#0072B2")  # Okabe-Ito
MADE = QColor("#E69F00")


class PatchDelegate(QStyledItemDelegate):
    """Paints a spot: name, a real patch (framed), a few synthetic ones.

    Attributes
    ----------
    shown
        How many synthetic patches there is room for.
    """

    def __init__(self, parent: object, shown: int = 4) -> None:
        super().__init__(parent)  # type: ignore[arg-type]
        self.shown = shown

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Room for the real patch, the synthetic ones, and two lines of words."""
        return QSize(2 * PAD + (1 + self.shown) * (PX + GAP) + GAP, 2 * PAD + PX + 2 * LINE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw one spot."""
        painter.save()
        ink = option.palette.color(QPalette.ColorRole.WindowText)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, option.palette.color(QPalette.ColorRole.Highlight))
        left, top = option.rect.left() + PAD, option.rect.top() + PAD
        self._words(painter, option.rect, index, ink)
        patches = index.data(PATCHES)
        there = min(self.shown, len(index.data(ROW).rows))
        for i in range(1 + there):
            x = left + i * (PX + GAP) + (GAP if i else 0)
            box = QRect(x, top + LINE, PX, PX)
            if patches is None or i >= len(patches):
                painter.setOpacity(0.25)
                painter.setPen(QPen(ink, 1, Qt.PenStyle.DotLine))
                painter.drawRect(box.adjusted(0, 0, -1, -1))
                painter.setOpacity(1)
            else:
                painter.drawPixmap(box, pixmap_of(patches[i], PX))
            painter.fillRect(QRectF(x, top + LINE + PX, PX, 3), REAL if i == 0 else MADE)
        painter.restore()

    def _words(self, painter: QPainter, rect: QRect, index: QModelIndex, ink: QColor) -> None:
        left, top = rect.left() + PAD, rect.top() + PAD
        bold = QFont(painter.font())
        bold.setBold(True)
        painter.setPen(ink)
        painter.setFont(bold)
        room = rect.width() - 2 * PAD
        name = painter.fontMetrics().elidedText(f"Spot {index.data()}", Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(QRect(left, top - 3, room, LINE), Qt.AlignmentFlag.AlignVCenter, name)
        small = QFont(painter.font())
        small.setBold(False)
        small.setPointSizeF(max(small.pointSizeF() - 1.5, 7))
        painter.setFont(small)
        under = top + LINE + PX + 3
        painter.drawText(QRect(left, under, PX, LINE), Qt.AlignmentFlag.AlignVCenter, "real")
        there, all_of_them = min(self.shown, len(index.data(ROW).rows)), len(index.data(ROW).rows)
        more = f" ({there} of {all_of_them})" if all_of_them > there else ""
        made = QRect(left + PX + 2 * GAP, under, rect.width() - PX - 2 * PAD - 2 * GAP, LINE)
        painter.drawText(made, Qt.AlignmentFlag.AlignVCenter, f"synthetic{more}")
