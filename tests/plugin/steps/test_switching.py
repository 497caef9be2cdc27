"""Panels while the user does things in another order: slides change, runs lie about, sets are not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.steps.adapt import AdaptPanel
from napari_c2lst.plugin.steps.sample import SamplePanel
from napari_c2lst.plugin.steps.step_panel import StepPanel
from napari_c2lst.plugin.steps.train import TrainPanel

ADAPTED = {"spots": 1, "genes": 250, "steps": 300}


@pytest.fixture
def panel_of(qtbot: Any, viewer: ViewerModel) -> Callable[..., Any]:
    def make(cls: type[StepPanel] = AdaptPanel) -> StepPanel:
        panel = cls(viewer)
        qtbot.addWidget(panel)
        return panel

    return make


def offers_resume(panel: StepPanel) -> bool:
    return not panel.ui.resume.isHidden()


def run_name(panel: StepPanel) -> str:
    return panel.form.field("out").native.text()


def test_another_slide_is_opened_while_a_job_runs(by_hand: Any, panel_of: Any) -> None:
    first = by_hand.open("A.zarr")
    panel = panel_of()
    panel.run()
    job = panel.job
    assert job.settings["slide"] == first.path
    second = by_hand.open("B.zarr")
    assert panel._active()
    by_hand.run_folder("local", "adapt")  # of the second slide
    by_hand.end(job, "stopped", message="stopped after step 3", hint="go on with the same command and --resume auto")
    assert (panel.ui.message.level, panel.ui.message.message) == ("info", "stopped after step 3")
    assert panel.ui.message.hint == f"it is of the slide '{first.path}': open that again to go on"
    # what is offered now is of the slide that is open
    settings = panel.settings()
    assert settings["slide"] == second.path
    assert settings["out"] == by_hand.folder / "B_c2lst" / "local_2"
    assert panel._resumable["out"] == by_hand.folder / "B_c2lst" / "local"


def test_a_stopped_run_is_found_again_with_its_slide(by_hand: Any, panel_of: Any) -> None:
    first = by_hand.open("A.zarr")
    folder = by_hand.run_folder("local", "adapt", slide=str(first.path), spots="train", steps=77)
    panel = panel_of()
    assert offers_resume(panel)
    by_hand.open("B.zarr")
    assert not offers_resume(panel)
    assert panel.ui.message.message == ""
    panel.resume()  # by the keyboard, say
    assert by_hand.jobs == []
    by_hand.open("A.zarr")
    assert offers_resume(panel)
    assert panel.ui.message.message == "run 'local' was stopped"
    panel.resume()
    assert by_hand.jobs[0].settings["out"] == folder
    assert by_hand.jobs[0].settings["steps"] == 77


def test_the_slide_is_closed_while_a_job_runs(by_hand: Any, panel_of: Any) -> None:
    by_hand.open()
    panel = panel_of()
    panel.run()
    by_hand.session.close()
    by_hand.end(panel.job, "finished", result={"run": "x/local", **ADAPTED})
    assert panel.ui.message.message == "local model 'local': 1 spots, 250 genes, 300 steps"
    assert "open that again" in panel.ui.message.hint
    panel.run()
    assert panel.ui.message.message == "no slide is open"
    assert len(by_hand.jobs) == 1


def test_what_was_said_of_a_slide_goes_with_it(by_hand: Any, panel_of: Any) -> None:
    by_hand.open("A.zarr")
    panel = panel_of()
    panel.run()
    by_hand.end(panel.job, "failed", message="no room", hint="make some", fault="input")
    assert panel.ui.message.level == "error"
    by_hand.session.sets_changed.emit()
    assert panel.ui.message.message == "no room"  # still the same slide
    by_hand.open("B.zarr")
    assert panel.ui.message.level == ""


@pytest.mark.parametrize("kind", ["failed", "stopped"])
def test_the_name_of_a_run_that_did_not_finish_is_taken(by_hand: Any, panel_of: Any, kind: str) -> None:
    """Otherwise 'use a smaller batch' would end in 'holds a run with other settings'."""
    by_hand.open()
    panel = panel_of()
    assert run_name(panel) == "local"
    panel.run()
    by_hand.run_folder("local", "adapt", slide=str(by_hand.session.slide.path))
    by_hand.end(panel.job, kind, message="memory ran out", hint="use a smaller batch", fault="failure")
    assert run_name(panel) == "local_2"
    assert offers_resume(panel)
    panel.form.set_values({"batch": 1})
    panel.run()
    assert panel.job.settings["out"].name == "local_2"
    assert panel.job.settings["batch"] == 1


def test_resume_goes_on_in_the_old_folder(by_hand: Any, panel_of: Any) -> None:
    by_hand.open()
    panel = panel_of()
    panel.form.set_values({"steps": 9})
    panel.run()
    folder = by_hand.run_folder("local", "adapt")
    by_hand.end(panel.job, "stopped", message="stopped")
    panel.form.set_values({"steps": 1000})
    panel.resume()
    assert panel.job.settings["out"] == folder
    assert (panel.job.settings["steps"], panel.job.settings["resume"]) == (9, "auto")
    assert panel.form.values()["steps"] == 9


def test_a_resume_that_is_refused_can_be_tried_again(by_hand: Any, panel_of: Any) -> None:
    slide = by_hand.open()
    by_hand.run_folder("local", "adapt", slide=str(slide.path), spots="train")
    panel = panel_of()
    by_hand.choose("train", "b", "c")  # others than are stored
    panel.resume()
    assert "other spots under 'train'" in panel.ui.message.message
    assert by_hand.jobs == []
    assert offers_resume(panel)
    assert panel.form.isEnabled()
    by_hand.choose("train", "a")
    panel.resume()
    assert [job.settings["resume"] for job in by_hand.jobs] == ["auto"]


def test_a_run_that_was_changed_by_hand_is_told(by_hand: Any, panel_of: Any) -> None:
    slide = by_hand.open()
    by_hand.run_folder("local", "adapt", slide=str(slide.path), spots="train", steps="many", batch=[1], ema=0.5)
    panel = panel_of()
    before = panel.form.values()
    panel.resume()
    bar = panel.ui.message
    assert bar.message.startswith("the run cannot go on: ")
    assert "'Steps' = 'many'" in bar.message
    assert "'Batch size' = [1]" in bar.message
    assert bar.hint == "start another one with Run"
    assert panel.form.values() == before
    assert by_hand.jobs == []


def test_settings_of_a_later_version_do_not_stop_the_form(by_hand: Any, panel_of: Any) -> None:
    slide = by_hand.open()
    by_hand.run_folder("local", "adapt", slide=str(slide.path), spots="train", a_new_setting=3)
    panel = panel_of()
    panel.resume()
    assert by_hand.jobs[0].settings["a_new_setting"] == 3  # the child says what it makes of it


def test_run_is_pressed_twice(by_hand: Any, panel_of: Any) -> None:
    by_hand.open()
    panel = panel_of()
    panel.run()
    panel.run()
    panel.resume()
    assert len(by_hand.jobs) == 1
    assert not panel.ui.run.isEnabled()
    assert not panel.form.isEnabled()


def test_nothing_can_be_stopped_that_does_not_run(by_hand: Any, panel_of: Any) -> None:
    panel = panel_of()
    panel.stop()
    panel.end_now()
    assert panel.open_log() is None
    by_hand.open()
    panel.run()
    by_hand.end(panel.job, "finished", result={})
    panel.stop()
    panel.end_now()
    assert panel.job.state == "finished"


def test_without_sets_the_panel_says_what_to_do_first(by_hand: Any, panel_of: Any) -> None:
    by_hand.open(stored=())
    panel = panel_of()
    assert panel.form.field("spots").native.currentText() == "select spots first"
    panel.run()
    bar = panel.ui.message
    assert (bar.level, bar.message, bar.hint) == ("error", "'Spots' is missing", "select spots first")
    assert by_hand.jobs == []
    by_hand.choose("train", "a", "b")
    assert panel.form.field("spots").native.currentText() == "train (2 spots)"
    assert bar.message == ""  # it is right by now


@pytest.mark.parametrize(("cls", "hint"), [(SamplePanel, "adapt a model first"), (TrainPanel, "select spots first")])
def test_each_step_names_the_one_before(by_hand: Any, panel_of: Any, cls: Any, hint: str) -> None:
    by_hand.open(stored=())
    panel = panel_of(cls)
    panel.run()
    assert panel.ui.message.hint == hint
    assert by_hand.told == [("error", panel.ui.message.message, hint)]


def test_the_set_that_was_chosen_is_deleted(by_hand: Any, panel_of: Any) -> None:
    by_hand.open(stored=("one", "two"))
    panel = panel_of()
    panel.form.set_values({"spots": "two"})
    del by_hand.session.sets["two"]
    by_hand.session.sets_changed.emit()
    assert panel.form.values()["spots"] == "one"


def test_a_run_that_would_not_be_found_again_is_not_begun(by_hand: Any, panel_of: Any) -> None:
    by_hand.open()
    panel = panel_of()
    for typed, said in (
        ("test 1/2", "a name has no / in it"),
        ("../up", "a name has no / in it"),
        (".hidden", "a name does not begin with a dot"),
    ):
        panel.form.field("out").native.setText(typed)
        panel.run()
        assert panel.ui.message.message == f"the run cannot be called '{typed}': {said}"
        assert panel.ui.message.hint == "choose another run name"
    panel.form.field("out").native.setText("  ")
    panel.run()
    assert panel.ui.message.message == "'Run name' is missing"
    assert by_hand.jobs == []
    panel.form.field("out").native.setText(str(by_hand.folder / "elsewhere" / "run"))
    panel.run()
    assert by_hand.jobs[0].settings["out"] == by_hand.folder / "elsewhere" / "run"


def test_pairs_of_another_slide_are_not_trained_with(by_hand: Any, panel_of: Any) -> None:
    by_hand.open("A.zarr")
    mine = by_hand.run_folder("pairs", "sample", {"patches": 3})
    panel = panel_of(TrainPanel)
    assert panel.settings()["synthetic"] == mine
    by_hand.open("B.zarr")
    assert "synthetic" not in panel.settings()
    theirs = by_hand.run_folder("mine", "sample", {"patches": 3})
    by_hand.session.results_changed.emit()
    assert panel.settings()["synthetic"] == theirs


def test_a_model_that_was_looked_for_is_not_lost_when_a_set_is_made(by_hand: Any, panel_of: Any) -> None:
    by_hand.open()
    by_hand.run_folder("local", "adapt", ADAPTED)
    panel = panel_of(SamplePanel)
    panel.form.field("local").set("/elsewhere/local")
    by_hand.choose("more", "b")
    by_hand.session.results_changed.emit()
    assert panel.settings()["local"] == Path("/elsewhere/local")
