"""Closing: a window or a dock asks first where something would be lost, and everything ends cleanly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

if TYPE_CHECKING:
    from .jobs.desk import JobDesk


class WindowGuard(QObject):
    """Asks before a napari window is closed that has a running job, or results kept nowhere else; then ends everything.

    Parameters
    ----------
    window
        napari's main window.
    desk
        The jobs of its viewer.
    on_closed
        Called once, when the window is closed.
    """

    def __init__(self, window: QWidget, desk: JobDesk, on_closed: Callable[[], None]) -> None:
        super().__init__(window)
        self._window, self._desk, self._on_closed = ref(window), desk, on_closed
        self._closed = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's hook: refuse to close, or end the jobs and let it close."""
        window = self._window()
        if event.type() != QEvent.Type.Close or watched is not window or self._closed:
            return False
        if not (self._desk.confirm_close(window) and self._desk.confirm_loss(window)):
            event.ignore()
            return True
        self._desk.close()
        if event.spontaneous():
            # napari may ask as well, and the user may stay after all
            QTimer.singleShot(0, self._finish_if_closed)
        else:
            self._finish()
        return False

    def _finish_if_closed(self) -> None:
        window = self._window()
        if window is None or not window.isVisible():
            self._finish()

    def _finish(self) -> None:
        if not self._closed:
            self._closed = True
            self._on_closed()


def guard_dock(widget: QWidget, desk: JobDesk) -> None:
    """Let the close button of the dock that holds a widget ask first while a job is running.

    napari's close button takes the widget out of its dock without an event that could be refused, so the dock's own
    method is wrapped; a widget outside of napari's docks is left as it is.
    """
    dock = dock_of(widget)
    close = getattr(dock, "destroyOnClose", None)
    if dock is None or close is None or getattr(dock, "_c2lst_guarded", False):
        return

    def ask_and_close() -> None:
        if desk.confirm_close(dock):
            desk.close()
            close()

    asked: Any = dock
    asked._c2lst_guarded = True
    asked.destroyOnClose = ask_and_close


def dock_of(widget: QWidget) -> QDockWidget | None:
    """The dock that holds a widget, or None."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent
