"""The keys stay with what one types into: napari's notifications hand them to the picture whenever one of them goes."""

from __future__ import annotations

from functools import partial

from qtpy.compat import isalive
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from .focus_heard import FocusHeard
from .focus_ring import is_in_a_panel_of

_NOTIFICATION = "NapariQtNotification"


class FocusKept(FocusHeard):
    """Gives the keys back to a widget of our panels that a notification took them from.

    A notification goes by itself after some seconds: what was typed into a name would be keys of the picture then.
    """

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is None or new is None or not _a_notification_goes_from(new):
            return
        if old.isEnabled() and old.isVisible() and is_in_a_panel_of(old, self._window):
            QTimer.singleShot(0, partial(_give_back, old, new))


def _a_notification_goes_from(canvas: QWidget) -> bool:
    """Whether a notification on the canvas is closing: it is in no list any more, but still there."""
    shown = [each for each in canvas.children() if type(each).__name__ == _NOTIFICATION]
    return any(each not in getattr(type(each), "_instances", shown) for each in shown)


def _give_back(to: QWidget, canvas: QWidget) -> None:
    if isalive(to) and isalive(canvas) and canvas.hasFocus():
        to.setFocus()
