"""One line about the jobs that run: which, how far, and a button that leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.parts.progress import progress_text

from .steps import step_of_task

if TYPE_CHECKING:
    from napari_c2lst.plugin.jobs.desk import JobDesk
    from napari_c2lst.plugin.jobs.job import Job


class JobsLine(QWidget):
    """Hidden while nothing runs.

    Parameters
    ----------
    desk
        The jobs of the viewer.
    """

    asked = Signal(str)  # key of the step of the job that is shown

    def __init__(self, desk: JobDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._job: Job | None = None
        self._looked_at = ""
        self.text = QLabel(self)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar(self)
        self.bar.setMaximumHeight(14)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the job that runs")
        self.button = QToolButton(self)
        self.button.setText("Show")
        self.button.setToolTip("Go to the step that runs")
        self.button.clicked.connect(self._ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.text)
        row.addWidget(self.bar, 1)
        row.addWidget(self.button)
        self._heard = Listening(self)
        self._heard.to(desk.started, self._on_change)
        self._heard.to(desk.ended, self._on_change)
        self._on_change()

    def let_go(self) -> None:
        """Hear of no job any more."""
        self._watch(None)
        self._heard.stop()

    def _on_change(self, _job: Any = None) -> None:
        running = self._desk.running()
        elsewhere = [job for job in running if _key(job) != self._looked_at]
        self._watch(next(reversed(elsewhere or running), None))
        self.setVisible(bool(elsewhere))
        if elsewhere:
            more = f" and {len(elsewhere) - 1} more" if len(elsewhere) > 1 else ""
            self.text.setText(f"{elsewhere[-1].label}{more}")

    def look_at(self, key: str) -> None:
        """Another step is looked at: its own job shows itself there."""
        self._looked_at = key
        self._on_change()

    def _watch(self, job: Job | None) -> None:
        if job is self._job:
            return
        if self._job is not None:
            self._job.progress.disconnect(self._on_progress)
        self._job = job
        if job is not None:
            self.bar.setRange(0, 0)  # busy until it says how far it is
            job.progress.connect(self._on_progress)

    def _on_progress(self, done: int, total: int, what: str) -> None:
        self.bar.setRange(0, max(total, 0))
        self.bar.setValue(done)
        self.bar.setToolTip(progress_text(done, total, what, None))

    def _ask(self) -> None:
        key = None if self._job is None else _key(self._job)
        if key is not None:
            self.asked.emit(key)


def _key(job: Job) -> str | None:
    """The step that shows a job."""
    step = step_of_task(job.task)
    return None if step is None else step.key
