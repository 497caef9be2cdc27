r"""The language between a task in a child process and the program that started it.

Child to parent: one JSON object a line on standard output, ``{"event": KIND, "time": SECONDS, ...}``.

============  =======================================================================================
event         fields
============  =======================================================================================
``started``   ``task``, ``pid``, ``version``
``message``   ``text``, ``level`` ("info" or "warning")
``progress``  ``done``, ``total``, ``what``; at most ten a second
``metrics``   ``step``, ``values``; never dropped
``picture``   ``path``, ``caption``
``finished``  ``result``, ``lines``                                                     (terminal)
``failed``    ``message``, ``hint``, ``fault`` ("input", "failure" or "crash"), ``details``  (terminal)
``stopped``   ``message``, ``hint``, ``checkpoint``                                     (terminal)
============  =======================================================================================

Exactly one terminal event comes, as the last one. Results travel as paths, never as arrays.

Parent to child: the line ``cancel`` on standard input asks to stop; the child saves a checkpoint and ends with
``stopped``. When standard input is a pipe and closes, the parent is gone, and the child stops as well.
"""

import json
import math
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from napari_c2lst._version import __version__
from napari_c2lst.common.errors import C2LError, InputError, Stopped
from napari_c2lst.common.reporter import CallbackReporter
from napari_c2lst.common.results import TaskResult

TERMINAL = frozenset({"finished", "failed", "stopped"})
KINDS = TERMINAL | {"started", "message", "progress", "metrics", "picture"}
PROGRESS_INTERVAL = 0.1  # seconds


@dataclass(frozen=True)
class Event:
    """One event: its kind, its fields and when it was written (seconds since the epoch)."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    time: float = 0.0

    @property
    def terminal(self) -> bool:
        """Whether it is the last one."""
        return self.kind in TERMINAL

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


def encode(event: Event) -> str:
    """One line without its end; values that JSON lacks (NaN, infinities) become null."""
    return json.dumps({"event": event.kind, "time": round(event.time, 3), **_clean(event.fields)}, default=str)


def decode(line: str) -> Event | None:
    """The event of a line, or None when the line is something else (a library that printed)."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or not isinstance(values.get("event"), str) or values["event"] not in KINDS:
        return None
    kind, when = values.pop("event"), values.pop("time", 0.0)
    return Event(kind, values, when)


def _clean(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(v) for v in value]
    return value


class EventWriter:
    """Writes events as lines, from any thread; after a terminal event it is silent.

    Parameters
    ----------
    stream
        Where lines go, flushed one by one.
    clock
        Seconds for throttling; replaced in tests.
    """

    def __init__(self, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._lock = threading.RLock()
        self._closed = False
        self._last_progress = -math.inf
        self._held: Event | None = None

    def write(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write an event; progress that comes too soon is held back until the next event that may carry it."""
        event = Event(kind, fields, time.time())
        with self._lock:
            if self._closed:
                return
            if kind == "progress" and self._clock() - self._last_progress < PROGRESS_INTERVAL:
                self._held = event
                return
            if event.terminal:
                self._closed = True
                if self._held is not None:
                    self._put(self._held)
            if kind == "progress":
                self._last_progress, self._held = self._clock(), None
            self._put(event)

    def _put(self, event: Event) -> None:
        try:
            self._stream.write(encode(event) + "\n")
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            self._closed = True  # nobody listens any more; the listener on standard input asks the task to stop


def run_and_tell(
    work: Callable[[CallbackReporter], TaskResult], writer: EventWriter, stop: Callable[[], bool], task: str, pid: int
) -> int:
    """Do the work, tell its events, end with exactly one terminal event, and give the exit code.

    Exit codes: 0 finished (or the result's own, such as 1 when a part could not be done), 1 failed,
    2 the input cannot be used, 130 stopped.
    """
    writer.write("started", {"task": task, "pid": pid, "version": __version__})
    try:
        result = work(CallbackReporter(writer.write, stop))
        writer.write("finished", {"result": result.model_dump(mode="json"), "lines": result.lines()})
    except Stopped as error:
        writer.write("stopped", {**_said(error), "checkpoint": str(error.checkpoint) if error.checkpoint else None})
        return 130
    except KeyboardInterrupt:
        writer.write("stopped", {"message": f"'{task}' was aborted", "hint": "", "checkpoint": None})
        return 130
    except InputError as error:
        writer.write("failed", {**_said(error), "fault": "input", "details": ""})
        return 2
    except C2LError as error:
        writer.write("failed", {**_said(error), "fault": "failure", "details": ""})
        return 1
    except BaseException as error:
        writer.write("failed", {**unexpected(error), "fault": "failure", "details": traceback.format_exc()})
        return 1
    return result.exit_code


def _said(error: C2LError) -> dict[str, str]:
    return {"message": error.message, "hint": error.hint}


def unexpected(error: BaseException) -> dict[str, str]:
    """Message and hint for an error that nobody foresaw."""
    text = " ".join(str(error).split()) or "no message"
    if isinstance(error, MemoryError) or "out of memory" in text.lower():
        return {
            "message": f"memory ran out: {text}",
            "hint": "use a smaller batch or --preset small, or close other programs",
        }
    return {
        "message": f"{type(error).__name__}: {text}",
        "hint": "this is a fault of napari-c2lst: set C2LST_DEBUG=1 to see where, and report it",
    }
