"""Ctrl-C: once asks politely, twice ends the work at once."""

import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, Self


class PoliteStop:
    """While active, the first SIGINT or SIGTERM asks the task to stop; the next one interrupts it.

    A task that has not begun to ask (it is still reading, nothing could be saved) is interrupted the first time.

    Parameters
    ----------
    saves
        Whether the task keeps what is done, for the line that is said.

    Attributes
    ----------
    requested
        Whether the user asked to stop.
    """

    def __init__(self, *, saves: bool = True) -> None:
        self._then = "saving a checkpoint after this step" if saves else "nothing half-written will be left"
        self.requested = False
        self._listening = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self  # signals belong to the main thread
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def asked(self) -> bool:
        """Whether to stop; called by the task, which so shows that it listens."""
        self._listening = True
        return self.requested

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested or not self._listening:
            raise KeyboardInterrupt
        self.requested = True
        sys.stderr.write(f"\nstopping: {self._then} (Ctrl-C again ends at once)\n")


def command_to_go_on(arguments: Sequence[str]) -> str:
    """The very command line, with `--resume auto` in place of what it said about resuming."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "--resume":
            skip = True
        elif not argument.startswith("--resume="):
            kept.append(argument)
    return shlex.join(["c2lst", *kept, "--resume", "auto"])
