"""One line about the jobs that run: which, how far, and a button that leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from napari_c2lst.plugin.parts.listening import Listening

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
        self._watch(running[-1] if running else None)
        self._show()
        if running:
            others = f" and {len(running) - 1} more" if len(running) > 1 else ""
            self.text.setText(f"{running[-1].label}{others}")

    def look_at(self, key: str) -> None:
        """Another step is looked at: its own job shows itself there."""
        self._looked_at = key
        self._show()

    def _show(self) -> None:
        running = self._desk.running()
        own = [job for job in running if (step := step_of_task(job.task)) is not None and step.key == self._looked_at]
        self.setVisible(len(running) > len(own))

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
        self.bar.setToolTip(f"{done} of {total} {what}".strip())

    def _ask(self) -> None:
        step = step_of_task(self._job.task) if self._job is not None else None
        if step is not None:
            self.asked.emit(step.key)
