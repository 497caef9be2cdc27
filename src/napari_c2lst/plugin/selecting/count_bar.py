"""How many spots are chosen, held out and left out, as a bar and in words."""

from __future__ import annotations

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.theme import BLUE, text_colour

_HEIGHT = 12


class ShareBar(QWidget):
    """Three shares of one bar: chosen in full colour, held out pale, left out hatched."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shares = (0.0, 0.0, 0.0)
        self.setFixedHeight(_HEIGHT)
        self.setToolTip("Blue: chosen; plain: held out, to be scored on; hatched: left out of both")

    def sizeHint(self) -> QSize:
        """A thin bar as wide as there is room."""
        return QSize(200, _HEIGHT)

    def show_shares(self, chosen: float, held_out: float, left_out: float) -> None:
        """Show three shares that add up to 1; all 0 for nothing."""
        self.shares = (chosen, held_out, left_out)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Qt's hook."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        line = text_colour(self)
        pale = QColor(line)
        pale.setAlphaF(0.12)
        painter.fillRect(frame, pale)
        chosen, held_out, _ = self.shares
        painter.fillRect(QRectF(frame.x(), frame.y(), frame.width() * chosen, frame.height()), QColor(BLUE))
        begins = frame.x() + frame.width() * (chosen + held_out)
        if sum(self.shares) > 0 and begins < frame.right() - 0.5:
            hatch = QColor(line)
            hatch.setAlphaF(0.6)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(hatch)
            brush = painter.brush()
            brush.setStyle(Qt.BrushStyle.BDiagPattern)
            painter.setBrush(brush)
            painter.drawRect(QRectF(begins, frame.y(), frame.right() - begins, frame.height()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pale.setAlphaF(0.5)
        painter.setPen(pale)
        painter.drawRect(frame)


class CountBar(QWidget):
    """The bar with its words, and what is missing before the choice can train."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = ShareBar(self)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setAccessibleName("Spots chosen now")
        font = self.words.font()
        font.setBold(True)
        self.words.setFont(font)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        for widget in (self.words, self.bar, self.note):
            column.addWidget(widget)

    def show_count(self, words: str, note: str, shares: tuple[float, float, float]) -> None:
        """Show the numbers."""
        self.words.setText(words)
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.bar.show_shares(*shares)
        self.bar.setAccessibleDescription(words)
