"""What a user can get wrong: a sentence and the next action in the dock and as napari's notification, no traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image
from tests.plugin.watching import Watched

from napari_c2lst.plugin.opening import open_in_viewer
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set


def no_path(folder: Path) -> Path:
    return folder / "gone.zarr"


def no_slide(folder: Path) -> Path:
    (folder / "notes.txt").write_text("mine")
    return folder


def cut_jpeg(folder: Path) -> Path:
    path = folder / "tissue.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:5000])
    return path


def cut_h5(folder: Path) -> Path:
    path = folder / "sample.h5ad"
    with h5py.File(path, "w") as file:
        file["X"] = np.zeros(4000)
    path.write_bytes(path.read_bytes()[:900])
    return path


def cut_store(folder: Path) -> Path:
    path = folder / "B4.zarr"
    shutil.copytree(sample_slide_path(), path)
    shutil.rmtree(path / "tables")
    (path / "zarr.json").write_text('{"zarr_format": 3, "node_')
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [(no_path, "gone.zarr"), (no_slide, ""), (cut_jpeg, "tissue.jpg"), (cut_h5, "sample.h5ad"), (cut_store, "B4.zarr")],
)
def test_slides_that_cannot_be_opened(
    watched: Watched, tmp_path: Path, qtbot: Any, make: Callable[[Path], Path], words: str
) -> None:
    open_in_viewer(watched.viewer, make(tmp_path))
    watched.check(qtbot, words)
    assert watched.session.slide is None


@pytest.mark.slow
@pytest.mark.parametrize("key", ["adapt", "sample", "train", "predict", "judge"])
def test_a_step_without_a_slide(watched: Watched, qtbot: Any, key: str) -> None:
    watched.dock.show_step(key)
    panel: Any = watched.dock.panels[key][0]
    panel.run()
    watched.check(qtbot, "no slide is open")
    assert shared_of(watched.viewer).jobs.jobs == []


def small_store(folder: Path) -> Path:
    """The sample slide with a set of three spots."""
    path = folder / "B4.zarr"
    shutil.copytree(sample_slide_path(), path)
    slide = open_slide(path)
    ids = slide.require_spots().ids
    write_spot_set(slide, SpotSet.of("few", ids, np.arange(len(ids)) < 3, {}))
    return path


@pytest.mark.slow
def test_too_few_training_spots(watched: Watched, tmp_path: Path, qtbot: Any) -> None:
    """Found by the child process, or before it is started: the words are the same."""
    watched.session.open(open_slide(small_store(tmp_path)))
    watched.dock.show_step("train")
    panel: Any = watched.dock.panels["train"][0]
    panel.form.set_values({"spots": "few", "preset": "small"})
    panel.run()
    watched.check(qtbot, "3", seconds=180)
    assert "8" in watched.told[-1][1] + watched.told[-1][2]


@pytest.mark.slow
def test_a_pickle_is_no_predictor(watched: Watched, tmp_path: Path, qtbot: Any) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "predictor.pt").write_bytes(b"\x80\x04.")
    watched.session.open(open_slide(sample_slide_path()))
    watched.dock.show_step("predict")
    panel: Any = watched.dock.panels["predict"][0]
    panel.form.set_values({"predictor": folder, "preset": "small"})
    panel.run()
    watched.check(qtbot, "run", seconds=180)
