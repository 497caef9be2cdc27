"""Suggestions that are stopped, dropped, overtaken or fail: exactly one end is told, or none when nobody waits."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QObject

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.plugin.selecting import recipes
from napari_c2lst.plugin.selecting.choice import How, Step
from napari_c2lst.plugin.selecting.suggestion import Suggestion


class Work:
    """What a suggestion does in its thread, under the test's command."""

    def __init__(self) -> None:
        self.goes_on = Event()
        self.error: Exception | None = None
        self.calls: list[tuple[How, int]] = []

    def __call__(self, _slide: Any, how: How, number: int, _low: Any, reporter: Any) -> Step:
        self.calls.append((how, number))
        reporter.progress(1, 4, "patches")
        assert self.goes_on.wait(20)
        if reporter.stop_requested():
            raise Stopped("stopped")
        if self.error is not None:
            raise self.error
        return Step(how, np.ones(number, dtype=bool), "suggest")


class Bench:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.work = Work()
        monkeypatch.setattr(recipes, "suggested", self.work)
        self.owner = QObject()
        self.suggestion = Suggestion(self.owner)
        self.told: list[tuple[Any, ...]] = []
        self.suggestion.made.connect(lambda step: self.told.append(("made", len(step.mask))))
        self.suggestion.failed.connect(lambda message, hint: self.told.append(("failed", message, hint)))
        self.suggestion.stopped.connect(lambda: self.told.append(("stopped",)))
        self.seen: list[tuple[int, int]] = []
        self.suggestion.progress.connect(lambda done, total: self.seen.append((done, total)))

    def start(self, number: int = 3) -> None:
        slide: Any = object()
        self.suggestion.start(slide, How.ADD, number, None)


@pytest.fixture
def bench(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_made_with_progress(bench: Bench, qtbot: Any) -> None:
    bench.start()
    qtbot.waitUntil(lambda: bench.seen == [(1, 4)], timeout=10_000)
    assert bench.suggestion.running
    bench.work.goes_on.set()
    qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    assert bench.told == [("made", 3)]
    assert not bench.suggestion.running


def test_stopped_is_no_failure(bench: Bench, qtbot: Any) -> None:
    bench.start()
    bench.suggestion.stop()
    bench.suggestion.stop()  # an impatient second click
    bench.work.goes_on.set()
    qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    assert bench.told == [("stopped",)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("there are 3 spots, 9 are asked for", "ask for fewer"), "there are 3 spots, 9 are asked for"),
        (MemoryError("too large"), "MemoryError: too large"),
    ],
)
def test_failures_are_one_sentence_with_a_next_action(bench: Bench, qtbot: Any, error: Exception, said: str) -> None:
    bench.work.error = error
    bench.start()
    bench.work.goes_on.set()
    qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    ((kind, message, hint),) = bench.told
    assert (kind, message) == ("failed", said)
    assert hint


def test_what_is_dropped_is_never_heard_of(bench: Bench, qtbot: Any) -> None:
    """Another slide was opened: its spots are not those that were looked at."""
    bench.start()
    qtbot.waitUntil(lambda: len(bench.work.calls) == 1, timeout=10_000)
    bench.suggestion.drop()
    assert not bench.suggestion.running
    bench.work.goes_on.set()
    qtbot.waitUntil(lambda: not bench.suggestion._work._workers, timeout=10_000)
    assert bench.told == []


def test_a_second_one_takes_the_place_of_the_first(bench: Bench, qtbot: Any) -> None:
    bench.start(3)
    bench.start(5)
    bench.work.goes_on.set()
    qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    qtbot.waitUntil(lambda: not bench.suggestion._work._workers, timeout=10_000)
    assert bench.told == [("made", 5)]


def test_stop_and_drop_with_nothing_under_way(bench: Bench) -> None:
    bench.suggestion.stop()
    bench.suggestion.drop()
    assert bench.told == []
