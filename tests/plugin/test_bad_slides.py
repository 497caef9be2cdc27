"""Slides, files and models that do not fit, met in the dock: one message, the next action, and a dock that goes on."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.diffusion.tiny import tiny_central
from tests.evaluation.conftest import make_predictor
from tests.plugin.results import make_results, training_spots
from tests.plugin.watching import Watched
from tests.slides.stores import make_tiny_store

from napari_c2lst.common import files
from napari_c2lst.diffusion.central import CentralModel, save_central
from napari_c2lst.diffusion.local import LocalFacts, LocalModel
from napari_c2lst.diffusion.modulation import Modulation, norm_channels
from napari_c2lst.plugin.opening import open_in_viewer
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide

CHILD_SECONDS = 180
ACTING = Path(__file__).parent / "jobs" / "acting_child.py"
FULL_DISK = Path(__file__).parent / "full_disk_child.py"


@pytest.fixture(scope="session")
def results_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny slide with a set `train` and predictions, written once."""
    return make_results(tmp_path_factory.mktemp("bad") / "tiny.zarr")


@pytest.fixture
def store(results_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(results_once, tmp_path / "tiny.zarr"))


def changed_store(folder: Path, change: Callable[[Any], None]) -> Path:
    """The tiny slide after a change to its SpatialData."""
    sdata = open_slide(make_tiny_store(folder / "before.zarr")).sdata
    change(sdata)
    sdata.write(folder / "tiny.zarr")
    return folder / "tiny.zarr"


def spots_outside(sdata: Any) -> None:
    shapes = sdata.shapes["tiny"]
    shapes.loc[shapes.index[:40], "geometry"] = shapes.geometry[:40].translate(5000, 0)


def spots_of_another_slide(sdata: Any) -> None:
    shapes = sdata.shapes["tiny"]
    shapes.index = [f"Z{i}" for i in range(len(shapes))]


def counts_with(value: float) -> Callable[[Any], None]:
    def change(sdata: Any) -> None:
        counts = sdata.tables["table"].X.toarray()
        counts[3, 4] = value
        sdata.tables["table"].X = counts

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [(spots_outside, "40 of 63 spots of slide 'tiny' lie outside the image"), (spots_of_another_slide, "do not match")],
)
def test_parts_that_do_not_belong_together(
    watched: Watched, tmp_path: Path, qtbot: Any, change: Callable[[Any], None], words: str
) -> None:
    good = make_tiny_store(tmp_path / "good.zarr")
    open_in_viewer(watched.viewer, changed_store(tmp_path, change))
    watched.check(qtbot, words)
    assert watched.session.slide is None
    open_in_viewer(watched.viewer, good)
    qtbot.waitUntil(lambda: watched.session.slide is not None, timeout=60_000)


def run_step(watched: Watched, key: str, **values: Any) -> Any:
    """Fill the form of a step and press Run."""
    watched.dock.show_step(key)
    panel: Any = watched.dock.panels[key][0]
    panel.form.set_values({"preset": "small", "device": "cpu", **values})
    panel.ui.run.click()
    return panel


def assert_usable(panel: Any, qtbot: Any) -> None:
    """The form can be corrected and run again, and the button for the log is there."""
    qtbot.waitUntil(lambda: not panel._active(), timeout=60_000)
    assert panel.ui.run.isVisible()
    assert panel.ui.run.isEnabled()
    assert panel.form.isEnabled()
    assert not panel.ui.progress.isVisible()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "words"), [(-2.0, "negative values"), (float("nan"), "NaN or infinite"), (0.693, "already normalised")]
)
def test_counts_that_are_none(watched: Watched, tmp_path: Path, qtbot: Any, value: float, words: str) -> None:
    slide = open_slide(changed_store(tmp_path, counts_with(value)))
    watched.session.open(slide)
    choose(watched, training_spots(slide))
    panel = run_step(watched, "adapt", spots="train")
    watched.check(qtbot, words, seconds=CHILD_SECONDS)
    assert_usable(panel, qtbot)


def choose(watched: Watched, mask: np.ndarray) -> None:
    """A set `train` that is not stored yet."""
    from napari_c2lst.slides.spots.spotsets import SpotSet

    session = watched.session
    session.sets = {"train": SpotSet.of("train", session.slide.spots.ids, mask, {"fraction": 0.3})}
    session.sets_changed.emit()


@pytest.mark.slow
def test_no_size_of_a_pixel(watched: Watched, tmp_path: Path, qtbot: Any) -> None:
    shuffled = np.random.default_rng(0).permutation(63)
    places = {"array_row": shuffled, "array_col": shuffled[::-1]}
    slide = open_slide(make_tiny_store(tmp_path / "tiny.zarr", extra_obs=places))
    assert slide.microns is None
    watched.session.open(slide)
    choose(watched, training_spots(slide))
    panel = run_step(watched, "adapt", spots="train")
    watched.check(qtbot, "no microns per pixel", seconds=CHILD_SECONDS)
    assert "panel 'Open'" in watched.told[0][2]
    assert_usable(panel, qtbot)


