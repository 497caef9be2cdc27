"""A job turns events into signals and keeps a log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.jobs.protocol import Event
from napari_c2lst.plugin.jobs.job import Job


@pytest.fixture
def job(qtbot: Any) -> Job:
    """A job that is not started; events are given to it by hand."""
    return Job("adapt", {"out": "runs/local"}, "Adapt")


def hear(job: Job, *names: str) -> list[tuple[Any, ...]]:
    heard: list[tuple[Any, ...]] = []
    for name in names:
        getattr(job, name).connect(lambda *values, name=name: heard.append((name, *values)))
    return heard


def test_events_become_signals(job: Job) -> None:
    heard = hear(job, "progress", "metrics", "message", "picture")
    for kind, fields in (
        ("started", {"task": "adapt"}),
        ("progress", {"done": 1, "total": 3, "what": "steps"}),
        ("metrics", {"step": 1, "values": {"loss": 0.5}}),
        ("message", {"text": "coarse", "level": "warning"}),
        ("picture", {"path": "a.png", "caption": "patches"}),
    ):
        job._on_event(Event(kind, fields))
    assert heard == [
        ("progress", 1, 3, "steps"),
        ("metrics", 1, {"loss": 0.5}),
        ("message", "coarse", "warning"),
        ("picture", "a.png", "patches"),
    ]
    assert job.state == "running"
    assert list(job.log) == ["warning: coarse"]


def test_events_without_their_fields_do_no_harm(job: Job) -> None:
    heard = hear(job, "progress", "metrics")
    job._on_event(Event("progress", {"done": "x", "total": 10**30}))
    job._on_event(Event("metrics", {"values": 3}))
    assert heard == [("progress", 0, 0, ""), ("metrics", 0, {})]


@pytest.mark.parametrize("kind", ["finished", "failed", "stopped"])
def test_the_end(job: Job, kind: str) -> None:
    heard = hear(job, "finished", "failed", "stopped", "ended")
    job._on_end(Event(kind, {"message": "so it was", "hint": "go on", "details": "line 1\nline 2", "lines": ["done"]}))
    assert [each[0] for each in heard] == [kind, "ended"]
    assert job.state == kind
    assert not job.active
    assert list(job.log) == (["done"] if kind == "finished" else ["so it was", "go on", "line 1", "line 2"])


def test_out_and_label(qtbot: Any, job: Job) -> None:
    assert (job.out, job.label) == (Path("runs/local"), "Adapt")
    other = Job("predict", {})
    assert (other.out, other.label) == (None, "predict")


def test_orders_after_the_end_do_nothing(job: Job) -> None:
    job._on_end(Event("failed", {"message": "m"}))
    heard = hear(job, "state_changed", "stop_is_slow")
    job.stop()
    job.kill()
    assert heard == []
    assert job.state == "failed"
