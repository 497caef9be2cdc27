"""The last thing that was said, whoever said it, with the log one click away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.parts.log_window import LogWindow
from napari_c2lst.plugin.parts.message_bar import MessageBar

if TYPE_CHECKING:
    from napari_c2lst.plugin.shared import Shared


class MessageArea(QWidget):
    """Shows the newest message of the session until it is put away; the details are the log of the last job.

    Parameters
    ----------
    said_already
        Whether a message can be read elsewhere in the dock: then it is not shown twice.
    """

    def __init__(self, shared: Shared, said_already: Callable[[str], bool], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._said_already = said_already
        self._told = ("", "", "")
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._show)
        self._jobs = shared.jobs
        self.bar = MessageBar(self)
        self.bar.action_wanted.connect(self.bar.clear)
        self.bar.details_wanted.connect(self.show_log)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.bar)
        self._heard = Listening(self)
        self._heard.to(shared.session.told, self.tell)

    def tell(self, level: str, message: str, hint: str = "") -> None:
        """Show a message in the place of the one before."""
        self._told = (level, message, hint)
        # a panel that hears the same shows it first, in its own place
        self._soon.start()

    def _show(self) -> None:
        level, message, hint = self._told
        if self._said_already(message):
            self.bar.clear()
            return
        details = level != "info" and bool(self._jobs.jobs)
        self.bar.show_message(level, message, hint, details=details, action="Dismiss")

    def show_log(self) -> None:
        """Open the log of the last job."""
        if self._jobs.jobs:
            LogWindow(self._jobs.jobs[-1], self).show()

    def leave_step(self) -> None:
        """Another step is looked at: what merely informed was of the one before; what went wrong stays."""
        if self.bar.level == "info":
            self.bar.clear()

    def let_go(self) -> None:
        """Hear nothing any more."""
        self._soon.stop()
        self._heard.stop()
