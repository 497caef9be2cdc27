"""The desk: every job of one viewer; it starts them, tells of their ends, and lets none outlive the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, QEventLoop, QObject, QTimer, Signal
from qtpy.QtWidgets import QMessageBox, QWidget

from .job import Job

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session

_CLOSE_MS = 4000  # for checkpoints, when the window closes
_SLICE_MS = 20


class JobDesk(QObject):
    """The jobs of one viewer.

    Parameters
    ----------
    session
        Told when a job has written something new.

    Attributes
    ----------
    jobs
        Every job since the viewer was opened, oldest first.
    """

    started = Signal(object)  # Job
    ended = Signal(object)  # Job

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.jobs: list[Job] = []
        self.command: Sequence[str] | None = None  # another program than our own child, for tests
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.close)

    def start(self, task: str, settings: Mapping[str, Any], label: str = "") -> Job:
        """Start a task in a child process.

        Parameters
        ----------
        settings
            What differs from the preset, JSON-able or paths.
        label
            What the job is called in the window; the task's name if empty.
        """
        command = None if self.command is None else [*self.command, task]
        job = Job(task, settings, label, command=command, parent=self)
        self.jobs.append(job)
        job.ended.connect(lambda: self._on_end(job))
        self.started.emit(job)
        # the caller connects to the job's signals before the first one comes
        QTimer.singleShot(0, job.start)
        return job

    def running(self) -> list[Job]:
        """The jobs that have not ended."""
        return [job for job in self.jobs if job.active]

    def confirm_close(self, parent: QWidget | None = None) -> bool:
        """Whether the window may close; asks only if a job is running."""
        names = [job.label for job in self.running()]
        return not names or _ask(parent, names)

    def close(self) -> None:
        """Stop every job with a checkpoint, and end at once what has not stopped after a few seconds."""
        jobs = self.running()
        for job in jobs:
            job.stop()
        _wait(jobs, _CLOSE_MS)
        for job in self.running():
            job.kill()
        _wait(jobs, _CLOSE_MS)

    def _on_end(self, job: Job) -> None:
        self.ended.emit(job)
        if job.state == "finished":
            self.session.results_changed.emit()


def _wait(jobs: list[Job], milliseconds: int) -> None:
    """Wait for the ends of jobs; the window is drawn meanwhile but takes no input."""
    for _ in range(milliseconds // _SLICE_MS):
        waiting = [job for job in jobs if job.active]
        if not waiting:
            return
        waiting[0].wait(_SLICE_MS)
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)


def _ask(parent: QWidget | None, names: list[str]) -> bool:
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("A job is running")
    box.setText(f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} still running.")
    box.setInformativeText("Stopping saves a checkpoint: the work can go on from there later.")
    stop = box.addButton("Stop and close", QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton("Keep running", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec()
    return box.clickedButton() is stop