@pytest.mark.slow
def test_scoring_a_predictor_of_other_genes(watched: Watched, store: Path, tmp_path: Path, qtbot: Any) -> None:
    other = open_slide(make_tiny_store(tmp_path / "other.zarr", gene_names=[f"OTHER{i}" for i in range(40)]))
    predictor = make_predictor(other, np.arange(63) < 10, tmp_path / "predictor")
    watched.session.open(open_slide(store))
    panel = run_step(watched, "judge", predictors=[predictor], spots="train")
    watched.check(qtbot, "OTHER", seconds=CHILD_SECONDS)
    assert_usable(panel, qtbot)


def local_of(central: CentralModel, source: Path, slide: Slide) -> LocalModel:
    training = training_spots(slide)
    panel = GenePanel.fit(slide.counts(), slide.genes, training=training, size=10)
    facts = LocalFacts(
        central_hash=central.content_hash,
        central_source=str(source),
        central_name=central.name,
        slide=slide.name,
        panel=panel,
        spec=central.spec,
        training_ids=tuple(slide.require_spots().ids[training].tolist()),
    )
    return LocalModel(Modulation(10, 4, norm_channels(central.net)), facts)


@pytest.mark.slow
def test_a_local_model_of_another_central_model(watched: Watched, store: Path, tmp_path: Path, qtbot: Any) -> None:
    slide, central = open_slide(store), tiny_central(0)
    local_of(central, tmp_path / "central", slide).save(tmp_path / "local")
    save_central(tiny_central(1, name="other"), tmp_path / "other")
    watched.session.open(slide)
    panel = run_step(watched, "sample", local=tmp_path / "local", central=str(tmp_path / "other"))
    watched.check(qtbot, central.content_hash, seconds=CHILD_SECONDS)
    assert not (tmp_path / "tiny_c2lst").exists()
    assert_usable(panel, qtbot)


def test_the_device_runs_out_of_memory(watched: Watched, store: Path, qtbot: Any) -> None:
    watched.session.open(open_slide(store))
    shared_of(watched.viewer).jobs.command = [sys.executable, str(ACTING), "too_large_for_device"]
    panel = run_step(watched, "adapt", spots="train")
    watched.check(qtbot, "the device ran out of memory", seconds=CHILD_SECONDS)
    assert "choose the device 'cpu'" in watched.told[0][2]
    assert_usable(panel, qtbot)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_disk_that_is_full_when_predictions_are_written(
    watched: Watched, store: Path, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULL_DISK_MARK", str(tmp_path / "mark"))
    slide = open_slide(store)
    predictor = make_predictor(slide, training_spots(slide), tmp_path / "predictor")
    before = contents(store)
    watched.session.open(slide)
    shared_of(watched.viewer).jobs.command = [sys.executable, str(FULL_DISK)]
    panel = run_step(watched, "predict", predictor=predictor, name="new")
    watched.check(qtbot, "the disk is full", seconds=CHILD_SECONDS)
    assert (tmp_path / "mark").read_text() == "asked"
    assert "free some space" in watched.told[0][2]
    assert contents(store) == before
    assert_usable(panel, qtbot)


def test_a_disk_that_is_full_when_sets_are_exported(
    watched: Watched, store: Path, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.session.open(open_slide(store))
    watched.dock.show_step("keep")
    panel: Any = watched.dock.panels["keep"][0]
    (tmp_path / "sets.geojson").write_text("before")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "replace", full)
        panel.export.export_regions(tmp_path / "sets.geojson")
        watched.check(qtbot, "the disk is full")
    assert (tmp_path / "sets.geojson").read_text() == "before"
    panel.export.export_regions(tmp_path / "sets.geojson")
    qtbot.waitUntil(lambda: watched.told[-1][0] == "info", timeout=60_000)
    assert json.loads((tmp_path / "sets.geojson").read_text())["features"]


def geojson(rings: list[list[list[float]]]) -> str:
    return json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": rings}, "properties": {}})


BOW_TIE = [[[0.0, 0.0], [300.0, 300.0], [300.0, 0.0], [0.0, 300.0], [0.0, 0.0]]]


@pytest.mark.parametrize(
    ("text", "words"),
    [(geojson([]), "is empty"), (geojson(BOW_TIE), "crosses itself"), ("{", "a.geojson"), ('{"a": 1}', "a.geojson")],
)
def test_shapes_that_enclose_nothing(
    watched: Watched, store: Path, tmp_path: Path, qtbot: Any, text: str, words: str
) -> None:
    (tmp_path / "a.geojson").write_text(text)
    watched.session.open(open_slide(store))
    watched.dock.show_step("select")
    panel: Any = watched.dock.panels["select"][0]
    panel.import_regions(tmp_path / "a.geojson")
    watched.check(qtbot, words)
    assert not panel.choice.steps
    panel.ways.random_wanted.emit(0.5, 0, "random")
    assert panel.choice.mask.any()
    assert not panel.message.isVisible()
