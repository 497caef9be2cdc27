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
from napari_c2lst.jobs.tasks import TASKS, Task, get_task

EVERY = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())


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
