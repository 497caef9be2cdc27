import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.diffusion.tiny import tiny_central
from tests.slides.stores import make_tiny_store

from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion import adapting
from napari_c2lst.diffusion.adapting import AdaptResult, run
from napari_c2lst.diffusion.central import load_central, save_central
from napari_c2lst.diffusion.local import load_local
from napari_c2lst.diffusion.settings import AdaptSettings
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny slide with spot sets 'train' (20 spots) and 'few' (5), and two tiny central models."""
    folder = tmp_path_factory.mktemp("world")
    slide = open_slide(make_tiny_store(folder / "tiny.zarr"))
    ids = slide.require_spots().ids
    for name, count in (("train", 20), ("few", 5)):
        mask = np.zeros(len(ids), dtype=bool)
        mask[np.random.default_rng(0).permutation(len(ids))[:count]] = True
        write_spot_set(slide, SpotSet.of(name, ids, mask, {}))
    save_central(tiny_central(0), folder / "central")
    save_central(tiny_central(1, name="other"), folder / "other")
    return folder


def _settings(world: Path, out: Path, **values: Any) -> AdaptSettings:
    base: dict[str, Any] = {
        "slide": world / "tiny.zarr",
        "central": str(world / "central"),
        "out": out,
        "preset": "small",
        "device": "cpu",
        "precision": "fp32",
        "steps": 6,
        "batch": 4,
        "genes": 15,
        "embedding": 4,
        "checkpoint_every": 2,
        "preview_every": 0,
    }
    return AdaptSettings.resolve(**{**base, **values})


@pytest.fixture(scope="module")
def finished(world: Path) -> tuple[AdaptResult, RecordingReporter]:
    reporter = RecordingReporter()
    return run(_settings(world, world / "run", preview_every=6), reporter), reporter


def test_the_model_names_what_it_belongs_to(world: Path, finished: tuple[AdaptResult, RecordingReporter]) -> None:
    result, _ = finished
    central = load_central(world / "central")
    facts = load_local(world / "run", central).facts
    slide = open_slide(world / "tiny.zarr")
    assert facts.central_hash == result.central_hash == central.content_hash
    assert facts.central_source == "../central"
    assert facts.spec == central.spec
    assert (facts.slide, len(facts.training_ids), len(facts.panel)) == (slide.name, 20, 15)
    assert facts.training["steps"] == 6


def test_the_panel_is_fitted_on_the_training_spots_only(
    world: Path, finished: tuple[AdaptResult, RecordingReporter]
) -> None:
    facts = load_local(finished[0].local).facts
    slide = open_slide(world / "tiny.zarr")
    mask = np.isin(slide.require_spots().ids, facts.training_ids)
    assert facts.panel == GenePanel.fit(slide.counts(), slide.genes, training=mask, size=15)
    assert facts.panel != GenePanel.fit(slide.counts(), slide.genes, training=np.ones_like(mask), size=15)


def test_it_says_before_what_it_will_do_and_after_what_it_made(finished: tuple[AdaptResult, RecordingReporter]) -> None:
    result, reporter = finished
    said = next(text for text in reporter.messages if "preset small" in text)
    for part in ("CPU", "20 training spots", "15 genes", "6 steps of 4 patches", "parameters learn", "about "):
        assert part in said
    assert f"{result.parameters:,}" in said
    assert result.bytes == result.local.stat().st_size
    assert f"{result.bytes / 1e6:.1f} MB" in result.lines()[0]
    assert [m["step"] for m in reporter.of_kind("metrics")] == [1, 2, 3, 4, 5, 6]
    assert all({"loss", "mean_loss"} <= set(m["values"]) for m in reporter.of_kind("metrics"))
    assert reporter.of_kind("progress")[-1] == {"done": 6, "total": 6, "what": "steps"}


def test_the_coarse_slide_is_named_and_the_picture_written(finished: tuple[AdaptResult, RecordingReporter]) -> None:
    from PIL import Image

    picture = finished[1].of_kind("picture")[0]
    assert Image.open(picture["path"]).size[0] > 8 * 16


def test_a_stopped_run_goes_on_to_the_same_model(world: Path, tmp_path: Path) -> None:
    run(_settings(world, tmp_path / "whole"), RecordingReporter())
    with pytest.raises(Stopped) as stopped:
        run(_settings(world, tmp_path / "parts"), RecordingReporter(stop_after=3))
    assert stopped.value.checkpoint is not None
    assert stopped.value.checkpoint.name == "step_00000003"
    assert "--resume auto" in stopped.value.hint
    assert not (tmp_path / "parts" / "local.safetensors").exists()
    reporter = RecordingReporter()
    run(_settings(world, tmp_path / "parts"), reporter)
    assert any("going on after step 3" in text for text in reporter.messages)
    whole, parts = (tmp_path / name / "local.safetensors" for name in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()


def test_a_finished_run_is_not_run_again(world: Path, finished: tuple[AdaptResult, RecordingReporter]) -> None:
    before = finished[0].local.stat().st_mtime_ns
    reporter = RecordingReporter()
    assert run(_settings(world, world / "run", preview_every=6), reporter) == finished[0]
    assert reporter.messages == [f"'{world / 'run'}' is finished already"]
    assert finished[0].local.stat().st_mtime_ns == before


def test_a_checkpoint_of_another_central_model_is_refused(world: Path, tmp_path: Path) -> None:
    central = tmp_path / "central"
    shutil.copytree(world / "central", central)
    settings = _settings(world, tmp_path / "run", central=str(central))
    with pytest.raises(Stopped):
        run(settings, RecordingReporter(stop_after=2))
    shutil.rmtree(central)
    shutil.copytree(world / "other", central)  # the same place, another model
    with pytest.raises(MismatchError, match="other things than are there now: central model"):
        run(settings, RecordingReporter())


def _replace_set(store: Path) -> None:
    """20 other spots under the name 'train', as `select --replace` writes them."""
    slide = open_slide(store)
    ids = slide.require_spots().ids
    mask = np.zeros(len(ids), dtype=bool)
    mask[np.random.default_rng(1).permutation(len(ids))[:20]] = True
    write_spot_set(slide, SpotSet.of("train", ids, mask, {}), replace=True)


@pytest.mark.parametrize("finish", [False, True], ids=["stopped", "finished"])
def test_other_spots_under_the_same_name_are_refused(world: Path, tmp_path: Path, finish: bool) -> None:
    """Weights that saw the old spots must not become a model that calls them held out."""
    store = Path(shutil.copytree(world / "tiny.zarr", tmp_path / "tiny.zarr"))
    settings = _settings(world, tmp_path / "run", slide=store)
    if finish:
        run(settings, RecordingReporter())
    else:
        with pytest.raises(Stopped):
            run(settings, RecordingReporter(stop_after=3))
    before = sorted(p.name for p in (tmp_path / "run").iterdir())
    _replace_set(store)
    with pytest.raises(MismatchError, match="are there now: genes or their scale, training spots") as caught:
        run(settings, RecordingReporter())
    assert "--out" in caught.value.hint
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == before
    if not finish:
        elsewhere = _settings(world, tmp_path / "other", slide=store, resume=str(tmp_path / "run"))
        with pytest.raises(MismatchError, match="training spots"):
            run(elsewhere, RecordingReporter())
        assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"spots": "missing"}, "missing"),
        ({"spots": "few"}, "at least 8"),
        ({"central": "nowhere/at/all"}, "no central model"),
        ({"slide": "nowhere.zarr"}, "nowhere.zarr"),
        ({"blocks": "sideways"}, "sideways"),
        ({"device": "cuda:7"}, "cuda:7"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    world: Path, tmp_path: Path, values: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError) as caught:
        run(_settings(world, tmp_path / "run", **values), RecordingReporter())
    assert says in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_gene_list_is_the_panel_and_a_wrong_one_is_refused(world: Path, tmp_path: Path) -> None:
    listed = tmp_path / "genes.txt"
    listed.write_text("GENE07\nGENE03\n")
    run(_settings(world, tmp_path / "run", gene_list=listed, steps=1), RecordingReporter())
    assert load_local(tmp_path / "run").facts.panel.genes == ("GENE07", "GENE03")
    listed.write_text("GENE07\nACTB\n")
    with pytest.raises(InputError, match="ACTB"):
        run(_settings(world, tmp_path / "other", gene_list=listed), RecordingReporter())


def test_the_result_file_holds_the_result(world: Path, finished: tuple[AdaptResult, RecordingReporter]) -> None:
    stored = json.loads((world / "run" / "result.json").read_text())
    assert AdaptResult.model_validate(stored) == finished[0]


def test_the_embedded_model_is_named_so_beside_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("embedded", "mine"):
        (tmp_path / name).mkdir()
    assert adapting._kept("embedded", tmp_path / "run") == "embedded"
    assert adapting._kept("mine", tmp_path / "run") == "../mine"
    assert adapting._kept("centre/model", tmp_path / "run") == "centre/model"
