"""What a job shows while it runs: what it said last, the loss, sample patches."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_c2lst.plugin.forms.labels import in_window
from napari_c2lst.plugin.jobs.job import Job
from napari_c2lst.plugin.parts.loss_curve import LossCurve
from napari_c2lst.plugin.parts.patch_strip import PatchStrip


class JobView(QWidget):
    """The live part of a step's panel; hidden until a job is watched, and each part until it has something to show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.curve = LossCurve(self)
        self.strip = PatchStrip(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for part in (self.note, self.curve, self.strip):
            layout.addWidget(part)
        self._warnings: list[str] = []
        self._run: tuple[str, str] | None = None
        self.hide()

    def watch(self, job: Job) -> None:
        """Show this job from now on; what another one showed is cleared, but for the figures of a run that goes on."""
        self._warnings.clear()
        self.note.clear()
        self.note.hide()
        run, self._run = self._run, _run_of(job)
        if run is None or run != self._run:
            self.curve.clear()
            self.curve.hide()
            self.strip.clear()
        # the one before has ended: nothing comes from it any more
        job.message.connect(self._on_message)
        job.metrics.connect(self._on_metrics)
        job.picture.connect(self.strip.feed)
        job.ended.connect(self.curve.flush)
        self.show()

    def _on_message(self, text: str, level: str) -> None:
        text = in_window(text)
        # a warning stays, other messages give way to the next one
        if level == "warning":
            self._warnings.append(f"Note: {text}")
            self.note.setText("\n".join(self._warnings))
        else:
            self.note.setText("\n".join([*self._warnings, text[:1].upper() + text[1:]]))
        self.note.show()

    def _on_metrics(self, step: int, values: dict[str, Any]) -> None:
        self.curve.feed(step, values)
        if self.curve.steps:
            self.curve.show()


def _run_of(job: Job) -> tuple[str, str] | None:
    """Task and run folder of a job; None where it has no folder that another job could go on in."""
    out = job.settings.get("out")
    return None if out is None else (job.task, str(out))
