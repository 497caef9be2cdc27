"""Scrolling a panel past a choice or a number must not change it."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QWidget


class WheelGuard(QObject):
    """Leaves the wheel to the panel while the mouse only passes over a widget; one that was clicked takes it."""

    def guard(self, widget: QWidget) -> None:
        """Keep the wheel from a widget that has not the focus."""
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # otherwise the wheel itself would give it the focus
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Pass on all but a wheel over a widget without the focus."""
        if event is None or event.type() != QEvent.Type.Wheel or not isinstance(watched, QWidget) or watched.hasFocus():
            return False
        event.ignore()
        return True
