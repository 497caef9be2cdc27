"""The log of a job: its end is seen first, new lines follow, and what is copied is all there is."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication

from napari_c2lst.jobs.protocol import Event
from napari_c2lst.plugin.jobs.job import Job
from napari_c2lst.plugin.parts.log_window import LogWindow


def say(job: Job, *lines: str) -> None:
    for line in lines:
        job._on_event(Event("message", {"text": line}))


@pytest.fixture
def job(qtbot: Any) -> Job:
    made = Job("adapt", {}, "Adapt")
    say(made, *(f"line {number}" for number in range(300)))
    return made


@pytest.fixture
def window(qtbot: Any, job: Job) -> LogWindow:
    made = LogWindow(job)
    qtbot.addWidget(made)
    made.show()
    return made


def is_at_end(window: LogWindow) -> bool:
    bar = window.text.verticalScrollBar()
    return bar.maximum() > 0 and bar.value() == bar.maximum()


def test_the_end_is_seen_first_and_new_lines_follow(window: LogWindow, job: Job, qtbot: Any) -> None:
    assert window.windowTitle() == "Log: Adapt"
    qtbot.waitUntil(lambda: is_at_end(window))
    say(job, *(f"more {number}" for number in range(50)))
    qtbot.waitUntil(lambda: window.text.toPlainText().endswith("more 49"))
    assert is_at_end(window)


def test_who_reads_further_up_is_left_there(window: LogWindow, job: Job, qtbot: Any) -> None:
    window.text.verticalScrollBar().setValue(10)
    say(job, "more")
    qtbot.waitUntil(lambda: window.text.toPlainText().endswith("more"))
    assert window.text.verticalScrollBar().value() == 10


def test_what_came_in_just_now_is_copied_too(window: LogWindow, job: Job) -> None:
    say(job, "the last word")
    window.copy()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text().splitlines()[-2:] == ["line 299", "the last word"]


def test_the_end_of_a_job_is_part_of_its_log(window: LogWindow, job: Job, qtbot: Any) -> None:
    job._on_end(Event("failed", {"message": "the disk is full", "hint": "free some space", "details": "a\nb"}))
    window.copy()
    assert window.text.toPlainText().splitlines()[-4:] == ["the disk is full", "free some space", "a", "b"]


def test_it_is_read_and_closed_by_keyboard(job: Job, qtbot: Any) -> None:
    window = LogWindow(job)
    window.show()
    assert window.text.isReadOnly()
    window.text.setFocus()
    qtbot.keyClick(window.text, Qt.Key.Key_X)
    assert window.text.toPlainText().endswith("line 299")
    with qtbot.waitSignal(window.destroyed):
        qtbot.keyClick(window, Qt.Key.Key_Escape)


def test_two_windows_show_the_same_job_and_close_apart(window: LogWindow, job: Job, qtbot: Any) -> None:
    other = LogWindow(job)
    with qtbot.waitSignal(other.destroyed):
        other.close()
    say(job, "still there")
    qtbot.waitUntil(lambda: window.text.toPlainText().endswith("still there"))


def test_markup_in_a_log_is_text(window: LogWindow, job: Job) -> None:
    say(job, "<b>5 < 6</b>")
    window.copy()
    assert window.text.toPlainText().endswith("<b>5 < 6</b>")


def test_long_lines_are_seen_from_their_beginning(job: Job, qtbot: Any) -> None:
    say(job, "long " * 200, "the end, which is long as well: " + "long " * 200)
    window = LogWindow(job)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: is_at_end(window))
    across = window.text.horizontalScrollBar()
    assert across.maximum() > 0
    assert across.value() == 0
    say(job, "and more " * 200)
    qtbot.waitUntil(lambda: "and more" in window.text.toPlainText())
    assert (across.value(), is_at_end(window)) == (0, True)
