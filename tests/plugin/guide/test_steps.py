"""The steps themselves: their panels exist, their tasks are tasks, their words fit the dock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import napari_c2lst.plugin
from napari_c2lst.jobs.tasks import get_task
from napari_c2lst.plugin.guide.steps import STEPS, Step, panel_class, step_named, step_of_task

PLUGIN = Path(napari_c2lst.plugin.__file__).parent


@pytest.mark.parametrize("where", [where for step in STEPS for _, where in step.panels])
def test_each_panel_is_a_class_of_the_plugin_that_takes_a_viewer(where: str) -> None:
    module, _, name = where.partition(":")
    tree = ast.parse(PLUGIN.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
    (found,) = [each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == name]
    made = [each for each in found.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    assert all(each.args.args[1].arg == "viewer" for each in made)
    assert made or found.bases


@pytest.mark.parametrize("step", [step for step in STEPS if step.task], ids=lambda step: step.key)
def test_each_task_can_be_run_and_leads_back_to_its_step(step: Step) -> None:
    assert get_task(step.task).name == step.task
    assert step_of_task(step.task) is step


def test_names_are_short_and_each_is_there_once() -> None:
    assert len({step.key for step in STEPS}) == len({step.title for step in STEPS}) == len(STEPS)
    assert all(len(step.title) <= 7 for step in STEPS)  # five buttons in a row of a narrow dock
    titles = [title for step in STEPS for title, _ in step.panels if len(step.panels) > 1]
    assert len(set(titles)) == len(titles)
    assert [step.key for step in STEPS if step.optional] == ["cells"]


def test_a_panel_is_imported_by_its_name() -> None:
    assert panel_class("guide.steps:Step") is Step
    with pytest.raises(AttributeError):
        panel_class("guide.steps:Nothing")
    with pytest.raises(ModuleNotFoundError):
        panel_class("nowhere:Panel")


def test_what_is_no_step_is_none() -> None:
    assert step_of_task("") is None
    assert step_of_task("convert") is None
    with pytest.raises(StopIteration):
        step_named("nonsense")
