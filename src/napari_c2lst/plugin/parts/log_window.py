"""The log of a job in a window of its own, which stays open while the job runs."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QFontDatabase, QGuiApplication, QTextCursor
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from napari_c2lst.plugin.jobs.job import Job

from .throttled import Throttled

_LINES = 5000


class LogWindow(QDialog):
    """What a job said and says.

    Parameters
    ----------
    job
        The job; lines come in as it writes them.
    """

    def __init__(self, job: Job, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Log: {job.label}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 420)
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(_LINES)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Log")
        self.text.setPlainText("\n".join(job.log))
        self.text.moveCursor(QTextCursor.MoveOperation.End)  # the end is what is looked for, and new lines follow it
        # not the end of a long line: all lines would begin out of sight
        self.text.moveCursor(QTextCursor.MoveOperation.StartOfLine)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = buttons.addButton("&Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setToolTip("Copy the whole log, to report a fault")
        copy.clicked.connect(self.copy)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self._waiting: list[str] = []
        self._show = Throttled(self._append, self)
        job.logged.connect(self._take)

    def copy(self) -> None:
        """Put the whole log on the clipboard."""
        self._show.flush()
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.text.toPlainText())

    def _take(self, line: str) -> None:
        self._waiting.append(line)
        self._show.later()

    def _append(self) -> None:
        if self._waiting:
            self.text.appendPlainText("\n".join(self._waiting))
            self._waiting.clear()
