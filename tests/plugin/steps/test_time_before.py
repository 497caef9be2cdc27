"""What a step's panel says of time before it is started."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_c2lst.common.environment import this_machine
from napari_c2lst.jobs.pace import Pace, note_time
from napari_c2lst.jobs.tasks import get_task
from napari_c2lst.plugin.forms.form import SettingsForm
from napari_c2lst.plugin.shared import Shared
from napari_c2lst.plugin.steps.adapt import AdaptPanel
from napari_c2lst.plugin.steps.time_before import UNKNOWN, TimeBefore

BEGUN = 1_700_000_000.0


def session_of(folder: Path | None) -> Any:
    """What is asked of a session: where runs are, the slide, its sets."""
    slide = SimpleNamespace(spots=range(283))
    return SimpleNamespace(runs_folder=folder, slide=slide, sets={"train": SimpleNamespace(mask=np.ones(71, bool))})


def adapted(folder: Path, name: str = "local", *, seconds: int = 100) -> None:
    """A run of ten steps, `seconds` long, with the small preset."""
    run = folder / name
    run.mkdir(parents=True)
    settings = get_task("adapt").settings_class().resolve(slide="s", out="o", preset="small", steps=10, device="cpu")
    values = settings.model_dump(mode="json", exclude_none=True)
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
    (run / "config.toml").write_text(f'kind = "adapt"\n[settings]\n{lines}\n')
    (run / "environment.json").write_text(json.dumps(this_machine()))
    events = [
        {"time": BEGUN + i * seconds / 10, "event": "progress", "done": i, "total": 10, "what": "steps"}
        for i in range(1, 11)
    ]
    (run / "events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    (run / "result.json").write_text('{"steps": 10}')
    os.utime(run / "environment.json", (BEGUN, BEGUN))
    os.utime(run / "result.json", (BEGUN + seconds, BEGUN + seconds))


@pytest.fixture
def form(qtbot: Any) -> SettingsForm:
    form = SettingsForm(get_task("adapt").settings_class())
    qtbot.addWidget(form)
    form.set_values({"slide": "s", "out": "o", "preset": "small", "device": "cpu", "steps": 10})
    return form


@pytest.fixture
def label(qtbot: Any) -> TimeBefore:
    label = TimeBefore()
    qtbot.addWidget(label)
    return label


def test_nothing_measured_invents_nothing(label: TimeBefore, form: SettingsForm, tmp_path: Path) -> None:
    for folder in (None, tmp_path / "none", tmp_path):
        label.look("adapt", session_of(folder))
        label.show_for("adapt", form)
        assert label.text() == UNKNOWN
        assert not any(char.isdigit() for char in label.text())


def test_it_follows_the_form(label: TimeBefore, form: SettingsForm, tmp_path: Path) -> None:
    adapted(tmp_path)
    label.look("adapt", session_of(tmp_path))
    label.show_for("adapt", form)
    assert label.text() == "About 100 s, as your last run went"
    assert "'local'" in label.toolTip()
    form.set_values({"steps": 60})
    label.show_for("adapt", form)
    assert label.text() == "About 10 min, as your last run went"
    form.set_values({"central": "somewhere/else"})
    label.show_for("adapt", form)
    assert label.text() == UNKNOWN


def test_settings_that_cannot_be_used_take_no_time(label: TimeBefore, form: SettingsForm, tmp_path: Path) -> None:
    adapted(tmp_path)
    label.look("adapt", session_of(tmp_path))
    form.set_values({"dropout": 0.0})  # the learned null needs some
    label.show_for("adapt", form)
    assert label.text() == ""


def test_a_task_without_a_run_folder_goes_by_what_was_noted(qtbot: Any, label: TimeBefore, tmp_path: Path) -> None:
    form = SettingsForm(get_task("cells").settings_class())
    qtbot.addWidget(form)
    form.set_values({"slide": "s", "device": "cpu"})
    note_time(tmp_path, "cells", form.resolve().model_dump(mode="json"), {"tiles": 4}, Pace(5.0, 70.0))
    label.look("cells", session_of(tmp_path))
    label.show_for("cells", form)
    assert label.text() == "About 75 s, as your last run went"


def test_the_panel_says_it_beside_run_and_hides_it_while_it_runs(
    qtbot: Any, viewer: ViewerModel, shared_session: Shared
) -> None:
    panel = AdaptPanel(viewer)
    qtbot.addWidget(panel)
    panel.resize(380, 640)
    panel.show()
    time, run = panel.ui.time, panel.ui.run
    assert time.text() == UNKNOWN
    assert time.isVisible()
    assert time.geometry().left() >= run.geometry().right()
    # a run has ended meanwhile
    adapted(shared_session.session.runs_folder)
    shared_session.session.results_changed.emit()
    panel.form.set_values({"preset": "small", "device": "cpu", "steps": 10})
    assert time.text() == "About 100 s, as your last run went"
    panel.ui.show_state(True, None, False)
    assert not time.isVisible()
