"""The progress line through the life of a job: begun, counted, resumed, ended halfway."""

from __future__ import annotations

from typing import Any

import pytest

from napari_c2lst.plugin.parts.progress import ProgressLine, progress_text


@pytest.fixture
def line(qtbot: Any) -> ProgressLine:
    made = ProgressLine()
    qtbot.addWidget(made)
    return made


def test_a_job_that_fails_before_it_counts_is_not_busy_any_more(line: ProgressLine) -> None:
    line.begin("Starting…")
    line.end(full=False)
    assert line.bar.maximum() == 1
    assert line.bar.value() <= 0
    assert line.text.text() == "Starting…"


def test_the_last_count_of_a_job_that_was_stopped_stays(line: ProgressLine) -> None:
    line.begin()
    line.feed(40, 100, "steps")
    line.end(full=False)  # before it was drawn
    assert (line.bar.value(), line.bar.maximum()) == (40, 100)
    assert line.text.text() == "40 of 100 steps"


def test_a_finished_job_is_full_and_says_no_time(line: ProgressLine) -> None:
    line.feed(99, 100, "steps")
    line.end(full=True)
    assert (line.bar.value(), line.bar.maximum(), line.text.text()) == (100, 100, "")


def test_the_next_job_shows_nothing_of_the_one_before(line: ProgressLine) -> None:
    line.feed(40, 100, "steps")
    line.begin("Starting…")
    line._show.flush()
    assert (line.bar.maximum(), line.text.text()) == (0, "Starting…")


def test_words_between_two_counts(line: ProgressLine) -> None:
    line.feed(1, 4, "tiles")
    line._show.flush()
    line.say("Stopping…")
    assert line.text.text() == "Stopping…"
    assert line.bar.value() == 1


@pytest.mark.parametrize(("done", "total", "bar"), [(7, 0, (0, 0)), (12, 10, (10, 10)), (0, 10, (0, 10))])
def test_counts_that_are_odd(line: ProgressLine, done: int, total: int, bar: tuple[int, int]) -> None:
    """A total that is not known yet keeps the bar busy; more than all is all."""
    line.feed(done, total, "tiles")
    line._show.flush()
    assert (max(line.bar.value(), 0), line.bar.maximum()) == bar


@pytest.mark.parametrize(
    ("left", "said"), [(20.0, "about 20 s left"), (7200.0, "about 2"), (0.0, "3 of 9"), (None, "3 of 9")]
)
def test_time_left_is_said_roughly(left: float | None, said: str) -> None:
    assert said in progress_text(3, 9, "steps", left)


def test_a_count_without_a_name() -> None:
    assert progress_text(3, 9, "", None) == "3 of 9"
    assert progress_text(3, 0, "", 5.0) == "3"
