from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.shared import Shared, forget, shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.spots.spotsets import SpotSet

ACTING = Path(__file__).parents[1] / "jobs" / "acting_child.py"


@pytest.fixture
def viewer(qtbot: Any) -> Iterator[ViewerModel]:
    viewer = ViewerModel()
    yield viewer
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
