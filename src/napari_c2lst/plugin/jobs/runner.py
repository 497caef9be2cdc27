"""One child process behind Qt's own QProcess, in the language of `jobs/protocol.py`; exactly one last event comes."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from napari_c2lst.jobs.process import describe_exit, exit_hint
from napari_c2lst.jobs.protocol import Event, decode

_GRACE_MS = 2000  # for a child to end after its last event
_LONGEST_LINE = 8_000_000  # bytes without a line's end that are kept; no event is that long


class JobRunner(QObject):
    """A task in a child process.

    Parameters
    ----------
    task
        Name of the task.
    settings
        Its settings, JSON-able; what is left out takes its preset's value.
    command
        The program to run instead of this Python's `napari_c2lst.jobs.child`.
    """

    told = Signal(object)  # an Event that is not the last one
    line = Signal(str)  # what the child and its libraries print
    ended = Signal(object)  # the last Event; exactly once, when the child is gone

    def __init__(
        self,
        task: str,
        settings: Mapping[str, Any],
        *,
        command: Sequence[str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.task = task
        self.pid = 0
        self._first_line = json.dumps(dict(settings), default=str)
        self._command = list(command or [sys.executable, "-m", "napari_c2lst.jobs.child", task])
        self._out, self._err = b"", b""
        self._last_words: deque[str] = deque(maxlen=60)
        self._last: Event | None = None  # the child's own last event; told when the child is gone
        self._ended = self._asked_to_stop = False
        self._lingering = QTimer(self, singleShot=True, interval=_GRACE_MS)
        self._lingering.timeout.connect(self._kill_group)
        self._process = _process(self)
        self._process.started.connect(self._keep_pid)
        self._process.readyReadStandardOutput.connect(self._read_out)
        self._process.readyReadStandardError.connect(self._read_err)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    @property
    def running(self) -> bool:
        """Whether the child is alive."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def start(self) -> None:
        """Start the child and hand it its settings; returns at once. What was to end before it began never begins."""
        if self._asked_to_stop:
            self._conclude(self._how_it_died(0))
            return
        self._process.start(self._command[0], self._command[1:])
        self._order(self._first_line)

    def cancel(self) -> None:
        """Ask the child to save a checkpoint and stop."""
        self._asked_to_stop = True
        if self.running:
            self._order("cancel")

    def kill(self) -> None:
        """End the child and its workers at once."""
        self._asked_to_stop = True
        self._kill_group()

    def wait(self, milliseconds: int) -> bool:
        """Wait for the end of the child; whether it has ended."""
        return not self.running or bool(self._process.waitForFinished(milliseconds))

    def _order(self, line: str) -> None:
        self._process.write((line + "\n").encode())

    def _kill_group(self) -> None:
        if self.pid and hasattr(os, "killpg"):
            # its workers are in its group, also when the child itself is gone; never our own group
            with suppress(ProcessLookupError, PermissionError):
                if self.pid != os.getpgrp():
                    os.killpg(self.pid, signal.SIGKILL)
        if self.running:
            self._process.kill()

    def _keep_pid(self) -> None:
        self.pid = int(self._process.processId())  # Qt forgets it when the child ends

    def _read_out(self) -> None:
        self._out += bytes(self._process.readAllStandardOutput())
        lines, self._out = _whole_lines(self._out)
        for line in lines:
            self._take(line)

    def _read_err(self) -> None:
        self._err += bytes(self._process.readAllStandardError())
        lines, self._err = _whole_lines(self._err)
        for line in lines:
            self._say(line)

    def _take(self, line: str) -> None:
        event = decode(line)
        if event is None:
            self._say(line)
        elif self._last is None and event.terminal:
            self._last = event
            self._lingering.start()
        elif self._last is None:
            self.told.emit(event)

    def _say(self, line: str) -> None:
        self._last_words.append(line)
        self.line.emit(line)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read_out()
        self._read_err()
        for rest in (self._out, self._err):
            if rest.strip():
                self._take(rest.decode(errors="replace"))
        crashed = status == QProcess.ExitStatus.CrashExit
        # Qt gives the number of the signal as the exit code of a crash
        self._conclude(self._last or self._how_it_died(-code if crashed else code))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            program = self._command[0]
            fields = {
                "message": f"'{self.task}' could not be started: {self._process.errorString()}",
                "hint": f"check that '{program}' can be run; reinstall napari-c2lst if it cannot",
                "fault": "crash",
                "details": " ".join(self._command),
            }
            self._conclude(Event("failed", fields, time.time()))

    def _how_it_died(self, code: int) -> Event:
        if self._asked_to_stop:
            message = f"'{self.task}' was ended before it could save a checkpoint"
            return Event("stopped", {"message": message, "hint": "", "checkpoint": None}, time.time())
        fields = {
            "message": f"'{self.task}' {describe_exit(code)}",
            "hint": exit_hint(code),
            "fault": "crash",
            "details": "\n".join(self._last_words),
        }
        return Event("failed", fields, time.time())

    def _conclude(self, event: Event) -> None:
        if self._ended:
            return
        self._ended = True
        self._lingering.stop()
        self._kill_group()
        self.ended.emit(event)


def _process(parent: QObject) -> QProcess:
    process = QProcess(parent)
    environment = QProcessEnvironment.systemEnvironment()
    environment.insert("OMP_WAIT_POLICY", "passive")
    environment.insert("PYTHONUNBUFFERED", "1")
    process.setProcessEnvironment(environment)
    if hasattr(process, "setUnixProcessParameters"):
        parameters = QProcess.UnixProcessParameters()
        # a group of its own: kill() takes its workers along, and Ctrl-C in our terminal is for us
        parameters.flags = QProcess.UnixProcessFlag.CreateNewSession
        process.setUnixProcessParameters(parameters)
    return process


def _whole_lines(data: bytes) -> tuple[list[str], bytes]:
    """The whole lines in some bytes, and what is left of the last one."""
    *lines, rest = data.split(b"\n")
    return [line.decode(errors="replace") for line in lines], rest[-_LONGEST_LINE:]
