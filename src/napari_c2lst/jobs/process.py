"""Run a task as a child process and follow it, without Qt.

Exactly one terminal event comes out, also when the child crashes or is killed.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from napari_c2lst.common.errors import RunFailure

from .protocol import Event, decode

_POLL = 0.1  # seconds between looks at a silent child
_GRACE = 2.0  # seconds for the last lines to come in once the child has ended, and for it to end after its last event


class TaskProcess:
    """A task in a child process.

    Parameters
    ----------
    task
        Name of the task.
    settings
        Its settings, JSON-able; what is left out takes its preset's value.
    command
        The program to run instead of this Python's `napari_c2lst.jobs.child` (for tests and other environments).
    environment
        Variables to set beside the present ones.

    Examples
    --------
    >>> process = TaskProcess("adapt", {"slide": "slide.zarr", "spots": "train", "out": "runs/local"})  # doctest: +SKIP
    >>> for event in process.events():  # doctest: +SKIP
    ...     print(event.kind, event.fields)
    """

    def __init__(
        self,
        task: str,
        settings: Mapping[str, Any],
        *,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.task = task
        self._settings = json.dumps(dict(settings), default=str)
        self._command = list(command or [sys.executable, "-m", "napari_c2lst.jobs.child", task])
        self._environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._stderr: deque[str] = deque(maxlen=60)
        self._readers: list[threading.Thread] = []
        self._cancelled = False
        self._terminal: Event | None = None

    @property
    def pid(self) -> int:
        """Process id of the child; 0 before it is started."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> bool:
        """Whether the child is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the child; a second call does nothing."""
        if self._process is not None:
            return
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=self._environment,
            start_new_session=os.name == "posix",  # Ctrl-C in our terminal is for us; kill() takes its workers along
        )
        self._readers = [
            threading.Thread(target=self._read_events, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._order(self._settings)

    def events(self) -> Iterator[Event]:
        """Every event as it comes, the terminal one last; starts the child if need be.

        The child is gone when the last event has been given out.
        """
        self.start()
        while self._terminal is None:
            event = self._next()
            if event is None:
                event = self._how_it_died()
            if event.terminal:
                self._terminal = event
                self._end()
            yield event

    def wait(self) -> Event:
        """Run to the end and give the terminal event."""
        for _ in self.events():
            pass
        if self._terminal is None:
            raise RunFailure(f"'{self.task}' gave no terminal event")  # cannot be: events() ends with one
        return self._terminal

    def cancel(self) -> None:
        """Ask the child to save a checkpoint and stop; its terminal event follows."""
        self._cancelled = True
        self._order("cancel")

    def kill(self) -> None:
        """End the child and its workers at once, without a checkpoint; a terminal event follows all the same."""
        self._cancelled = True
        self._kill_group()

    def _order(self, line: str) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with suppress(OSError, ValueError):  # the child is gone: its terminal event says so
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _next(self) -> Event | None:
        """The next event, or None once the child has ended without another one."""
        ended_at: float | None = None
        while True:
            try:
                line = self._lines.get(timeout=_POLL)
            except queue.Empty:
                # A grandchild may hold the pipe open after the child's death: do not wait for the end of the file.
                if not self.running:
                    ended_at = ended_at or time.monotonic()
                    if time.monotonic() - ended_at > _GRACE:
                        return None
                continue
            if line is None:
                return None
            event = decode(line)
            if event is not None:
                return event
            self._stderr.append(line)

    def _how_it_died(self) -> Event:
        code = self._wait(_GRACE)
        if code is None:
            self._kill_group()
            code = self._wait(_GRACE)
        for reader in self._readers:  # its last words may still be in the pipe
            reader.join(timeout=_GRACE)
        details = "".join(self._stderr)
        if self._cancelled:
            fields = {
                "message": f"'{self.task}' was ended before it could save a checkpoint",
                "hint": "",
                "checkpoint": None,
            }
            return Event("stopped", fields, time.time())
        fields = {"message": f"'{self.task}' {describe_exit(code)}", "hint": exit_hint(code), "fault": "crash"}
        return Event("failed", {**fields, "details": details}, time.time())

    def _end(self) -> None:
        """See the child out: nothing of it stays."""
        if self._wait(_GRACE) is None:
            self._kill_group()
            self._wait(_GRACE)
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        for reader in self._readers:
            reader.join(timeout=_GRACE)

    def _wait(self, seconds: float) -> int | None:
        if self._process is None:
            return None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def _kill_group(self) -> None:
        if self._process is None:
            return
        if os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def _read_events(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            with suppress(ValueError):
                for line in self._process.stdout:
                    self._lines.put(line)
        self._lines.put(None)

    def _read_errors(self) -> None:
        if self._process is not None and self._process.stderr is not None:
            with suppress(ValueError):
                for line in self._process.stderr:
                    self._stderr.append(line)


def describe_exit(code: int | None) -> str:
    """How a process ended, in words: 'was killed by signal 9 (SIGKILL)'."""
    if code is None:
        return "did not end"
    if code < 0:
        try:
            name = f" ({signal.Signals(-code).name})"
        except ValueError:
            name = ""
        return f"was killed by signal {-code}{name}"
    return f"ended with exit code {code} without saying how"


def exit_hint(code: int | None) -> str:
    """What to do about it."""
    if code is not None and -code == getattr(signal, "SIGKILL", 9):
        return (
            "the system does this when memory runs out: use a smaller batch or --preset small; go on with --resume auto"
        )
    return "start it again with --resume auto; if it happens again, report it with the lines of 'details'"
