"""A job: one task in a child process, and what the user is shown of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_c2lst.jobs.pace import Pace, Watch
from napari_c2lst.jobs.protocol import Event

from .runner import JobRunner

STOP_MS = 2000  # a stop that takes longer offers to end the job at once
_LOG_LINES = 5000


class Job(QObject):
    """One task in a child process.

    Exactly one of `finished`, `failed` and `stopped` comes, then `ended`, and nothing after it.

    Attributes
    ----------
    task
        Name of the task.
    label
        What it is called in the window.
    settings
        What it was started with.
    state
        "starting", "running", "stopping", "finished", "failed" or "stopped".
    log
        What it said so far, line by line.
    last
        The fields of its last event; empty before.
    pace
        How long it took; None before its end.
    """

    told = Signal(object)  # every Event but the last (QObject has a method `event`)
    progress = Signal(int, int, str)  # done, total, what
    metrics = Signal(int, dict)  # step, values
    message = Signal(str, str)  # text, level
    picture = Signal(str, str)  # path, caption
    logged = Signal(str)
    state_changed = Signal(str)
    stop_is_slow = Signal()
    finished = Signal(dict)
    failed = Signal(dict)
    stopped = Signal(dict)
    ended = Signal()

    def __init__(
        self,
        task: str,
        settings: Mapping[str, Any],
        label: str = "",
        *,
        command: Sequence[str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.task = task
        self.label = label or task
        self.settings = dict(settings)
        self.state = "starting"
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        self.last: dict[str, Any] = {}
        self.pace: Pace | None = None
        self._watch = Watch(time.monotonic())
        self._runner = JobRunner(task, settings, command=command, parent=self)
        self._runner.told.connect(self._on_event)
        self._runner.line.connect(self._note)
        self._runner.ended.connect(self._on_end)
        self._slow = QTimer(self, singleShot=True, interval=STOP_MS)
        self._slow.timeout.connect(self.stop_is_slow)

    @property
    def pid(self) -> int:
        """Process id of the child; 0 before it is started."""
        return self._runner.pid

    @property
    def out(self) -> Path | None:
        """The run folder it writes, if it writes one."""
        value = self.settings.get("out")
        return None if value is None else Path(value)

    @property
    def active(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in ("starting", "running", "stopping")

    def start(self) -> None:
        """Start the child; called once, by the desk."""
        self._watch = Watch(time.monotonic())
        self._runner.start()

    def stop(self) -> None:
        """Ask it to save a checkpoint and stop; `stop_is_slow` comes if it has not ended after two seconds."""
        if self.active and self.state != "stopping":
            self._set_state("stopping")
            self._slow.start()
            self._runner.cancel()

    def kill(self) -> None:
        """End it and its workers at once, without a checkpoint."""
        if self.active:
            self._set_state("stopping")
            self._runner.kill()

    def wait(self, milliseconds: int) -> bool:
        """Wait for its end; whether it has ended."""
        return self._runner.wait(milliseconds)

    def _on_event(self, event: Event) -> None:
        if self.state == "starting":
            self._set_state("running")
        self.told.emit(event)
        handler = _HANDLERS.get(event.kind)
        if handler is not None:
            handler(self, event.fields)

    def _on_end(self, event: Event) -> None:
        self._slow.stop()
        self.pace = self._watch.pace(time.monotonic())
        self.last = dict(event.fields)
        for line in _said_at_the_end(event):
            self._note(line)
        self._set_state(event.kind)
        {"finished": self.finished, "failed": self.failed, "stopped": self.stopped}[event.kind].emit(self.last)
        self.ended.emit()

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _note(self, line: str) -> None:
        self.log.append(line)
        self.logged.emit(line)

    def _tell(self, fields: Mapping[str, Any]) -> None:
        text, level = str(fields.get("text", "")), str(fields.get("level", "info"))
        self._watch.message()
        self._note(text if level == "info" else f"{level}: {text}")
        self.message.emit(text, level)

    def _tell_progress(self, fields: Mapping[str, Any]) -> None:
        done, total, what = _whole(fields.get("done")), _whole(fields.get("total")), str(fields.get("what", ""))
        self._watch.progress(time.monotonic(), done, total, what)
        self.progress.emit(done, total, what)

    def _tell_metrics(self, fields: Mapping[str, Any]) -> None:
        values = fields.get("values")
        self.metrics.emit(_whole(fields.get("step")), dict(values) if isinstance(values, Mapping) else {})

    def _tell_picture(self, fields: Mapping[str, Any]) -> None:
        self.picture.emit(str(fields.get("path", "")), str(fields.get("caption", "")))


_HANDLERS: dict[str, Callable[[Job, Mapping[str, Any]], None]] = {
    "message": Job._tell,
    "progress": Job._tell_progress,
    "metrics": Job._tell_metrics,
    "picture": Job._tell_picture,
}


def _whole(value: Any) -> int:
    """A count as the child gave it; 0 for what is none."""
    return int(value) if isinstance(value, (int, float)) and abs(value) < 2**31 else 0


def _said_at_the_end(event: Event) -> list[str]:
    if event.kind == "finished":
        lines = event.fields.get("lines")
        return [str(line) for line in lines] if isinstance(lines, list) else []
    said = [str(event.fields.get(name) or "") for name in ("message", "hint", "details")]
    return [line for text in said if text for line in text.splitlines()]
