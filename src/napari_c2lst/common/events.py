"""What happened in a run, as lines of JSON in its folder."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from .reporter import ForwardingReporter, Level, Reporter


class EventsReporter(ForwardingReporter):
    """Writes messages, metrics and pictures as JSON lines and passes them on; progress at most once a second.

    Parameters
    ----------
    inner
        Where everything goes as well.
    file
        The file lines are added to.
    """

    def __init__(self, inner: Reporter, file: Path) -> None:
        super().__init__(inner)
        self._file = file
        self._last_progress = 0.0

    def _write(self, kind: Literal["message", "metrics", "picture", "progress"], **fields: Any) -> None:
        line = json.dumps({"time": round(time.time(), 3), "event": kind, **fields})
        with self._file.open("a") as file:
            file.write(line + "\n")

    def message(self, text: str, level: Level = "info") -> None:
        self._write("message", text=text, level=level)
        super().message(text, level)

    def progress(self, done: int, total: int, what: str = "") -> None:
        now = time.monotonic()
        if now - self._last_progress >= 1 or done == total:
            self._last_progress = now
            self._write("progress", done=done, total=total, what=what)
        super().progress(done, total, what)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self._write("metrics", step=step, values=dict(values))
        super().metrics(step, values)

    def picture(self, path: Path, caption: str) -> None:
        self._write("picture", path=str(path), caption=caption)
        super().picture(path, caption)
