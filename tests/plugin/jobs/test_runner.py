"""Real child processes behind QProcess: whatever happens to one, exactly one last event comes."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from napari_c2lst.jobs.protocol import Event
from napari_c2lst.plugin.jobs.runner import JobRunner

ACTING = Path(__file__).with_name("acting_child.py")


class Watched:
    """A runner and everything that came out of it."""

    def __init__(self, case: str, **options: Any) -> None:
        command = options.pop("command", [sys.executable, str(ACTING), case, "adapt"])
        self.runner = JobRunner("adapt", {"steps": 3}, command=command)
        self.events: list[Event] = []
        self.lines: list[str] = []
        self.ends: list[Event] = []
        self.runner.told.connect(self.events.append)
        self.runner.line.connect(self.lines.append)
        self.runner.ended.connect(self.ends.append)

    def first(self, kind: str) -> Event | None:
        return next((event for event in self.events if event.kind == kind), None)


@pytest.fixture
def act(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ACTING_FOLDER", str(tmp_path))
    started: list[Watched] = []

    def start(case: str, **options: Any) -> Watched:
        watched = Watched(case, **options)
        started.append(watched)
        watched.runner.start()
        return watched

    yield start
    for watched in started:
        watched.runner.kill()
        watched.runner.wait(5000)


def to_the_end(qtbot: Any, watched: Watched) -> Event:
    qtbot.waitUntil(lambda: bool(watched.ends), timeout=60_000)
    qtbot.wait(50)  # a second last event would come by now
    assert len(watched.ends) == 1
    assert not watched.runner.running
    return watched.ends[0]


def test_success(qtbot: Any, act: Any) -> None:
    watched = act("success")
    last = to_the_end(qtbot, watched)
    assert last.kind == "finished"
    assert last["result"]["spots"] == 71
    assert [e["step"] for e in watched.events if e.kind == "metrics"] == [1, 2, 3, 4, 5, 6]
    assert "a library that prints" in watched.lines
    assert not any(event.terminal for event in watched.events)


@pytest.mark.parametrize(
    ("case", "fault", "said"),
    [
        ("bad_input", "input", "no microns per pixel"),
        ("out_of_memory", "failure", "memory ran out"),
        ("too_large_for_device", "failure", "with a batch of 1"),
        ("bug", "failure", "ZeroDivisionError"),
        ("crash", "crash", "SIGABRT"),
        ("silent", "crash", "exit code 7"),
    ],
)
def test_failures(qtbot: Any, act: Any, case: str, fault: str, said: str) -> None:
    last = to_the_end(qtbot, act(case))
    assert last.kind == "failed"
    assert last["fault"] == fault
    assert said in last["message"]


def test_last_words_of_a_crash_are_the_details(qtbot: Any, act: Any) -> None:
    assert "last words" in to_the_end(qtbot, act("crash"))["details"]


def test_garbage_on_standard_output_is_passed_over(qtbot: Any, act: Any) -> None:
    watched = act("garbage")
    assert to_the_end(qtbot, watched).kind == "finished"
    assert '"finished"' in watched.lines


def test_kill_from_outside(qtbot: Any, act: Any) -> None:
    watched = act("patient")
    qtbot.waitUntil(lambda: watched.first("progress") is not None, timeout=60_000)
    os.kill(watched.runner.pid, signal.SIGKILL)
    last = to_the_end(qtbot, watched)
    assert (last.kind, last["fault"]) == ("failed", "crash")
    assert "SIGKILL" in last["message"]
    assert "memory" in last["hint"]


def test_cancel_saves_and_stops(qtbot: Any, act: Any) -> None:
    watched = act("patient")
    qtbot.waitUntil(lambda: watched.first("progress") is not None, timeout=60_000)
    watched.runner.cancel()
    last = to_the_end(qtbot, watched)
    assert last.kind == "stopped"
    assert last["checkpoint"] == "x"


def test_kill_takes_the_workers_along(qtbot: Any, act: Any) -> None:
    watched = act("deaf")
    qtbot.waitUntil(lambda: watched.first("metrics") is not None, timeout=60_000)
    worker = psutil.Process(watched.first("metrics")["values"]["worker"])
    watched.runner.kill()
    last = to_the_end(qtbot, watched)
    assert last.kind == "stopped"
    assert "before it could save a checkpoint" in last["message"]
    assert_gone(worker)


def test_a_program_that_cannot_be_started(qtbot: Any, act: Any, tmp_path: Path) -> None:
    last = to_the_end(qtbot, act("", command=[str(tmp_path / "no_python"), "x"]))
    assert last.kind == "failed"
    assert "could not be started" in last["message"]
    assert "no_python" in last["hint"]


def assert_gone(process: psutil.Process) -> None:
    deadline = time.monotonic() + 20
    # where nothing collects orphans, they stay as zombies
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"{process} is still there"
        time.sleep(0.02)


@pytest.mark.parametrize("order", ["cancel", "kill"])
def test_what_is_to_end_before_it_began_never_begins(qtbot: Any, tmp_path: Path, order: str) -> None:
    """The window is closed, or Stop pressed, in the moment after Run."""
    trace = tmp_path / "it ran"
    runner = JobRunner("adapt", {}, command=[sys.executable, "-c", f"open({str(trace)!r}, 'w')"])
    ends: list[Event] = []
    runner.ended.connect(ends.append)
    getattr(runner, order)()
    runner.start()
    assert [end.kind for end in ends] == ["stopped"]
    assert not runner.running
    assert not trace.exists()
    assert "before it could save a checkpoint" in ends[0]["message"]
