"""A dock that is listened to: what it was told and what napari showed of it."""

from __future__ import annotations

from typing import Any

from napari.utils import notifications

from napari_c2lst.plugin.dock import C2LDock
from napari_c2lst.plugin.parts.message_bar import MessageBar
from napari_c2lst.plugin.shared import shared_of


class Watched:
    """A dock, what was told, and what napari showed."""

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.dock = C2LDock(viewer)
        viewer.window.add_dock_widget(self.dock, name="C2L-ST", area="right")
        self.session = shared_of(viewer).session
        self.told: list[tuple[str, str, str]] = []
        self.shown: list[Any] = []
        self.session.told.connect(self._hear)
        notifications.notification_manager.notification_ready.connect(self.shown.append)

    def _hear(self, level: str, message: str, hint: str) -> None:
        self.told.append((level, message, hint))

    def close(self) -> None:
        notifications.notification_manager.notification_ready.disconnect(self.shown.append)
        self.session.told.disconnect(self._hear)
        self.dock.shut()

    def check(self, qtbot: Any, words: str, seconds: float = 60) -> None:
        """An error with these words is read in the dock and in napari, with a next action and no traceback."""
        qtbot.waitUntil(lambda: any(level == "error" for level, _, _ in self.told), timeout=int(seconds * 1000))
        qtbot.wait(50)
        _, message, hint = next(each for each in self.told if each[0] == "error")
        assert words in message
        assert hint
        assert "--" not in message + hint  # flags are for the command line
        assert "Traceback" not in message
        bars = [bar for bar in self.dock.findChildren(MessageBar) if bar.isVisible() and bar.message == message]
        assert bars
        assert bars[0].hint == hint
        errors = [each for each in self.shown if str(each.severity) == "error"]
        assert len(errors) == 1
        assert [each[1] for each in self.told if each[0] == "error"] == [message]
        assert not isinstance(errors[0], notifications.ErrorNotification)
