from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import napari_c2lst
from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.common.settings import TaskSettings
from napari_c2lst.jobs import api
from napari_c2lst.jobs.tasks import TASKS, Task, get_task, settle_process

EVERY = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())


@pytest.mark.parametrize(("name", "little"), [("cells", True), ("adapt", False), ("none of ours", False), ("", False)])
def test_memory_is_settled_for_the_task(name: str, little: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    monkeypatch.setattr("napari_c2lst.jobs.tasks.settle_memory", lambda *, little: told.append(little))
    settle_process(name)
    assert told == [little]


@EVERY
def test_settings_belong_to_their_task(task: Task) -> None:
    cls = task.settings_class()
    assert issubclass(cls, TaskSettings)
    assert cls.task == task.name


@EVERY
def test_every_setting_explains_itself(task: Task) -> None:
    for field in task.settings_class().fields_info():
        assert len(field.help) > 8, f"{task.name}.{field.name} says nothing"
        assert not field.help.endswith(".")


@EVERY
def test_work_takes_settings_and_reporter(task: Task) -> None:
    module, _, name = task.work.partition(":")
    function = getattr(__import__(f"napari_c2lst.{module}", fromlist=[name]), name)
    assert list(inspect.signature(function).parameters) == ["settings", "reporter"]


@EVERY
def test_an_example_runs_that_very_command(task: Task) -> None:
    assert task.example.startswith(f"c2lst {task.name} ")
    assert task.summary.endswith(".")


@EVERY
def test_every_task_is_in_the_python_api(task: Task) -> None:
    assert task.function in napari_c2lst.__all__
    assert getattr(napari_c2lst, task.function) is getattr(api, task.function)


def test_settings_classes_need_no_torch() -> None:
    code = (
        "import sys, json\n"
        "from napari_c2lst.jobs.tasks import TASKS\n"
        "for t in TASKS.values(): t.settings_class()\n"
        "heavy = {'torch', 'diffusers', 'spatialdata', 'napari', 'qtpy', 'transformers'}\n"
        "print(json.dumps(sorted(heavy & sys.modules.keys())))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_unknown_task() -> None:
    with pytest.raises(InputError, match="there is no task 'adpt'") as caught:
        get_task("adpt")
    assert "adapt" in caught.value.hint


def test_tasks_have_names_of_their_own_and_a_known_part_of_the_way() -> None:
    assert all(name == task.name for name, task in TASKS.items())
    assert len({task.function for task in TASKS.values()}) == len(TASKS)
    assert {task.group for task in TASKS.values()} == {"slide", "model", "genes", "cells"}


def test_names_become_functions() -> None:
    assert TASKS["train-cells"].function == "train_cells"
    assert TASKS["cells"].function == "find_cells"  # the name is that of a room
    assert all(task.function.isidentifier() for task in TASKS.values())


def test_work_gets_the_settings_and_the_reporter(tmp_path: Path) -> None:
    reporter = RecordingReporter()
    task = TASKS["info"]
    with pytest.raises(InputError, match=r"nowhere\.zarr"):
        task.run(task.settings_class().resolve(slide=tmp_path / "nowhere.zarr"), reporter)


@pytest.mark.parametrize("name", ["", "INFO", "info ", "slides", "find_cells", "train_cells"])
def test_only_a_task_by_its_very_name_is_one(name: str) -> None:
    with pytest.raises(InputError, match="there is no task") as caught:
        get_task(name)
    assert "train-cells" in caught.value.hint


def test_examples_name_each_setting_as_the_command_line_does() -> None:
    for task in TASKS.values():
        known = {f"--{field.name.replace('_', '-')}" for field in task.settings_class().fields_info()}
        asked = {word for word in task.example.split() if word.startswith("--")}
        assert asked <= known, f"{task.name}: {sorted(asked - known)}"


def test_what_runs_long_can_be_resumed_and_says_where_it_writes() -> None:
    for name in ("pretrain", "adapt", "sample", "train", "train-cells", "evaluate"):
        assert {"out", "resume"} <= {field.name for field in TASKS[name].settings_class().fields_info()}, name


def test_work_that_is_not_there_is_found_by_this_test_and_not_by_a_user() -> None:
    lost = Task("x", "slides.settings:InfoSettings", "slides.informing:gone", "", "", "slide")
    with pytest.raises(AttributeError, match="gone"):
        lost.run(lost.settings_class().resolve(slide="a"), RecordingReporter())
