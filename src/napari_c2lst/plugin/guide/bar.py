"""The steps as a row of buttons with a mark each: done, next, at work."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QKeySequence, QPainter, QPen, QPixmap, QPolygonF, QShortcut
from qtpy.QtWidgets import QButtonGroup, QGridLayout, QPushButton, QSizePolicy, QWidget

from .standing import Standing, State
from .steps import STEPS

# Okabe and Ito's colours; the shape says the same for those who see none of them.
_COLOURS: dict[State, str] = {
    "done": "#009E73",
    "next": "#E69F00",
    "running": "#56B4E9",
    "stopped": "#CC79A7",
    "ready": "#8a8a8a",
    "waiting": "#8a8a8a",
}
_PER_ROW = 5
_MARK_PX = 12


class StepBar(QWidget):
    """A button for each step; Alt+1 to Alt+9 and Alt+0 choose one, arrow keys walk along.

    The marks: a tick is done, a triangle is next, a clock is at work, a pause sign can go on, an empty ring is open, a
    dash waits for an earlier step.
    """

    chosen = Signal(str)  # key of a step

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QPushButton] = {}
        self._shown: list[Standing] = []
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.idClicked.connect(self._on_click)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        for i, step in enumerate(STEPS):
            button = self._button(i)
            self.buttons[step.key] = button
            grid.addWidget(button, i // _PER_ROW, i % _PER_ROW)
            grid.setColumnStretch(i % _PER_ROW, 1)

    def choose(self, key: str) -> None:
        """Mark a step as the one that is looked at."""
        self.buttons[key].setChecked(True)

    def take_focus(self, key: str) -> None:
        """Let Tab go on from the button of a step into its panel."""
        self.buttons[key].setFocus(Qt.FocusReason.OtherFocusReason)

    def show_standings(self, found: Sequence[Standing]) -> None:
        """Renew marks, tooltips and what a screen reader says."""
        if list(found) == self._shown:
            return
        self._shown = list(found)
        for i, each in enumerate(found):
            button = self.buttons[each.step.key]
            button.setIcon(mark(each.state))
            button.setToolTip(f"{each.step.purpose}\n{each.words.capitalize()}: {each.said}.  (Alt+{(i + 1) % 10})")
            button.setAccessibleName(f"Step {i + 1}, {each.step.title}: {each.words}")
            button.setAccessibleDescription(each.said)

    def _button(self, i: int) -> QPushButton:
        button = QPushButton(self)
        button.setText(f"{i + 1} {STEPS[i].title}")
        button.setCheckable(True)
        button.setIconSize(QSize(_MARK_PX, _MARK_PX))
        button.setIcon(mark("waiting"))
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setStyleSheet("QPushButton { padding: 4px 1px; text-align: left; }")  # five in a row of a narrow dock
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._group.addButton(button, i)
        # the dock holds the bar: its window's shortcuts work while the dock has the focus
        shortcut = QShortcut(QKeySequence(f"Alt+{(i + 1) % 10}"), self)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(button.click)
        shortcut.activated.connect(button.setFocus)
        return button

    def _on_click(self, i: int) -> None:
        self.chosen.emit(STEPS[i].key)


def mark(state: State) -> QIcon:
    """The mark of a state, drawn; sharp on any screen."""
    scale = 3
    picture = QPixmap(_MARK_PX * scale, _MARK_PX * scale)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(picture.width() / 16, picture.height() / 16)  # drawn on 16 x 16
    colour = QColor(_COLOURS[state])
    pen = QPen(colour, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    _DRAWN[state](painter, colour)
    painter.end()
    picture.setDevicePixelRatio(scale)
    return QIcon(picture)


def _tick(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawEllipse(QRectF(1.5, 1.5, 13, 13))
    painter.setPen(QPen(QColor("white"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawPolyline(QPolygonF([QPointF(4.7, 8.4), QPointF(7.1, 10.8), QPointF(11.3, 5.6)]))


def _triangle(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(4.5, 2.5), QPointF(13, 8), QPointF(4.5, 13.5)]))


def _clock(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(QRectF(2, 2, 12, 12))
    painter.drawPolyline(QPolygonF([QPointF(8, 4.6), QPointF(8, 8), QPointF(10.6, 9.6)]))


def _pause(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawRect(QRectF(4, 3, 2.4, 10))
    painter.drawRect(QRectF(9.6, 3, 2.4, 10))


def _ring(painter: QPainter, colour: QColor) -> None:
    painter.drawEllipse(QRectF(3, 3, 10, 10))


def _dash(painter: QPainter, colour: QColor) -> None:
    painter.drawLine(QPointF(5, 8), QPointF(11, 8))


_DRAWN = {"done": _tick, "next": _triangle, "running": _clock, "stopped": _pause, "ready": _ring, "waiting": _dash}
