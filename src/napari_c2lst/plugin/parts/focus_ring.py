"""A ring around the widget that the keys go to: napari's style sheet shows no focus at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QApplication, QSplitter, QWidget

from .focus_heard import FocusHeard
from .theme import BLUE, SKY, is_dark

if TYPE_CHECKING:
    from qtpy.QtCore import QRect

_PACKAGE = "napari_c2lst."
_GAP, _LINE = 2, 2  # px
_MOVES = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.ParentChange)


class FocusRing(FocusHeard):
    """Rings the widget of our panels that has the focus, unless the mouse gave it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._ring: _Ring | None = None

    def close(self) -> None:
        """Show nothing any more."""
        super().close()
        self._let_go()

    @property
    def around(self) -> QWidget | None:
        """The widget that has the ring."""
        return None if self._ring is None else self._ring.around

    def _on_focus(self, _old: QWidget | None, new: QWidget | None) -> None:
        self._let_go()
        by_mouse = QApplication.mouseButtons() != Qt.MouseButton.NoButton
        if new is not None and not by_mouse and is_in_a_panel_of(new, self._window):
            self._ring = _Ring(new)
            self._ring.destroyed.connect(self._on_destroyed)

    def _let_go(self) -> None:
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.destroyed.disconnect(self._on_destroyed)
            ring.hide()
            ring.deleteLater()

    def _on_destroyed(self) -> None:
        self._ring = None  # its panel was closed


class _Ring(QWidget):
    """The ring: above the widget, cut where the widget's parent ends, moving along with it."""

    def __init__(self, around: QWidget) -> None:
        super().__init__(_ground_of(around))
        self.around = around
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        around.installEventFilter(self)
        self._follow()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Qt's hook: follow the widget."""
        if event is not None and event.type() in _MOVES and watched is self.around:
            self._follow()
        return False

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Qt's hook: draw the ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(SKY if is_dark(self) else BLUE), _LINE))
        half = _LINE / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 3, 3)
        painter.end()

    def _follow(self) -> None:
        ground = self.parentWidget()
        if ground is not None:
            self.setGeometry(_place(self.around, ground))
            self.setVisible(self.around.isVisibleTo(ground))
            self.raise_()


def _ground_of(widget: QWidget) -> QWidget | None:
    ground = widget.parentWidget()
    while isinstance(ground, QSplitter):  # would take the ring for one more of its panes
        ground = ground.parentWidget()
    return ground


def _place(widget: QWidget, ground: QWidget) -> QRect:
    place = widget.rect().translated(widget.mapTo(ground, widget.rect().topLeft()))
    return place.adjusted(-_GAP, -_GAP, _GAP, _GAP).intersected(ground.rect())


def is_in_a_panel_of(widget: QWidget, window: QWidget) -> bool:
    """Whether a widget is part of a panel or a dialog of ours that belongs to a window of napari's."""
    ours, at = False, widget
    while (parent := at.parentWidget()) is not None:
        ours = ours or type(at).__module__.startswith(_PACKAGE)
        at = parent
    return ours and at is window
