"""What a worker does: the tasks of one slide, each in a child process of its own, so that its memory is given back.

`do_slide` may be run twice on a slide, at any time: what is finished is not done again, and what a dead worker left
behind is ended first.
"""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_c2lst.common.files import atomic_file
from napari_c2lst.jobs.process import TaskProcess
from napari_c2lst.jobs.protocol import Event, encode

from .state import Record, State, fingerprint, read_record, still_done, write_record
from .table import Entry, Step

STOP = "stop"
_LOOK = 0.5  # seconds between looks for the order to stop
_PATIENCE = 20.0  # seconds for the child of a dead worker to notice that it is alone


def do_slide(folder: str, entry: Entry) -> list[dict[str, Any]]:
    """Do all tasks of a slide; one that fails ends the slide.

    Parameters
    ----------
    folder
        The cohort's folder, the same for every worker.
    entry
        The slide.

    Returns
    -------
    list of dict
        A `Record` for every task that was begun.
    """
    records = []
    for step in entry.steps:
        record = _do_step(Path(folder), entry, step)
        records.append(asdict(record))
        if record.state != "finished":
            break
    return records


def _do_step(folder: Path, entry: Entry, step: Step) -> Record:
    _end_the_abandoned(folder, entry.name)
    asked = fingerprint(step.settings)
    known = read_record(folder, entry.name, step.task)
    if known is not None and still_done(known, asked):
        return known
    begin = time.monotonic()
    terminal, peak = _run(folder, entry.name, step)
    record = Record(
        name=entry.name,
        slide=str(entry.slide),
        task=step.task,
        state=_state(terminal),
        fingerprint=asked,
        message=str(terminal.fields.get("message", "")),
        hint=str(terminal.fields.get("hint", "")),
        seconds=time.monotonic() - begin,
        peak_mb=peak,
        result=dict(terminal.fields.get("result", {})),
    )
    write_record(folder, record)
    return record


def _run(folder: Path, name: str, step: Step) -> tuple[Event, float | None]:
    process = TaskProcess(step.task, step.settings)
    log = folder / "logs" / f"{name}.{step.task}.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    peak: float | None = None
    process.start()
    with (
        _known_child(folder, name, process.pid),
        _stopped_by(folder, process),
        log.open("a", encoding="utf-8") as lines,
    ):
        for event in process.events():
            lines.write(encode(event) + "\n")
            lines.flush()
            peak = _peak_mb(process.pid) or peak
    return event, peak


def _state(terminal: Event) -> State:
    return {"finished": "finished", "stopped": "stopped"}.get(terminal.kind, "failed")  # type: ignore[return-value]


@contextmanager
def _stopped_by(folder: Path, process: TaskProcess) -> Iterator[None]:
    """Watch for the order to stop, which is a file: workers on other machines see it too."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK):
            if (folder / STOP).exists():
                process.cancel()
                return

    thread = threading.Thread(target=watch, daemon=True, name="c2lst-cohort-stop")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _known_child(folder: Path, name: str, pid: int) -> Iterator[None]:
    """Leave word of the child, so that a worker that takes over from a dead one can end it."""
    file = _child_file(folder, name)
    with atomic_file(file) as temporary:
        temporary.write_text(json.dumps({"host": socket.gethostname(), "pid": pid}))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _child_file(folder: Path, name: str) -> Path:
    return folder / "slides" / f"{name}.child"


def _end_the_abandoned(folder: Path, name: str) -> None:
    """See to it that no child of a worker that died still works on the slide."""
    file = _child_file(folder, name)
    try:
        child = json.loads(file.read_text())
    except (OSError, ValueError):
        return
    if child["host"] == socket.gethostname():
        until = time.monotonic() + _PATIENCE
        while _is_task(child["pid"]) and time.monotonic() < until:
            time.sleep(0.1)
        if _is_task(child["pid"]):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child["pid"], signal.SIGKILL)
    file.unlink(missing_ok=True)


def _is_task(pid: int) -> bool:
    """Whether a process is alive and is a task of ours: a number may have been given to another process since."""
    try:
        return b"napari_c2lst" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _peak_mb(pid: int) -> float | None:
    """Peak resident memory of a process in MB; None when it is gone or the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return None
