"""How the panel of a step looks: purpose, settings, what the job shows; below, always in sight, message and buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_c2lst.plugin.forms.form import SettingsForm
from napari_c2lst.plugin.jobs.job import Job
from napari_c2lst.plugin.parts.device_line import DeviceLine
from napari_c2lst.plugin.parts.message_bar import MessageBar
from napari_c2lst.plugin.parts.progress import ProgressLine
from napari_c2lst.plugin.parts.scrolled import scrolled
from napari_c2lst.plugin.parts.theme import BLUE

from .job_view import JobView
from .time_before import TimeBefore

if TYPE_CHECKING:
    from .step_panel import StepPanel

_PRIMARY = (
    f"QPushButton {{ background: {BLUE}; color: white; font-weight: bold; padding: 5px 16px; border-radius: 3px; }}"
    " QPushButton:hover { background: #1a86c4; } QPushButton:focus { border: 2px solid #56b4e9; }"
    " QPushButton:disabled { background: #7a8894; color: #d8dde2; }"
)


class StepLayout:
    """The widgets of a step's panel.

    Parameters
    ----------
    panel
        The widget they are put into.
    form
        Its settings.
    purpose
        One or two sentences at the top.
    """

    def __init__(self, panel: QWidget, form: SettingsForm, purpose: str) -> None:
        self.form, self._panel = form, panel
        self.purpose, self.slide = _wrapped(purpose, panel), _wrapped("", panel)
        self.view = JobView(panel)
        self.fold = _fold("Settings", panel)
        self.fold.toggled.connect(self._on_fold)
        self.device = DeviceLine(panel)
        self.message, self.progress = MessageBar(panel), ProgressLine(panel)
        self.run = _button("&Run", "Start with these settings (Ctrl+Return)", panel)
        self.run.setShortcut("Ctrl+Return")
        self.run.setStyleSheet(_PRIMARY)
        self.stop = _button("S&top", "Save a checkpoint and stop", panel)
        self.resume = _button("Res&ume", "Go on where the last run stopped", panel)
        self.time = TimeBefore(panel)
        self.log = _button("Lo&g", "Open what the job says, line by line", panel)
        self._lay_out(panel)
        self.progress.hide()
        self.fold.setChecked(True)

    def connect_to(self, panel: StepPanel) -> None:
        """Let the buttons do what the panel can do."""
        self.run.clicked.connect(panel.run)
        self.stop.clicked.connect(panel.stop)
        self.resume.clicked.connect(panel.resume)
        self.log.clicked.connect(panel.open_log)
        self.message.details_wanted.connect(panel.open_log)
        self.message.action_wanted.connect(panel.end_now)

    def begin(self, text: str) -> None:
        """Something is about to start: nothing of before is left in sight."""
        self.message.clear()
        self.progress.begin(text)
        self.progress.show()

    def watch(self, job: Job) -> None:
        """Show a job from now on."""
        self.begin(f"{job.label}…" if job.label else "Starting…")
        self.view.watch(job)
        job.progress.connect(self.progress.feed)
        self.fold.setChecked(False)
        bar = self.scroll.verticalScrollBar()
        if bar is not None:
            bar.setValue(0)

    def end(self, well: bool) -> None:
        """The job is over."""
        self.progress.end(well)
        self.progress.hide()
        self.device.refresh()
        if not well:
            self.fold.setChecked(True)  # something in there has to be changed, perhaps

    def show_state(self, active: bool, job: Job | None, resumable: bool) -> None:
        """Enable what can be done now."""
        stopping = job is not None and job.state == "stopping"
        before = self._focus()
        for widget, enabled in (
            (self.run, not active),
            (self.form, not active),
            (self.stop, active and job is not None and job.active and not stopping),
            (self.log, job is not None),
        ):
            widget.setEnabled(enabled)
        self.resume.setVisible(resumable and not active)
        self.stop.setVisible(active)
        self.run.setVisible(not active)
        self.time.setVisible(not active)
        if stopping:
            self.progress.say("Stopping: saving a checkpoint…")
        # Qt hands the keys of what was disabled to whatever is next, say to the button that hides the dock
        if before is not None and (before is self.scroll or before is not self._focus()):
            button = self.stop if active else self.resume if resumable else self.run
            (button if button.isEnabled() else self.scroll).setFocus(Qt.FocusReason.OtherFocusReason)

    def _focus(self) -> QWidget | None:
        """What has the keys, if it is in this panel."""
        focus = QApplication.focusWidget()
        return focus if focus is not None and self._panel.isAncestorOf(focus) else None

    def _on_fold(self, open: bool) -> None:
        self.fold.setText(("▾" if open else "▸") + "  Settings")
        self.form.setVisible(open)

    def _lay_out(self, panel: QWidget) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(2, 2, 8, 2)
        column.setSpacing(8)
        for part in (self.purpose, self.slide, self.view, self.fold, self.form):
            column.addWidget(part)
        column.addStretch(1)
        self.scroll = scrolled(body)
        buttons = QHBoxLayout()
        for button in (self.run, self.stop, self.resume):
            buttons.addWidget(button)
        buttons.addWidget(self.time, 1)
        buttons.addStretch()  # while it runs there is no time beside the buttons
        buttons.addWidget(self.log)
        whole = QVBoxLayout(panel)
        whole.setContentsMargins(6, 6, 6, 6)
        whole.setSpacing(6)
        whole.addWidget(self.scroll, 1)
        for part in (self.device, self.message, self.progress):
            whole.addWidget(part)
        whole.addLayout(buttons)


def _wrapped(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _button(text: str, tooltip: str, parent: QWidget) -> QPushButton:
    button = QPushButton(text, parent)
    button.setToolTip(tooltip)
    button.setAccessibleName(text.replace("&", ""))
    return button


def _fold(text: str, parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setCheckable(True)
    button.setAutoRaise(True)
    button.setText(text)
    button.setToolTip("Show or hide the settings")
    return button
