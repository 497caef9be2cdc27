from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_c2lst.common.errors import C2LError, InputError, Stopped
from napari_c2lst.common.reporter import CallbackReporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.jobs.protocol import KINDS, TERMINAL, Event, EventWriter, decode, encode, run_and_tell, unexpected


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines_of(stream: io.StringIO) -> list[Event]:
    events = [decode(line) for line in stream.getvalue().splitlines()]
    assert all(event is not None for event in events)
    return [event for event in events if event is not None]


def test_an_event_survives_the_way() -> None:
    event = Event("metrics", {"step": 3, "values": {"loss": 0.5}, "path": Path("a/b")}, 12.5)
    assert decode(encode(event)) == Event("metrics", {"step": 3, "values": {"loss": 0.5}, "path": "a/b"}, 12.5)


def test_values_json_lacks_become_null() -> None:
    line = encode(Event("metrics", {"values": {"a": math.nan, "b": [math.inf, 1.0]}}))
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    event = decode(line)
    assert event is not None
    assert event["values"] == {"a": None, "b": [None, 1.0]}


def test_line_breaks_stay_inside_a_line() -> None:
    assert "\n" not in encode(Event("message", {"text": "two\nlines"}))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[" * 100_000,
        '{"event": ["finished"]}',
        "loading weights...",
        "[1, 2]",
        '{"event": "party"}',
        '{"loss": 1}',
        '{"event":',
    ],
)
def test_other_lines_are_no_events(line: str) -> None:
    assert decode(line) is None


def test_kinds() -> None:
    assert TERMINAL < KINDS
    assert all(Event(kind).terminal == (kind in TERMINAL) for kind in KINDS)


def test_progress_at_most_ten_a_second_and_metrics_always() -> None:
    stream, clock = io.StringIO(), Clock()
    writer = EventWriter(stream, clock)
    for step in range(1000):  # one second
        clock.now = step / 1000
        writer.write("progress", {"done": step, "total": 1000})
        writer.write("metrics", {"step": step})
    writer.write("finished", {})
    events = lines_of(stream)
    progress = [e["done"] for e in events if e.kind == "progress"]
    assert 9 <= len(progress) <= 11
    assert progress[0] == 0
    assert progress[-1] == 999  # what was held back comes before the end
    assert sum(e.kind == "metrics" for e in events) == 1000
    assert events[-1].kind == "finished"


def test_nothing_after_the_terminal_event() -> None:
    stream = io.StringIO()
    writer = EventWriter(stream)
    for kind in ("finished", "failed", "message", "progress"):
        writer.write(kind, {})
    assert [e.kind for e in lines_of(stream)] == ["finished"]


def test_a_listener_that_is_gone_is_no_error() -> None:
    stream = io.StringIO()
    writer = EventWriter(stream)
    stream.close()
    writer.write("message", {"text": "nobody hears"})
    writer.write("finished", {})


def ends_with(work: Callable[[CallbackReporter], TaskResult]) -> tuple[int, list[Event]]:
    stream = io.StringIO()
    code = run_and_tell(work, EventWriter(stream), lambda: False, "adapt", 42)
    events = lines_of(stream)
    assert [e.terminal for e in events].count(True) == 1
    assert events[0].kind == "started"
    assert events[0]["task"] == "adapt"
    assert events[-1].terminal
    return code, events


def raising(error: BaseException) -> Callable[[CallbackReporter], TaskResult]:
    def work(reporter: CallbackReporter) -> TaskResult:
        reporter.message("begin")
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (InputError("no", "do"), 2, "failed"),
        (C2LError("no", "do"), 1, "failed"),
        (Stopped("no", "do", Path("run")), 130, "stopped"),
        (KeyboardInterrupt(), 130, "stopped"),
        (RuntimeError("boom"), 1, "failed"),
        (SystemExit(3), 1, "failed"),
        (MemoryError(), 1, "failed"),
    ],
)
def test_every_end_has_one_event_and_a_code(error: BaseException, code: int, kind: str) -> None:
    given, events = ends_with(raising(error))
    assert given == code
    assert events[-1].kind == kind
    assert events[-1]["message"]


def test_a_result_travels_as_json() -> None:
    class Result(TaskResult):
        folder: Path

    code, events = ends_with(lambda reporter: Result(folder=Path("runs/a")))
    assert code == 0
    assert events[-1]["result"] == {"folder": "runs/a"}
    assert events[-1]["lines"] == ["folder: runs/a"]


def test_stop_requests_reach_the_work() -> None:
    seen: list[bool] = []

    def work(reporter: CallbackReporter) -> TaskResult:
        seen.append(reporter.stop_requested())
        return TaskResult()

    run_and_tell(work, EventWriter(io.StringIO()), lambda: True, "adapt", 1)
    assert seen == [True]


def test_unforeseen_errors_in_words() -> None:
    said = unexpected(ValueError("a\nmessage  over lines"))
    assert said["message"] == "ValueError: a message over lines"
    assert "C2LST_DEBUG" in said["hint"]
    assert unexpected(KeyError())["message"] == "KeyError: no message"
    assert "memory ran out" in unexpected(MemoryError())["message"]


class HalfDone(TaskResult):
    @property
    def exit_code(self) -> int:
        return 1


def test_a_finished_task_has_the_exit_code_of_its_result() -> None:
    code, events = ends_with(lambda reporter: HalfDone())
    assert events[-1].kind == "finished"
    assert code == 1


@pytest.mark.parametrize("text", ["Schnitt ä, 0.5 µm", "组织", "half a pair: \ud800"])
def test_any_letters_pass_a_channel_that_knows_only_ascii(text: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    writer = EventWriter(stream)
    writer.write("message", {"text": text, "level": "info"})
    writer.write("finished", {"result": {}, "lines": [text]})
    first, last = map(json.loads, raw.getvalue().decode("ascii").splitlines())
    assert (first["text"], last["lines"]) == (text, [text])


def test_progress_that_was_held_back_comes_before_the_end() -> None:
    stream = io.StringIO()
    writer = EventWriter(stream, clock=lambda: 5.0)
    for done in (1, 2, 3):
        writer.write("progress", {"done": done, "total": 3, "what": "steps"})
    writer.write("finished", {"result": {}, "lines": []})
    assert [(e["event"], e.get("done")) for e in map(json.loads, stream.getvalue().splitlines())] == [
        ("progress", 1),
        ("progress", 3),
        ("finished", None),
    ]
