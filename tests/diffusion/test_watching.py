"""What pretraining shows: KID on held-out tiles, grids, curves for TensorBoard."""

from importlib import util

import numpy as np
import pytest
from PIL import Image

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion import watching
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.pretraining import run
from napari_c2lst.diffusion.tiles.packed import read_packed
from napari_c2lst.diffusion.watching import check_watching


@pytest.fixture(scope="module")
def tile_folders(tmp_path_factory):
    """Three folders, each the tiles of one slide."""
    draw = np.random.default_rng(0)
    folders = []
    for name in ("one", "two", "three"):
        folder = tmp_path_factory.mktemp("tiles") / name
        folder.mkdir()
        for i in range(8):
            small = draw.integers(90, 220, size=(4, 4, 3), dtype=np.uint8)
            Image.fromarray(small).resize((32, 32)).save(folder / f"{i}.png")
        folders.append(folder)
    return tuple(folders)


def settings(tiles, out, **values):
    base = {
        "preset": "small",
        "device": "cpu",
        "precision": "fp32",
        "stain": "none",
        "patch_px": 16,
        "widths": (8, 16),
        "steps": 4,
        "batch": 4,
        "preview_every": 0,
        "held_out": 0.3,
        "kid_every": 2,
        "kid_images": 50,
    }
    return PretrainSettings.resolve(tiles=tiles, out=out, **{**base, **values})


def test_kid_is_measured_on_slides_that_are_not_learned_from(tile_folders, tmp_path):
    reporter = RecordingReporter()
    result = run(settings(tile_folders, tmp_path / "run"), reporter)
    figures = [m for m in reporter.of_kind("metrics") if "kid" in m["values"]]
    assert [m["step"] for m in figures] == [2, 4]
    assert all(np.isfinite(m["values"]["kid"]) and m["values"]["kid_spread"] > 0 for m in figures)
    assert any(m.startswith("KID after 4 steps: ") and m.endswith("(colour-texture-42)") for m in reporter.messages)
    learned, held = read_packed(tmp_path / "run").split(0.3, seed=0)
    assert result.tiles == len(learned) == 16
    assert len(held) == 8


def test_measuring_kid_changes_nothing_in_the_model(tile_folders, tmp_path):
    with_kid = run(settings(tile_folders, tmp_path / "with"), RecordingReporter())
    without = run(settings(tile_folders, tmp_path / "without", kid_every=0), RecordingReporter())
    assert with_kid.content_hash == without.content_hash


def test_one_slide_alone_is_said(tile_folders, tmp_path):
    reporter = RecordingReporter()
    run(settings(tile_folders[:1], tmp_path / "run", kid_every=0), reporter)
    assert any("single tiles are held out" in m for m in reporter.messages)


def test_features_that_are_not_there_are_refused_before_a_step(tile_folders, tmp_path):
    reporter = RecordingReporter()
    with pytest.raises(InputError, match="no model for features"):
        run(settings(tile_folders, tmp_path / "run", kid_features="facebook/dinov2-base"), reporter)
    assert reporter.events == []
    assert not (tmp_path / "run").exists()  # no tile was packed for it


@pytest.mark.parametrize("unused", [{"kid_every": 0}, {"held_out": 0.0}])
def test_features_that_nothing_is_measured_with_are_not_looked_for(unused):
    check_watching(settings(("t",), "o", kid_features="nowhere", **unused))


def test_curves_and_grids_for_tensorboard(tile_folders, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(settings(tile_folders, tmp_path / "run", tracker="tensorboard", preview_every=4), RecordingReporter())
    files = list((tmp_path / "run").rglob("events.out.tfevents*"))
    assert files
    events = EventAccumulator(str(files[0].parent), size_guidance={"images": 0}).Reload()
    tags = events.Tags()
    assert {"loss", "mean_loss", "images_per_s", "kid", "kid_spread"} <= set(tags["scalars"])
    assert [e.step for e in events.Scalars("loss")] == [1, 2, 3, 4]
    assert tags["images"]


def test_a_tracker_that_is_not_installed_is_refused_before_any_work(tile_folders, tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "find_spec", lambda name: None if name == "tensorboard" else util.find_spec(name))
    with pytest.raises(InputError, match="TensorBoard is not installed"):
        run(settings(tile_folders, tmp_path / "run", tracker="tensorboard"), RecordingReporter())
    assert not (tmp_path / "run").exists()
