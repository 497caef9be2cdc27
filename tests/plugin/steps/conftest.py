from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel

from napari_c2lst.jobs.protocol import Event
from napari_c2lst.plugin.jobs.job import Job
from napari_c2lst.plugin.shared import Shared, forget, shared_of
from napari_c2lst.plugin.steps.step_panel import StepPanel
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet

ACTING = Path(__file__).parents[1] / "jobs" / "acting_child.py"


@pytest.fixture
def viewer(qtbot: Any) -> Iterator[ViewerModel]:
    viewer = ViewerModel()
    yield viewer
    for job in shared_of(viewer).jobs.running():
        if not job.pid:  # never started
            job._on_end(Event("stopped", {}))
    shared_of(viewer).jobs.close()
    forget(viewer)


@pytest.fixture
def shared_session(viewer: ViewerModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shared:
    """The sample slide is open, and has a set of spots that is not stored yet."""
    monkeypatch.setenv("ACTING_FOLDER", str(tmp_path))
    shared = shared_of(viewer)
    store = shutil.copytree(sample_slide_path(), tmp_path / "slide.zarr")
    shared.session.open(open_slide(store))
    ids = shared.session.require_slide().spots.ids
    mask = np.zeros(len(ids), dtype=bool)
    mask[::4] = True
    shared.session.sets = {"train": SpotSet.of("train", ids, mask, {"fraction": 0.25})}
    shared.session.sets_changed.emit()
    return shared


@pytest.fixture
def acting(shared_session: Shared) -> Callable[[str], None]:
    """Let the jobs act out a case instead of computing."""

    def choose(case: str) -> None:
        shared_session.jobs.command = [sys.executable, str(ACTING), case]

    return choose


class ByHand:
    """Tiny slides without pixels on disk, and jobs whose events are given by the test: no child process is started."""

    def __init__(self, viewer: ViewerModel, folder: Path, make_slide: Callable[..., Slide]) -> None:
        self.shared, self.folder, self.make = shared_of(viewer), folder, make_slide
        self.session = self.shared.session
        self.told: list[tuple[str, str, str]] = []
        self.session.told.connect(lambda *values: self.told.append(values))

    @property
    def jobs(self) -> list[Job]:
        return self.shared.jobs.jobs

    def open(self, name: str = "A.zarr", *, stored: tuple[str, ...] = ("train",), **changes: Any) -> Slide:
        """Open a slide; the sets are in its store."""
        path = self.folder / name
        path.mkdir(exist_ok=True)
        tables = {f"c2lst_set_{each}": self.table(each) for each in stored}
        slide = self.make(**{"name": path.stem, "path": path, "sdata": SimpleNamespace(tables=tables), **changes})
        self.session.open(slide)
        return slide

    def choose(self, name: str, *ids: str) -> SpotSet:
        """A set that is not stored."""
        there = self.session.require_slide().require_spots().ids
        made = SpotSet.of(name, there, np.isin(there, ids), {})
        self.session.sets[name] = made
        self.session.sets_changed.emit()
        return made

    def run_folder(self, name: str, task: str, result: Any = None, **settings: Any) -> Path:
        """A run folder beside the open slide as a task leaves it: with a result it is finished, else it was stopped."""
        runs = self.session.runs_folder
        assert runs is not None
        (runs / name / "checkpoints" / "step_00000003").mkdir(parents=True)
        body = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
        (runs / name / "config.toml").write_text(f'kind = "{task}"\n[settings]\n{body}\n')
        if result is not None:
            (runs / name / "result.json").write_text(json.dumps(result))
        return runs / name

    @staticmethod
    def table(name: str) -> Any:
        """A stored set of the spot a."""
        obs = pd.DataFrame({"role": ["selected", "held out", "held out"]}, index=["a", "b", "c"])
        return SimpleNamespace(uns={"c2lst": {"version": 1, "name": name, "how": "{}"}}, obs=obs, obs_names=obs.index)

    @staticmethod
    def end(job: Job, kind: str, **fields: Any) -> None:
        """The last event of a job."""
        job._on_end(Event(kind, fields))


@pytest.fixture
def by_hand(
    viewer: ViewerModel, tmp_path: Path, make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch
) -> ByHand:
    monkeypatch.setattr(Job, "start", lambda _job: None)
    return ByHand(viewer, tmp_path, make_slide)


@pytest.fixture
def panel_of(qtbot: Any, viewer: ViewerModel) -> Callable[[type[StepPanel]], StepPanel]:
    def make(cls: type[StepPanel]) -> StepPanel:
        panel = cls(viewer)
        qtbot.addWidget(panel)
        panel.resize(380, 640)
        panel.show()
        return panel

    return make
