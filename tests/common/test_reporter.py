import json
from pathlib import Path

from napari_c2lst.common.reporter import (
    GOING_ON,
    CallbackReporter,
    ForwardingReporter,
    OnceReporter,
    RecordingReporter,
    Reporter,
)


def test_the_base_reporter_is_silent_and_never_stops():
    reporter = Reporter()
    reporter.message("a")
    reporter.progress(1, 2)
    reporter.metrics(1, {"loss": 1.0})
    reporter.picture(Path("a.png"), "a")
    assert reporter.stop_requested() is False


def test_recording_keeps_every_event_in_order():
    reporter = RecordingReporter()
    reporter.message("hello", "warning")
    reporter.progress(1, 10, "steps")
    reporter.metrics(3, {"loss": 0.5})
    reporter.picture(Path("a.png"), "samples")
    assert [kind for kind, _ in reporter.events] == ["message", "progress", "metrics", "picture"]
    assert reporter.messages == ["hello"]
    assert reporter.of_kind("metrics") == [{"step": 3, "values": {"loss": 0.5}}]
    assert reporter.of_kind("picture") == [{"path": "a.png", "caption": "samples"}]


def test_recording_asks_to_stop_after_so_many_progress_events():
    reporter = RecordingReporter(stop_after=2)
    reporter.progress(1, 9)
    assert not reporter.stop_requested()
    reporter.progress(2, 9)
    assert reporter.stop_requested()


def test_forwarding_passes_everything_on():
    inner = RecordingReporter(stop_after=1)
    outer = ForwardingReporter(inner)
    outer.message("a")
    outer.metrics(1, {"x": 2.0})
    outer.picture(Path("p.png"), "c")
    assert not outer.stop_requested()
    outer.progress(1, 2, "w")
    assert outer.stop_requested()
    assert [kind for kind, _ in inner.events] == ["message", "metrics", "picture", "progress"]


def test_a_message_is_passed_on_once_and_everything_else_each_time():
    inner = RecordingReporter(stop_after=3)
    reporter = OnceReporter(inner)
    for _ in range(2):
        reporter.message("the slide has no microns", "warning")
        reporter.progress(1, 2)
    reporter.message("another")
    assert inner.messages == ["the slide has no microns", "another"]
    assert inner.of_kind("message")[0]["level"] == "warning"
    assert len(inner.of_kind("progress")) == 2
    assert not reporter.stop_requested()


def test_two_reporters_that_say_things_once_do_not_know_of_each_other():
    inner = RecordingReporter()
    for _ in range(2):
        OnceReporter(inner).message("hello")
    assert inner.messages == ["hello", "hello"]


def test_what_is_handed_on_does_not_change_afterwards():
    reporter = RecordingReporter()
    values = {"loss": 1.0}
    reporter.metrics(1, values)
    values["loss"] = 9.0
    assert reporter.of_kind("metrics") == [{"step": 1, "values": {"loss": 1.0}}]


def test_a_callback_hears_every_event_and_is_asked_whether_to_stop():
    heard: list[tuple[str, dict[str, object]]] = []
    answers = iter([False, True])
    reporter = CallbackReporter(lambda kind, fields: heard.append((kind, fields)), lambda: next(answers))
    reporter.progress(1, 2, "steps")
    assert heard == [("progress", {"done": 1, "total": 2, "what": "steps"})]
    assert [reporter.stop_requested(), reporter.stop_requested()] == [False, True]
    assert CallbackReporter(lambda *_: None).stop_requested() is False


def test_events_can_be_written_as_json():
    reporter = RecordingReporter()
    reporter.message("µm")
    reporter.progress(1, 2)
    reporter.metrics(1, {"loss": 0.5})
    reporter.picture(Path("a") / "b.png", "a picture")
    assert json.loads(json.dumps(reporter.events)) == [list(event) for event in reporter.events]


def test_stopping_before_anything_was_done():
    assert RecordingReporter(stop_after=0).stop_requested()
    assert not RecordingReporter().stop_requested()


def test_going_on_says_where_the_work_was_stopped():
    reporter = RecordingReporter()
    reporter.going_on("after step 3")
    assert reporter.messages == [GOING_ON + "after step 3"]
