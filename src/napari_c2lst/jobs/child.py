"""A task in a child process: ``python -m napari_c2lst.jobs.child TASK``.

The first line of standard input is the settings as JSON; what follows is `napari_c2lst.jobs.protocol`.
"""

import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import IO, Any, TextIO

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult

from .protocol import EventWriter, run_and_tell
from .tasks import get_task, settle_process

ORPHAN_GRACE = 30.0  # seconds that a child has to save a checkpoint once its parent is gone


def main(arguments: list[str] | None = None) -> int:
    """Run the task named by the only argument; the exit code says how it ended."""
    names = sys.argv[1:] if arguments is None else arguments
    name = names[0] if names else ""
    settle_process(name)
    events = own_stdout()
    first_line = sys.stdin.readline()
    return serve(name, lambda reporter: _run(name, first_line, reporter), events, sys.stdin)


def _run(name: str, first_line: str, reporter: Reporter) -> TaskResult:
    task = get_task(name)
    try:
        values: Any = json.loads(first_line)
    except ValueError:
        raise InputError("the settings are not JSON", "write them as one line on standard input") from None
    if not isinstance(values, dict):
        raise InputError("the settings are not a JSON object", 'write them as {"name": value, ...}')
    return task.run(task.settings_class().resolve(**values), reporter)


def serve(name: str, work: Callable[[Reporter], TaskResult], events: IO[str], orders: TextIO) -> int:
    """Do the work while listening for orders; tell its events; give the exit code."""
    stop = threading.Event()
    _stop_on_signals(stop)
    threading.Thread(target=_listen_to_the_end, args=(orders, stop), daemon=True, name="c2lst-orders").start()
    return run_and_tell(work, EventWriter(events), stop.is_set, name, os.getpid())


def own_stdout() -> TextIO:
    """Keep standard output for events alone: what libraries print from now on goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "w", encoding="utf-8", buffering=1)


def listen(orders: TextIO, stop: threading.Event) -> bool:
    """Read orders until ``cancel``; a pipe that closes means that the parent is gone, which is what comes back."""
    for line in orders:
        if line.strip() == "cancel":
            stop.set()
    orphaned = _is_pipe(orders)
    if orphaned:
        stop.set()
    return orphaned


def _listen_to_the_end(orders: TextIO, stop: threading.Event) -> None:
    """Listen; an orphan that has not stopped by itself after a while ends at once, with its workers."""
    if listen(orders, stop):
        time.sleep(float(os.environ.get("C2LST_ORPHAN_SECONDS", ORPHAN_GRACE)))
        if os.name == "posix" and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(130)


def _is_pipe(stream: TextIO) -> bool:
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _stop_on_signals(stop: threading.Event) -> None:
    """SIGTERM (a cluster's time limit) and SIGINT ask politely once; the second time they abort."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handle)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Threads of libraries must not keep a finished task alive; the terminal event is out already.
    os._exit(code)
