"""What the panel of each step asks for, and what its buttons can do in each state of a job."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_c2lst.plugin.steps.adapt import AdaptPanel
from napari_c2lst.plugin.steps.evaluate import EvaluatePanel
from napari_c2lst.plugin.steps.predict import PredictPanel
from napari_c2lst.plugin.steps.sample import SamplePanel
from napari_c2lst.plugin.steps.step_panel import StepPanel
from napari_c2lst.plugin.steps.train import TrainPanel


def asks_for(panel: StepPanel, name: str) -> bool:
    return not panel.form.field(name).native.isHidden()


# Values of the form, what is asked for then, and what is not.
Case = tuple[dict[str, Any], set[str], set[str]]
CASES: dict[type[StepPanel], list[Case]] = {
    PredictPanel: [
        ({}, {"spots"}, {"stride_um", "rasters"}),
        ({"where": "grid"}, {"stride_um", "rasters"}, {"spots"}),
        ({"where": "both"}, {"stride_um", "rasters", "spots"}, set()),
    ],
    SamplePanel: [
        ({"interpolate": "none", "sampler": "unipc"}, set(), {"partners", "neighbours", "eta"}),
        ({"interpolate": "pairs", "sampler": "ddim"}, {"partners", "neighbours", "eta"}, set()),
    ],
    TrainPanel: [
        ({"steps": None}, {"central", "genes", "gene_list", "epochs"}, {"use", "mix"}),
        ({"synthetic": "p", "use": "both"}, {"use", "mix"}, {"central", "genes", "gene_list"}),
        ({"synthetic": "p", "use": "synthetic"}, {"use"}, {"mix"}),
        ({"network": "resnet50"}, {"weights", "allow_download"}, set()),
        ({"steps": 10}, set(), {"epochs", "count_as_ratio"}),
    ],
    EvaluatePanel: [
        ({"rerun": False}, {"predictors", "runs", "spots", "pairs"}, {"splits", "arms", "train"}),
        ({"rerun": True}, {"splits", "arms", "train"}, {"predictors", "runs", "spots", "pairs"}),
    ],
}


@pytest.mark.parametrize("cls", list(CASES))
def test_only_what_matters_is_asked_for(panel_of: Any, cls: type[StepPanel]) -> None:
    panel = panel_of(cls)
    for values, asked, not_asked in CASES[cls]:
        panel.form.set_values(values)
        assert {name for name in asked | not_asked if asks_for(panel, name)} == asked, values
    # how a slide is opened is said in the panel 'Open'
    hidden = ("slide", "image", "mpp", "image_name", "table", "coordinate_system", "image_scale", "square_um", "resume")
    assert not any(asks_for(panel, name) for name in hidden if name in panel.form.values())


def test_a_value_that_does_not_matter_any_more_is_not_handed_on(by_hand: Any, panel_of: Any) -> None:
    by_hand.open()
    by_hand.run_folder("predictor", "train", {})
    panel = panel_of(PredictPanel)
    panel.form.set_values({"where": "grid", "rasters": ["ERBB2"], "stride_um": 28.0})
    panel.form.set_values({"where": "spots"})
    panel.run()
    assert not {"rasters", "stride_um", "where"} & panel.job.settings.keys()


def test_the_buttons_follow_the_job(by_hand: Any, panel_of: Any) -> None:
    by_hand.open()
    panel = panel_of(AdaptPanel)
    ui = panel.ui

    def shown() -> set[str]:
        return {name for name in ("run", "stop", "resume", "progress", "time") if getattr(ui, name).isVisible()}

    assert shown() == {"run", "time"}
    assert not ui.log.isEnabled()
    ui.run.click()
    assert shown() == {"stop", "progress"}
    assert ui.log.isEnabled()
    assert not ui.fold.isChecked()  # the settings make room for what the job shows
    ui.stop.click()
    assert not ui.stop.isEnabled()  # once is enough
    assert ui.progress.text.text() == "Stopping: saving a checkpoint…"
    by_hand.end(panel.job, "stopped", message="stopped", hint="")
    assert shown() == {"run", "resume", "time"}
    assert ui.fold.isChecked()
    ui.resume.click()
    assert shown() == {"stop", "progress"}
    by_hand.end(panel.job, "finished", result={})
    assert shown() == {"run", "time"}


def test_settings_stay_folded_away_when_all_went_well(by_hand: Any, panel_of: Any) -> None:
    by_hand.open()
    panel = panel_of(AdaptPanel)
    panel.run()
    by_hand.end(panel.job, "finished", result={})
    assert panel.form.isHidden()
    panel.ui.fold.click()
    assert not panel.form.isHidden()
    assert panel.form.isEnabled()


def test_a_slow_stop_says_what_is_lost_and_ends_at_a_click(by_hand: Any, panel_of: Any) -> None:
    by_hand.open()
    panel = panel_of(AdaptPanel)
    panel.run()
    panel.stop()
    panel.job.stop_is_slow.emit()
    bar = panel.ui.message
    assert (bar.level, bar.action.text()) == ("warning", "&End now")
    assert "lose what came after the last checkpoint" in bar.hint
    by_hand.end(panel.job, "stopped", message="stopped after step 9", hint="")
    assert bar.action.isHidden()
    assert bar.message == "stopped after step 9"


def test_the_end_of_a_step_is_told_with_what_it_made(by_hand: Any, panel_of: Any) -> None:
    slide = by_hand.open()
    by_hand.run_folder("predictor", "train", {})
    made: list[str] = []
    adapt, predict = panel_of(AdaptPanel), panel_of(PredictPanel)
    for panel in (adapt, predict):
        panel.done.connect(made.append)
        panel.run()
    by_hand.end(adapt.job, "finished", result={})
    by_hand.end(predict.job, "finished", result={"other": 3})
    assert made == [str(by_hand.session.runs_folder / "local"), str(slide.path)]


def test_a_conversion_before_a_step_is_not_its_end(by_hand: Any, panel_of: Any) -> None:
    (by_hand.folder / "B4.tsv.gz").write_bytes(b"")
    by_hand.session.open(by_hand.make(name="B4", path=by_hand.folder / "B4.tsv.gz", is_zarr=False))
    by_hand.choose("train", "a")
    panel, made = panel_of(AdaptPanel), []
    panel.done.connect(made.append)
    panel.run()
    assert panel.job.task == "convert"
    by_hand.end(panel.job, "stopped", message="conversion stopped", hint="nothing was written; start it again")
    assert panel.ui.message.hint == "nothing was written: press Run to start again"
    assert not panel.ui.resume.isVisible()
    panel._launcher._thread.ask = lambda *_, **__: None  # the store is not read
    panel.run()
    by_hand.end(panel.job, "finished", result={"store": "x"})
    assert made == []
    assert panel._active()
    assert panel.ui.message.level == ""
    panel._launcher._refuse("the disk is full", "make some room")
    assert panel.ui.message.message == "the disk is full"
    assert panel.ui.run.isEnabled()


def test_run_by_the_keyboard(by_hand: Any, panel_of: Any, qtbot: Any) -> None:
    by_hand.open()
    panel = panel_of(AdaptPanel)
    assert panel.ui.run.shortcut().toString() == "Ctrl+Return"
    panel.ui.run.setFocus()
    qtbot.keyClick(panel.ui.run, Qt.Key.Key_Space)
    assert len(by_hand.jobs) == 1
