"""Whoever wants to know where the keys go."""

from __future__ import annotations

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication, QWidget


class FocusHeard(QObject):
    """Hears of each change of the focus, until it is closed.

    Parameters
    ----------
    window
        napari's main window: widgets of panels in it, in docks that float over it, and in dialogs of these.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._app = QApplication.instance()
        if isinstance(self._app, QApplication):
            self._app.focusChanged.connect(self._on_focus)

    def close(self) -> None:
        """Hear no more."""
        if isinstance(self._app, QApplication):
            self._app.focusChanged.disconnect(self._on_focus)

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        raise NotImplementedError
