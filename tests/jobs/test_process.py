"""Real child processes: well, crashing, cancelled, killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.jobs.process import TaskProcess, describe_exit, exit_hint
from napari_c2lst.jobs.protocol import Event

CHILD = Path(__file__).with_name("fake_child.py")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups of POSIX")


def start(task: str, **settings: Any) -> TaskProcess:
    return TaskProcess(task, settings, command=[sys.executable, str(CHILD), task])


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def check_one_terminal(events: list[Event]) -> Event:
    assert [e.terminal for e in events].count(True) == 1
    assert events[-1].terminal
    return events[-1]


def test_a_task_that_ends_well() -> None:
    process = start("well", steps=50)
    events = list(process.events())
    last = check_one_terminal(events)
    assert events[0].kind == "started"
    assert events[0]["pid"] == process.pid
    assert last.kind == "finished"
    assert last["result"] == {"steps": 50, "score": None}  # NaN is not JSON
    assert "steps: 50" in last["lines"]
    assert [e["step"] for e in events if e.kind == "metrics"] == list(range(50))  # never dropped
    assert 1 <= sum(e.kind == "progress" for e in events) < 50  # throttled
    assert [e["done"] for e in events if e.kind == "progress"][-1] == 50  # the last one comes through
    assert not process.running
    assert not any("library" in str(e.fields) for e in events)


def test_events_can_be_asked_for_again_after_the_end() -> None:
    process = start("well")
    assert process.wait().kind == "finished"
    assert list(process.events()) == []
    assert process.wait().kind == "finished"


def test_settings_out_of_bounds_fail_before_work() -> None:
    last = start("well", steps=0, colour="red").wait()
    assert (last.kind, last["fault"]) == ("failed", "input")
    assert "steps = 0" in last["message"]
    assert "colour" in last["message"]


def test_unknown_task() -> None:
    last = start("nonsense").wait()
    assert (last.kind, last["fault"]) == ("failed", "input")
    assert "nonsense" in last["message"]
    assert "adapt" in last["hint"]


def test_bad_input_keeps_message_and_hint() -> None:
    last = start("bad_input").wait()
    assert last["message"] == "slide 'P12' has no microns per pixel"
    assert last["hint"] == "pass --mpp"
    assert last["fault"] == "input"


def test_runtime_error_that_means_out_of_memory() -> None:
    last = start("out_of_memory").wait()
    assert (last.kind, last["fault"]) == ("failed", "failure")
    assert "memory ran out" in last["message"]
    assert "smaller batch" in last["hint"]
    assert "RuntimeError" in last["details"]


def test_a_bug_is_named_with_its_traceback() -> None:
    last = start("bug").wait()
    assert last["message"] == "ZeroDivisionError: division by zero"
    assert "Traceback" in last["details"]


def test_a_crash_below_python() -> None:
    events = list(start("segfault").events())
    last = check_one_terminal(events)
    assert (last.kind, last["fault"]) == ("failed", "crash")
    assert "signal 6 (SIGABRT)" in last["message"]
    assert "last words" in last["details"]


def test_an_exit_without_a_word() -> None:
    last = start("silent_exit").wait()
    assert last["fault"] == "crash"
    assert "exit code 7" in last["message"]


def test_killed_from_outside() -> None:
    process = start("patient")
    events: list[Event] = []
    for event in process.events():
        events.append(event)
        if event.kind == "message":
            os.kill(process.pid, signal.SIGKILL)
    last = check_one_terminal(events)
    assert (last.kind, last["fault"]) == ("failed", "crash")
    assert "signal 9 (SIGKILL)" in last["message"]
    assert "memory" in last["hint"]
    assert not process.running


def test_killed_from_outside_while_a_worker_holds_the_pipe() -> None:
    process = start("deaf")
    worker = 0
    began = time.monotonic()
    for event in process.events():
        if event.kind == "metrics":
            worker = int(event["values"]["worker"])
            os.kill(process.pid, signal.SIGKILL)
        last = event
    assert last.kind == "failed"
    assert time.monotonic() - began < 30  # did not wait for the worker's sixty seconds
    os.kill(worker, signal.SIGKILL)


def test_cancel_saves_a_checkpoint_first(tmp_path: Path) -> None:
    process = start("patient", folder=str(tmp_path))
    events: list[Event] = []
    for event in process.events():
        events.append(event)
        if event.kind == "message":
            process.cancel()
    last = check_one_terminal(events)
    assert last.kind == "stopped"
    assert last["checkpoint"] == str(tmp_path)
    assert (tmp_path / "checkpoint").read_text() == "saved"


def test_sigterm_is_a_polite_stop(tmp_path: Path) -> None:
    process = start("patient", folder=str(tmp_path))
    for event in process.events():
        if event.kind == "message":
            os.kill(process.pid, signal.SIGTERM)
        last = event
    assert last.kind == "stopped"
    assert (tmp_path / "checkpoint").exists()


def test_kill_takes_the_workers_along() -> None:
    process = start("deaf")
    worker = 0
    for event in process.events():
        if event.kind == "metrics":
            worker = int(event["values"]["worker"])
            process.kill()
        last = event
    assert last.kind == "stopped"
    assert "before it could save" in last["message"]
    deadline = time.monotonic() + 5
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)


def test_a_parent_that_goes_away_stops_the_child(tmp_path: Path) -> None:
    process = start("patient", folder=str(tmp_path))
    process.start()
    assert process._process is not None
    assert process._process.stdin is not None
    process._process.stdin.close()
    assert process.wait().kind == "stopped"
    assert (tmp_path / "checkpoint").exists()


def test_a_thread_left_behind_does_not_keep_the_child() -> None:
    began = time.monotonic()
    process = start("lingers")
    assert process.wait().kind == "finished"
    assert time.monotonic() - began < 30
    assert not process.running


def test_cancel_from_another_thread() -> None:
    process = start("patient")
    process.start()
    threading.Timer(0.3, process.cancel).start()
    assert process.wait().kind == "stopped"


def test_before_the_start() -> None:
    process = start("well")
    assert process.pid == 0
    assert not process.running
    process.cancel()  # harmless
    process.kill()
    assert not process.running


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "killed by signal 9 (SIGKILL)"),
        (-11, "SIGSEGV"),
        (3, "exit code 3"),
        (None, "did not end"),
        (-999, "signal 999"),
    ],
)
def test_exits_in_words(code: int | None, words: str) -> None:
    assert words in describe_exit(code)
    assert ("memory" in exit_hint(code)) == (code == -9)
