"""The panel of a step with real child processes: every end gives the right words and leaves a usable panel."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.shared import Shared, shared_of
from napari_c2lst.plugin.steps.adapt import AdaptPanel
from napari_c2lst.plugin.steps.evaluate import EvaluatePanel
from napari_c2lst.plugin.steps.predict import PredictPanel
from napari_c2lst.plugin.steps.sample import SamplePanel
from napari_c2lst.plugin.steps.step_panel import StepPanel
from napari_c2lst.plugin.steps.train import TrainPanel
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import spot_set_names

Acting = Callable[[str], None]
PANELS = (AdaptPanel, SamplePanel, TrainPanel, PredictPanel, EvaluatePanel)


def make_run(shared: Shared, name: str, task: str, result: dict[str, Any] | None, **settings: Any) -> Path:
    """A run folder as a task leaves it."""
    folder = shared.session.runs_folder / name
    (folder / "checkpoints" / "step_00000003").mkdir(parents=True)
    body = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
    (folder / "config.toml").write_text(f'kind = "{task}"\n[settings]\n{body}\n')
    if result is not None:
        (folder / "result.json").write_text(json.dumps(result))
    return folder


@pytest.fixture
def runs(shared_session: Shared) -> Shared:
    """A finished run of every step before."""
    make_run(shared_session, "local", "adapt", {"spots": 71, "genes": 250, "steps": 300})
    make_run(shared_session, "pairs", "sample", {"patches": 355})
    make_run(shared_session, "predictor", "train", {"arm": "real+synthetic"})
    return shared_session


def run_to_the_end(qtbot: Any, panel: StepPanel) -> None:
    panel.run()
    qtbot.waitUntil(lambda: panel.job is not None and not panel._active(), timeout=60_000)


def assert_usable(panel: StepPanel) -> None:
    assert panel.ui.run.isVisible()
    assert panel.ui.run.isEnabled()
    assert panel.form.isEnabled()
    assert not panel.ui.stop.isVisible()
    assert not panel.ui.progress.isVisible()


@pytest.mark.parametrize("cls", PANELS)
def test_success(qtbot: Any, panel_of: Any, runs: Shared, acting: Acting, cls: type[StepPanel]) -> None:
    acting("success")
    panel = panel_of(cls)
    done: list[str] = []
    panel.done.connect(done.append)
    run_to_the_end(qtbot, panel)
    assert panel.job.state == "finished"
    assert panel.ui.message.level == "success"
    assert panel.ui.message.hint.startswith("next: ")
    assert len(done) == 1
    assert panel.ui.view.curve.losses[-1] == pytest.approx(1 / 6)
    assert len(panel.ui.view.strip.pictures) == 2
    assert_usable(panel)


CASES = (
    ("bad_input", "no microns per pixel", "in the panel 'Open'", False),
    ("out_of_memory", "memory ran out", "choose the preset 'small'", True),
    ("too_large_for_device", "batch of 1", "choose the device 'cpu'", True),
    ("crash", "SIGABRT", "press Resume", True),
    ("silent", "exit code 7", "press Resume", True),
    ("bug", "ZeroDivisionError", "report it", True),
)


_OF_EACH = ("bad_input", "out_of_memory", "crash")
# every fault in the first panel, those of the issue in each
FAULTS = [(cls, *case) for cls in PANELS for case in CASES if cls is AdaptPanel or case[0] in _OF_EACH]


@pytest.mark.parametrize(("cls", "case", "said", "hint", "resumable"), FAULTS)
def test_faults(
    qtbot: Any, panel_of: Any, runs: Shared, acting: Acting, cls: Any, case: str, said: str, hint: str, resumable: bool
) -> None:
    acting(case)
    told: list[tuple[str, str, str]] = []
    runs.session.told.connect(lambda *values: told.append(values))
    panel = panel_of(cls)
    run_to_the_end(qtbot, panel)
    bar = panel.ui.message
    assert panel.job.state == "failed"
    assert bar.level == "error"
    assert said in bar.message
    assert hint in bar.hint
    assert "--" not in bar.message + bar.hint
    assert "Traceback" not in bar.message
    assert bar.details.isVisible()
    assert told == [("error", bar.message, bar.hint)]
    assert panel.ui.resume.isVisible() is resumable
    assert_usable(panel)


def test_kill_from_outside_and_resume(qtbot: Any, panel_of: Any, runs: Shared, acting: Acting) -> None:
    acting("patient")
    panel = panel_of(AdaptPanel)
    panel.form.set_values({"steps": 7})
    panel.run()
    qtbot.waitUntil(lambda: panel.job is not None and panel.job.state == "running", timeout=60_000)
    assert not panel.ui.run.isVisible()
    assert not panel.form.isEnabled()
    os.kill(panel.job.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not panel._active(), timeout=60_000)
    assert "SIGKILL" in panel.ui.message.message
    assert_usable(panel)
    before = panel.job
    acting("success")
    panel.ui.resume.click()
    qtbot.waitUntil(lambda: panel.job is not before and not panel._active(), timeout=60_000)
    assert panel.job.state == "finished"
    assert panel.job.settings["steps"] == 7
    assert panel.job.settings["out"] == before.settings["out"]
    assert panel.job.settings["resume"] == "auto"


def test_stop_saves_and_offers_to_resume(qtbot: Any, panel_of: Any, runs: Shared, acting: Acting) -> None:
    acting("patient")
    panel = panel_of(AdaptPanel)
    panel.run()
    qtbot.waitUntil(lambda: panel.job is not None and panel.job.state == "running", timeout=60_000)
    panel.ui.stop.click()
    qtbot.waitUntil(lambda: not panel._active(), timeout=60_000)
    assert panel.ui.message.level == "info"
    assert "stopped after step" in panel.ui.message.message
    assert panel.ui.message.hint == "press Resume to go on from there"
    assert panel.ui.resume.isVisible()
    assert_usable(panel)


def test_a_slow_stop_offers_to_end_it(qtbot: Any, panel_of: Any, runs: Shared, acting: Acting) -> None:
    acting("deaf")
    panel = panel_of(AdaptPanel)
    panel.run()
    qtbot.waitUntil(lambda: panel.job is not None and panel.job.state == "running", timeout=60_000)
    panel.ui.stop.click()
    qtbot.waitUntil(lambda: panel.ui.message.action.isVisible(), timeout=10_000)
    assert "lose what came after" in panel.ui.message.hint
    panel.ui.message.action.click()
    qtbot.waitUntil(lambda: not panel._active(), timeout=10_000)
    assert panel.job.state == "stopped"
    assert_usable(panel)


def test_nothing_starts_without_a_slide(qtbot: Any, panel_of: Any, viewer: ViewerModel) -> None:
    panel = panel_of(AdaptPanel)
    panel.ui.run.click()
    assert panel.job is None
    assert panel.ui.message.message == "no slide is open"
    assert "Open slide" in panel.ui.message.hint
    assert shared_of(viewer).jobs.jobs == []
    assert_usable(panel)
    panel.form.set_values({"steps": 5})
    assert not panel.ui.message.isVisible()  # it may be right by now


@pytest.mark.parametrize("cls", [AdaptPanel, TrainPanel, EvaluatePanel])
def test_an_image_alone_has_no_spots_to_select(panel_of: Any, viewer: ViewerModel, make_slide: Any, cls: Any) -> None:
    shared_of(viewer).session.open(make_slide(spots=None))
    panel = panel_of(cls)
    panel.ui.run.click()
    assert panel.ui.message.message == "'P12' is an image without measured spots"
    assert "open a slide with spots" in panel.ui.message.hint
    assert shared_of(viewer).jobs.jobs == []


@pytest.mark.parametrize(
    ("cls", "said"), [(SamplePanel, "'Local model' is missing"), (PredictPanel, "'Predictor' is missing")]
)
def test_what_an_earlier_step_makes_is_missing(panel_of: Any, shared_session: Shared, cls: Any, said: str) -> None:
    panel = panel_of(cls)
    panel.run()
    assert said in panel.ui.message.message
    assert shared_session.jobs.jobs == []


def test_the_set_is_stored_before_the_job_starts(
    qtbot: Any, panel_of: Any, shared_session: Shared, acting: Acting
) -> None:
    acting("success")
    store = shared_session.session.store
    assert "train" not in spot_set_names(open_slide(store))
    panel = panel_of(AdaptPanel)
    run_to_the_end(qtbot, panel)
    assert "train" in spot_set_names(open_slide(store))
    assert panel.job.settings["slide"] == store


def test_another_set_of_that_name_is_never_replaced(
    qtbot: Any, panel_of: Any, shared_session: Shared, acting: Acting
) -> None:
    acting("success")
    session = shared_session.session
    panel = panel_of(AdaptPanel)
    run_to_the_end(qtbot, panel)
    spots = session.sets["train"]
    mask = ~spots.mask
    session.sets["train"] = type(spots).of("train", session.slide.spots.ids, mask, {})
    panel.run()
    qtbot.waitUntil(lambda: panel.ui.message.level == "error", timeout=60_000)
    assert "other spots under 'train'" in panel.ui.message.message
    assert len(shared_session.jobs.jobs) == 1


def test_settings_come_from_the_session(panel_of: Any, runs: Shared) -> None:
    runs.session.opening = {"mpp": 0.7}
    panel = panel_of(TrainPanel)
    settings = panel.settings()
    folder = runs.session.runs_folder
    assert settings["slide"] == runs.session.store
    assert settings["mpp"] == 0.7
    assert settings["out"] == folder / "predictor_2"  # the name that is free
    assert settings["synthetic"] == folder / "pairs"
    assert panel.form.field("genes").native.isHidden()  # the pairs say which genes


def test_fields_that_do_not_matter_are_not_shown(panel_of: Any, runs: Shared) -> None:
    panel = panel_of(EvaluatePanel)
    assert panel.form.field("seeds").native.isHidden()
    panel.form.set_values({"rerun": True, "seeds": [0]})
    assert not panel.form.field("seeds").native.isHidden()
    assert panel.form.field("predictors").native.isHidden()
    assert panel.settings()["seeds"] == [0]


def test_a_run_of_yesterday_can_go_on(qtbot: Any, panel_of: Any, shared_session: Shared, acting: Acting) -> None:
    acting("success")
    slide = str(shared_session.session.store)
    folder = make_run(shared_session, "local", "adapt", None, slide=slide, spots="train", steps=77, preset="small")
    panel = panel_of(AdaptPanel)
    assert "run 'local' was stopped" in panel.ui.message.message
    panel.ui.resume.click()
    qtbot.waitUntil(lambda: panel.job is not None and not panel._active(), timeout=60_000)
    assert Path(panel.job.settings["out"]) == folder
    assert panel.job.settings["steps"] == 77


def test_log(qtbot: Any, panel_of: Any, runs: Shared, acting: Acting) -> None:
    acting("crash")
    panel = panel_of(AdaptPanel)
    assert panel.open_log() is None
    run_to_the_end(qtbot, panel)
    panel.ui.message.details.click()
    window = panel.open_log()
    assert "last words" in window.text.toPlainText()
    window.close()


@pytest.mark.parametrize("cls", PANELS)
def test_fits_a_narrow_dock(panel_of: Any, runs: Shared, cls: type[StepPanel]) -> None:
    panel = panel_of(cls)
    assert panel.minimumSizeHint().width() <= 380
    assert panel.ui.scroll.widget().minimumSizeHint().width() <= 360
    for button in (panel.ui.run, panel.ui.log):
        assert button.accessibleName()
        assert button.toolTip()
