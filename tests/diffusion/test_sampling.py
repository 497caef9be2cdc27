import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.diffusion.tiny import tiny_central
from tests.slides.stores import make_tiny_store

from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.common.runs import RunFolder
from napari_c2lst.diffusion import sampling
from napari_c2lst.diffusion.central import CentralModel, load_central, save_central
from napari_c2lst.diffusion.local import LocalFacts, LocalModel, load_local
from napari_c2lst.diffusion.modulation import Modulation, norm_channels
from napari_c2lst.diffusion.pairs import load_pairs
from napari_c2lst.diffusion.samplers import Engine, sample
from napari_c2lst.diffusion.sampling import SampleResult, plan_of, run
from napari_c2lst.diffusion.settings import SampleSettings
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.identity import spots_hash
from napari_c2lst.slides.opening import open_slide

SPOTS = 9


def _local(central: CentralModel, source: Path, store: Path, first: int = 5) -> LocalModel:
    slide = open_slide(store)
    ids = slide.require_spots().ids
    mask = np.zeros(len(ids), dtype=bool)
    mask[first : first + SPOTS] = True
    facts = LocalFacts(
        central_hash=central.content_hash,
        central_source=str(source),
        central_name=central.name,
        slide=slide.name,
        panel=GenePanel.fit(slide.counts(), slide.genes, training=mask, size=10),
        spec=central.spec,
        training_ids=tuple(str(i) for i in ids[mask]),
    )
    torch.manual_seed(0)
    modulation = Modulation(10, 4, norm_channels(central.net))
    with torch.no_grad():
        for parameter in modulation.parameters():
            parameter.normal_(std=0.2)
    return LocalModel(modulation, facts)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny slide, another one with the same barcodes, a central model and a local model of the first slide."""
    folder = tmp_path_factory.mktemp("world")
    store = make_tiny_store(folder / "tiny.zarr")
    make_tiny_store(folder / "twin.zarr", seed=1)
    save_central(tiny_central(0), folder / "central")
    save_central(tiny_central(1, name="other"), folder / "other")
    _local(load_central(folder / "central"), folder / "central", store).save(folder / "local")
    return folder


def _settings(world: Path, out: Path, **values: Any) -> SampleSettings:
    base: dict[str, Any] = {
        "slide": world / "tiny.zarr",
        "local": world / "local",
        "out": out,
        "preset": "small",
        "device": "cpu",
        "precision": "fp32",
        "ratio": 2,
        "steps": 2,
        "batch": 4,
        "micro_batch": 4,
        "seed": 3,
    }
    return SampleSettings.resolve(**{**base, **values})


@pytest.fixture(scope="module")
def finished(world: Path) -> tuple[SampleResult, RecordingReporter]:
    reporter = RecordingReporter()
    return run(_settings(world, world / "pairs"), reporter), reporter


def test_pairs_hold_the_training_spots_expression_and_nothing_else(
    world: Path, finished: tuple[SampleResult, RecordingReporter]
) -> None:
    pairs = load_pairs(finished[0].run)
    facts = load_local(world / "local").facts
    slide = open_slide(world / "tiny.zarr")
    rows = [list(slide.require_spots().ids).index(name) for name in facts.training_ids]
    targets = facts.panel.targets(slide.counts()[rows], slide.genes)
    assert np.allclose(pairs.targets, np.tile(targets, (2, 1)))
    assert list(pairs.source_a) == [*facts.training_ids] * 2
    assert pairs.facts.training_ids == facts.training_ids
    assert pairs.facts.local_hash == load_local(world / "local").content_hash
    assert pairs.facts.central_hash == facts.central_hash
    assert pairs.facts.spots_hash == spots_hash(slide.require_spots())
    assert pairs.facts.sampling["sampler"] == "dpm++2m"


def test_patch_i_is_what_the_sampler_draws_for_index_i(
    world: Path, finished: tuple[SampleResult, RecordingReporter]
) -> None:
    pairs, local = load_pairs(finished[0].pairs), load_local(world / "local")
    engine = Engine(load_central(world / "central"), torch.device("cpu"), micro_batch=4)
    z = local.facts.panel.condition(pairs.targets)
    settings = _settings(world, world / "pairs")
    assert np.array_equal(pairs.patches, sample(engine, local.modulation, z, plan_of(settings), seed=3))
    sixth = sample(engine, local.modulation, z[6:7], plan_of(settings), seed=3, first=6)
    assert np.array_equal(pairs.patches[6:7], sixth)


def test_it_says_before_what_it_will_do_and_shows_some(finished: tuple[SampleResult, RecordingReporter]) -> None:
    result, reporter = finished
    said = next(text for text in reporter.messages if "preset small" in text)
    for part in ("CPU", "18 patches", "dpm++2m", "2 steps", "2 evaluations", "guidance 3", "about "):
        assert part in said
    assert result.picture.exists()
    assert [p["done"] for p in reporter.of_kind("progress")] == [4, 8, 12, 16, 18]
    assert result.lines()[0].startswith("18 synthetic pairs from 9 training spots and 10 genes")


def test_the_part_written_at_a_time_changes_no_patch(world: Path, tmp_path: Path) -> None:
    first = load_pairs(run(_settings(world, tmp_path / "a", batch=1), RecordingReporter()).pairs)
    second = load_pairs(run(_settings(world, tmp_path / "b", batch=13), RecordingReporter()).pairs)
    assert np.array_equal(first.patches, second.patches)


def test_a_stopped_run_goes_on_to_the_same_pairs(
    world: Path, tmp_path: Path, finished: tuple[SampleResult, RecordingReporter]
) -> None:
    out = tmp_path / "pairs"
    with pytest.raises(Stopped, match="stopped after 8 of 18 patches") as stopped:
        run(_settings(world, out), RecordingReporter(stop_after=2))
    assert "--resume auto" in stopped.value.hint
    with pytest.raises(InputError, match="not complete"):
        load_pairs(out)
    reporter = RecordingReporter()
    result = run(_settings(world, out), reporter)
    assert any("going on after 8 patches" in text for text in reporter.messages)
    assert reporter.of_kind("progress")[0]["done"] == 12
    assert np.array_equal(load_pairs(result.pairs).patches, load_pairs(finished[0].pairs).patches)
    assert not list(out.glob("*.partial"))


def test_a_finished_run_is_not_run_again(world: Path, finished: tuple[SampleResult, RecordingReporter]) -> None:
    reporter = RecordingReporter()
    assert run(_settings(world, world / "pairs"), reporter) == finished[0]
    assert reporter.messages == [f"'{world / 'pairs'}' is finished already"]


@pytest.mark.parametrize("finish", [False, True], ids=["stopped", "finished"])
def test_another_local_model_in_the_same_place_is_refused(world: Path, tmp_path: Path, finish: bool) -> None:
    local = Path(shutil.copytree(world / "local", tmp_path / "local"))
    settings = _settings(world, tmp_path / "pairs", local=local)
    if finish:
        run(settings, RecordingReporter())
    else:
        with pytest.raises(Stopped):
            run(settings, RecordingReporter(stop_after=2))
    central = load_central(world / "central")
    _local(central, world / "central", world / "tiny.zarr", first=20).save(local)
    with pytest.raises(MismatchError, match="are there now: local model, spots whose expression is drawn"):
        run(settings, RecordingReporter())


def test_a_checkpoint_without_its_patches_is_refused(world: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(_settings(world, tmp_path / "pairs"), RecordingReporter(stop_after=2))
    elsewhere = _settings(world, tmp_path / "other", resume=str(tmp_path / "pairs"))
    with pytest.raises(InputError, match=r"the 8 patches of checkpoint .* are not in"):
        run(elsewhere, RecordingReporter())


def test_interpolated_pairs_record_both_sources(world: Path, tmp_path: Path) -> None:
    settings = _settings(world, tmp_path / "pairs", interpolate="pairs", neighbours=2)
    pairs = load_pairs(run(settings, RecordingReporter()).pairs)
    known = set(pairs.facts.training_ids)
    assert set(pairs.source_a) == known
    assert set(pairs.source_b) <= known
    assert (pairs.source_a != pairs.source_b).all()
    assert pairs.facts.sampling["interpolate"] == "pairs"


def test_another_slide_with_the_same_barcodes_is_refused(world: Path, tmp_path: Path) -> None:
    with pytest.raises(MismatchError, match=r"'tiny', not to 'twin'.*other expression"):
        run(_settings(world, tmp_path / "pairs", slide=world / "twin.zarr"), RecordingReporter())
    assert not (tmp_path / "pairs").exists()


def test_a_slide_without_the_training_spots_is_refused(world: Path, tmp_path: Path) -> None:
    local = load_local(world / "local")
    facts = local.facts.model_copy(update={"training_ids": ("elsewhere", *local.facts.training_ids[1:])})
    LocalModel(local.modulation, facts).save(tmp_path / "local")
    with pytest.raises(MismatchError, match="1 of its 9 training spots are not there"):
        run(_settings(world, tmp_path / "pairs", local=tmp_path / "local"), RecordingReporter())


def test_another_central_model_is_refused_with_both_hashes(world: Path, tmp_path: Path) -> None:
    with pytest.raises(MismatchError) as caught:
        run(_settings(world, tmp_path / "pairs", central=str(world / "other")), RecordingReporter())
    assert load_central(world / "central").content_hash in caught.value.message
    assert load_central(world / "other").content_hash in caught.value.message
    assert not (tmp_path / "pairs").exists()


def test_out_of_memory_halves_the_micro_batch_and_says_so(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(engine: Engine, *args: Any, **more: Any) -> Any:
        if engine.micro_batch > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return sample(engine, *args, **more)

    monkeypatch.setattr(sampling, "sample", short)
    reporter = RecordingReporter()
    result = run(_settings(world, tmp_path / "pairs"), reporter)
    assert result.patches == 18
    assert sum("out of memory with a batch of 4" in text for text in reporter.messages) == 1


def test_the_plan_is_what_the_settings_say(world: Path, tmp_path: Path) -> None:
    settings = _settings(
        world, tmp_path, sampler="ddim", steps=7, guidance=2, guidance_low=0.1, guidance_high=0.8, rescale=0.5, eta=0.3
    )
    plan = plan_of(settings)
    assert (plan.sampler, plan.steps, plan.eta, plan.spacing) == ("ddim", 7, 0.3, "auto")
    assert (plan.guidance.scale, plan.guidance.low, plan.guidance.high, plan.guidance.rescale) == (2, 0.1, 0.8, 0.5)


def test_a_run_that_stopped_at_its_first_part_has_a_picture_in_the_end(world: Path, tmp_path: Path) -> None:
    settings = _settings(world, tmp_path / "pairs")
    with pytest.raises(Stopped, match="stopped after 4 of 18"):
        run(settings, RecordingReporter(stop_after=1))
    result = run(settings, RecordingReporter())
    assert result.picture.is_file()
    assert str(result.picture) in result.lines()[1]


def _killed_at_its_end(settings: SampleSettings) -> None:
    """All pairs are there, `result.json` is not."""

    def killed(*_: Any) -> None:
        raise SystemExit

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "finish", killed)
        with pytest.raises(SystemExit):
            run(settings, RecordingReporter())


@pytest.mark.parametrize("batch", [4, 64], ids=["with checkpoints", "in one part"])
def test_a_run_killed_between_its_pairs_and_its_result_is_finished(
    world: Path, tmp_path: Path, finished: tuple[SampleResult, RecordingReporter], batch: int
) -> None:
    settings = _settings(world, tmp_path / "pairs", batch=batch)
    _killed_at_its_end(settings)
    assert (tmp_path / "pairs" / "pairs.zarr").is_dir()
    assert not (tmp_path / "pairs" / "result.json").exists()
    reporter = RecordingReporter()
    result = run(settings, reporter)
    assert reporter.of_kind("progress") == []  # nothing is drawn again
    assert (result.patches, result.spots) == (18, SPOTS)
    assert result.picture.is_file()
    assert np.array_equal(load_pairs(result.pairs).patches, load_pairs(finished[0].pairs).patches)
    assert run(settings, RecordingReporter()) == result


def test_pairs_of_another_run_in_the_place_are_not_taken_for_its_own(world: Path, tmp_path: Path) -> None:
    other = run(_settings(world, tmp_path / "other", seed=4), RecordingReporter())
    settings = _settings(world, tmp_path / "pairs")
    with pytest.raises(Stopped):
        run(settings, RecordingReporter(stop_after=2))
    shutil.copytree(other.pairs, tmp_path / "pairs" / "pairs.zarr")
    with pytest.raises(InputError, match="is there already"):
        run(settings, RecordingReporter())
    assert not (tmp_path / "pairs" / "result.json").exists()


def test_a_central_model_that_was_moved_is_asked_for_and_can_be_named(world: Path, tmp_path: Path) -> None:
    local = load_local(world / "local")
    facts = local.facts.model_copy(update={"central_source": "../central-of-then"})
    LocalModel(local.modulation, facts).save(tmp_path / "local")
    with pytest.raises(InputError, match=r"'tiny' .* is no longer at .*central-of-then") as caught:
        run(_settings(world, tmp_path / "pairs", local=tmp_path / "local"), RecordingReporter())
    assert caught.value.hint == "name it: --central FOLDER"
    named = _settings(world, tmp_path / "pairs", local=tmp_path / "local", central=str(world / "central"), ratio=1)
    assert run(named, RecordingReporter()).patches == SPOTS
