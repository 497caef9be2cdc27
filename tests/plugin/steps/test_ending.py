"""What is said when a job has ended: every end has a next action, and nothing is for the command line."""

from __future__ import annotations

from typing import Any

import pytest

from napari_c2lst.plugin.steps.ending import Ending, ending

TASKS = ("adapt", "sample", "train", "predict", "cells", "evaluate", "convert")


@pytest.mark.parametrize("task", [task for task in TASKS if task != "convert"])
def test_every_step_names_the_next_one(task: str) -> None:
    said = ending(task, "finished", {})
    assert (said.level, said.resumable) == ("success", False)
    assert said.hint.startswith("next: ")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("state", ["failed", "stopped"])
def test_an_end_without_words_is_said_and_has_a_next_action(task: str, state: str) -> None:
    said = ending(task, state, {"fault": "crash"})
    assert f"'{task}'" in said.message
    assert said.hint


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (
            {"run": "/long/runs/local", "spots": 71, "genes": 250, "steps": 300},
            "local model 'local': 71 spots, 250 genes, 300 steps",
        ),
        ({"run": "/long/runs/local"}, "its own words"),
        ("no mapping", "its own words"),
        (None, "its own words"),
    ],
)
def test_a_result_that_lacks_something_is_told_in_the_task_s_own_words(result: Any, message: str) -> None:
    last = {"result": result, "lines": ["written to /long/path", "its own words", "next: c2lst sample"]}
    assert ending("adapt", "finished", last).message == message


def test_only_paths_to_tell() -> None:
    assert ending("train", "finished", {"lines": ["written: x", "next: c2lst predict"]}).message == "finished"


@pytest.mark.parametrize(
    ("fault", "resumable"), [("input", False), ("failure", True), ("crash", True), ("", True), (None, True)]
)
def test_what_has_to_be_changed_first_is_not_resumed(fault: str | None, resumable: bool) -> None:
    assert ending("train", "failed", {"message": "m", "fault": fault}).resumable is resumable


def test_a_stop_in_the_words_of_a_window() -> None:
    last = {"message": "stopped after step 3 of 9", "hint": "go on with the same command and --resume auto (in 'x')"}
    expected = Ending("info", "stopped after step 3 of 9", "press Resume to go on from there", True)
    assert ending("adapt", "stopped", last) == expected


@pytest.mark.parametrize(
    ("state", "last", "level", "hint"),
    [
        ("stopped", {"hint": "nothing was written; start it again"}, "info", "press Run to start again"),
        ("failed", {"fault": "crash", "hint": "go on with --resume auto"}, "error", "press Run to start again"),
        ("failed", {"fault": "input", "hint": "make some room"}, "error", "make some room"),
        ("failed", {"fault": "failure", "hint": ""}, "error", "open Details"),
    ],
)
def test_a_conversion_is_whole_or_not_at_all(state: str, last: dict[str, Any], level: str, hint: str) -> None:
    said = ending("convert", state, {"message": "m", **last})
    assert (said.level, said.resumable) == (level, False)
    assert said.hint.endswith(hint)
    assert "Resume" not in said.hint
