"""Repeat elsewhere: each step that was done as a command line or as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QFontDatabase, QGuiApplication
from qtpy.QtWidgets import (
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from napari_c2lst.common.errors import C2LError
from napari_c2lst.plugin.parts.listening import Listening

from .commands import command_line, python_snippet
from .history import Done, steps_done

if TYPE_CHECKING:
    from napari_c2lst.plugin.shared import Shared


class RepeatBox(QGroupBox):
    """Choose a step, see how to repeat it, copy that."""

    def __init__(self, shared: Shared, parent: QWidget | None = None) -> None:
        super().__init__("Repeat a step elsewhere", parent)
        self._shared = shared
        self.steps = QComboBox(self)
        self.steps.setAccessibleName("Step to repeat")
        self.steps.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.as_command = QRadioButton("Command l&ine", self)
        self.as_python = QRadioButton("P&ython", self)
        self.as_command.setChecked(True)
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("The step as text")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setFixedHeight(110)
        self.copy_button = QPushButton("Copy as co&mmand", self)
        self.copy_button.clicked.connect(self.copy)
        row = QHBoxLayout()
        row.addWidget(self.as_command)
        row.addWidget(self.as_python)
        row.addStretch()
        row.addWidget(self.copy_button)
        column = QVBoxLayout(self)
        column.addWidget(self.steps)
        column.addWidget(self.text)
        column.addLayout(row)
        self.steps.currentIndexChanged.connect(self._show)
        self.as_python.toggled.connect(self._show)
        self._heard = Listening(self)
        session = shared.session
        for signal in (session.slide_changed, session.sets_changed, session.results_changed):
            self._heard.to(signal, self.renew)
        self._heard.to(shared.jobs.ended, self._on_job)
        self.renew()

    def renew(self) -> None:
        """Offer the steps that were done."""
        before = self.steps.currentText()
        self.steps.blockSignals(True)
        self.steps.clear()
        for done in steps_done(self._shared.session, self._shared.jobs.jobs):
            self.steps.addItem(done.label, done)
        if self.steps.count() == 0:
            self.steps.addItem("nothing was done yet", None)
        self.steps.setCurrentIndex(max(self.steps.findText(before, Qt.MatchFlag.MatchExactly), 0))
        self.steps.blockSignals(False)
        self._show()

    def _on_job(self, _job: object) -> None:
        self.renew()

    def copy(self) -> None:
        """Put the text on the clipboard; a list of spots that it names is written first."""
        clipboard = QGuiApplication.clipboard()
        text, done = self.text.toPlainText(), self.steps.currentData()
        if clipboard is None or not text or done is None:
            return
        try:
            listed = done.prepare()
        except C2LError as error:
            self._shared.session.tell("error", error.message, error.hint)
            return
        clipboard.setText(text)
        said = "" if listed is None else f"; the chosen spots are listed in '{listed}'"
        self._shared.session.tell("info", "copied to the clipboard" + said)

    def _show(self, _what: Any = None) -> None:
        done: Done | None = self.steps.currentData()
        self.copy_button.setText("Copy as Python" if self.as_python.isChecked() else "Copy as co&mmand")
        text, whole = "", False
        if done is not None:
            try:
                write = python_snippet if self.as_python.isChecked() else command_line
                text, whole = write(done.task, done.values), True
            except C2LError as error:
                text = str(error)
        self.text.setPlainText(text)
        self.copy_button.setEnabled(whole)
