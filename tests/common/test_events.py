import json
from pathlib import Path

import pytest

from napari_c2lst.common.events import EventsReporter
from napari_c2lst.common.reporter import RecordingReporter


@pytest.fixture
def inner() -> RecordingReporter:
    return RecordingReporter(stop_after=1)


@pytest.fixture
def reporter(inner: RecordingReporter, tmp_path: Path) -> EventsReporter:
    return EventsReporter(inner, tmp_path / "events.jsonl")


def lines(reporter: EventsReporter) -> list[dict[str, object]]:
    return [json.loads(line) for line in reporter._file.read_text().splitlines()]


def test_every_kind_of_event_is_written_and_passed_on(reporter: EventsReporter, inner: RecordingReporter) -> None:
    reporter.message("slow disk", "warning")
    reporter.metrics(3, {"loss": 0.25})
    reporter.picture(Path("previews/step.png"), "patches")
    reporter.progress(1, 10, "steps")
    written = [{k: v for k, v in line.items() if k != "time"} for line in lines(reporter)]
    assert written == [
        {"event": "message", "text": "slow disk", "level": "warning"},
        {"event": "metrics", "step": 3, "values": {"loss": 0.25}},
        {"event": "picture", "path": "previews/step.png", "caption": "patches"},
        {"event": "progress", "done": 1, "total": 10, "what": "steps"},
    ]
    assert [kind for kind, _ in inner.events] == ["message", "metrics", "picture", "progress"]


def test_progress_is_written_now_and_then_and_at_the_end(
    reporter: EventsReporter, inner: RecordingReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([10.0, 10.1, 10.9, 11.0, 11.2])
    monkeypatch.setattr("napari_c2lst.common.events.time.monotonic", lambda: next(clock))
    for done in range(1, 6):
        reporter.progress(done, 5)
    assert [line["done"] for line in lines(reporter)] == [1, 4, 5]
    assert len(inner.events) == 5


def test_lines_are_added_to_those_of_the_run_that_stopped(reporter: EventsReporter) -> None:
    reporter.message("first")
    EventsReporter(RecordingReporter(), reporter._file).message("going on")
    assert [line["text"] for line in lines(reporter)] == ["first", "going on"]


def test_a_line_break_in_a_message_stays_one_line(reporter: EventsReporter) -> None:
    reporter.message("one\ntwo")
    assert len(lines(reporter)) == 1


def test_whether_to_stop_is_asked_of_the_inner_one(reporter: EventsReporter) -> None:
    assert not reporter.stop_requested()
    reporter.progress(1, 2)
    assert reporter.stop_requested()
