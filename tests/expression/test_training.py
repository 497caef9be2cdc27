from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.expression.conftest import train_settings, write_pairs

from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.diffusion.pairs import load_pairs
from napari_c2lst.expression.predictor import load_predictor
from napari_c2lst.expression.training import TrainResult, arm_of, gather, run
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import SpotSet, read_spot_set, write_spot_set


@pytest.fixture(autouse=True)
def _central(monkeypatch: pytest.MonkeyPatch, small_central: Callable[[pytest.MonkeyPatch], None]) -> None:
    small_central(monkeypatch)


@pytest.fixture
def pairs(store_once: Path, tmp_path: Path) -> Path:
    return write_pairs(store_once, tmp_path / "pairs.zarr")


class TestWithoutPairs:
    def test_a_run_leaves_a_predictor(self, trained_once: Path, store_once: Path) -> None:
        predictor = load_predictor(trained_once)
        slide = open_slide(store_once)
        ids = slide.require_spots().ids
        assert predictor.arm == "real"
        assert predictor.training_ids == tuple(ids[::3])
        assert (predictor.facts.n_real, predictor.facts.n_synthetic, predictor.facts.steps) == (21, 0, 6)
        assert predictor.facts.slide == "tiny"
        assert predictor.facts.pairs_hash is None
        assert (predictor.spec.patch_px, predictor.spec.patch_um) == (16, 112.0)
        assert np.array_equal(predictor.knows(slide), np.arange(63) % 3 == 0)

    def test_panel_and_scale_come_from_the_training_spots_alone(self, trained_once: Path, store_once: Path) -> None:
        slide = open_slide(store_once)
        panel = load_predictor(trained_once).panel
        counts = slide.counts()[::3].toarray()
        assert panel.median_total == pytest.approx(np.median(counts.sum(1)))
        mean = (counts / counts.sum(1, keepdims=True)).mean(0)
        assert set(panel.genes) == {slide.genes[i] for i in np.argsort(-mean)[:12]}

    def test_the_run_folder_is_complete(self, trained_once: Path) -> None:
        assert {"config.toml", "events.jsonl", "result.json", "predictor.safetensors"} <= {
            p.name for p in trained_once.iterdir()
        }
        result = TrainResult.model_validate(json.loads((trained_once / "result.json").read_text()))
        assert result.predictor == trained_once / "predictor.safetensors"
        assert result.lines()[0].startswith("trained on 21 spots: 12 genes, 6 steps, ")

    def test_a_finished_run_is_not_trained_again(self, store: Path, tmp_path: Path) -> None:
        settings = train_settings(store, tmp_path / "run")
        first = run(settings, Reporter())
        before = first.predictor.stat().st_mtime_ns
        reporter = RecordingReporter()
        assert run(settings, reporter) == first
        assert first.predictor.stat().st_mtime_ns == before
        assert any("is finished already" in m for m in reporter.messages)
        assert not reporter.of_kind("progress")

    def test_stopped_and_taken_up_again_it_is_the_same(self, store: Path, trained_once: Path, tmp_path: Path) -> None:
        settings = train_settings(store, tmp_path / "run")
        with pytest.raises(Stopped) as stopped:
            run(settings, RecordingReporter(stop_after=2))
        assert stopped.value.checkpoint is not None
        assert not (tmp_path / "run" / "predictor.safetensors").exists()
        resumed = load_predictor(run(settings, Reporter()).predictor)
        assert resumed.content_hash == load_predictor(trained_once).content_hash

    def test_a_list_of_genes_is_taken_in_its_order(self, store: Path, tmp_path: Path) -> None:
        (tmp_path / "genes.txt").write_text("GENE05\nGENE01\n")
        settings = train_settings(store, tmp_path / "run", gene_list=tmp_path / "genes.txt")
        assert gather(settings, Reporter()).panel.genes == ("GENE05", "GENE01")

    def test_what_is_done_is_said_before(self, store: Path, tmp_path: Path) -> None:
        reporter = RecordingReporter()
        run(train_settings(store, tmp_path / "run"), reporter)
        wanted = "preset small: network small on 21 spots, 12 genes, 6 steps of 8 patches on CPU"
        assert any(m.startswith(wanted) for m in reporter.messages)

    def test_a_slide_coarser_than_the_model_is_said(
        self, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from napari_c2lst.diffusion import central
        from napari_c2lst.slides.patches.cutting import PatchSpec

        monkeypatch.setattr(central, "central_spec", lambda *_, **__: PatchSpec(patch_px=64))
        reporter = RecordingReporter()
        gather(train_settings(store, tmp_path / "run"), reporter)
        assert any("coarser than the model's" in m for m in reporter.messages)


class TestWithPairs:
    def test_panel_and_patches_are_those_of_the_pairs(self, store: Path, pairs: Path, tmp_path: Path) -> None:
        predictor = load_predictor(run(train_settings(store, tmp_path / "run", synthetic=pairs), Reporter()).predictor)
        there = load_pairs(pairs)
        assert predictor.panel == there.facts.panel
        assert predictor.spec == there.facts.spec
        assert predictor.arm == "real+synthetic"
        assert (predictor.facts.n_real, predictor.facts.n_synthetic) == (21, 42)
        assert predictor.facts.pairs_hash is not None

    @pytest.mark.parametrize(
        ("use", "arm", "counts"),
        [("real", "real", (21, 0)), ("synthetic", "synthetic", (0, 42))],
        ids=["real", "synthetic"],
    )
    def test_an_arm_of_the_comparison(
        self, store: Path, pairs: Path, tmp_path: Path, use: str, arm: str, counts: tuple[int, int]
    ) -> None:
        result = run(train_settings(store, tmp_path / "run", synthetic=pairs, use=use), Reporter())
        assert (result.arm, (result.n_real, result.n_synthetic), result.steps) == (arm, counts, 6)
        predictor = load_predictor(result.predictor)
        # what a pair was made from counts as seen, also without the spot itself
        assert len(predictor.training_ids) == 21
        assert predictor.panel == load_pairs(pairs).facts.panel
        assert result.lines()[0].startswith(
            "trained on no real spots and 42" if use == "synthetic" else "trained on 21 spots:"
        )

    def test_arms(self, pairs: Path) -> None:
        there = load_pairs(pairs)
        settings: Any = {
            use: train_settings(Path("s"), Path("o"), use=use, synthetic=pairs) for use in ("both", "real", "synthetic")
        }
        assert [arm_of(s, there) for s in settings.values()] == ["real+synthetic", "real", "synthetic"]
        assert arm_of(settings["both"], None) == "real"

    def test_pairs_made_from_held_out_spots_are_refused(self, store: Path, tmp_path: Path) -> None:
        pairs = write_pairs(store, tmp_path / "more.zarr", spots="everything")
        with pytest.raises(MismatchError, match="made from 42 spots that are held out here"):
            run(train_settings(store, tmp_path / "run", synthetic=pairs), Reporter())
        assert not (tmp_path / "run").exists()

    def test_pairs_of_another_slide_are_refused(self, store: Path, tmp_path: Path) -> None:
        pairs = write_pairs(store, tmp_path / "other.zarr", slide_name="C5")
        with pytest.raises(MismatchError, match="made from slide 'C5', not from 'tiny'"):
            gather(train_settings(store, tmp_path / "run", synthetic=pairs), Reporter())

    def test_pairs_of_another_slide_of_the_same_name_are_refused(self, store: Path, tmp_path: Path) -> None:
        pairs = write_pairs(store, tmp_path / "other.zarr", slide_name="tiny")
        with pytest.raises(MismatchError, match="not from this one of the same name"):
            gather(train_settings(store, tmp_path / "run", synthetic=pairs), Reporter())

    def test_pairs_of_a_renamed_store_are_taken(self, store: Path, pairs: Path, tmp_path: Path) -> None:
        renamed = store.rename(tmp_path / "renamed.zarr")
        material = gather(train_settings(renamed, tmp_path / "run", synthetic=pairs), Reporter())
        assert material.slide.name == "renamed"
        assert material.pairs is not None

    def test_other_pairs_in_the_same_place_are_refused(self, store: Path, pairs: Path, tmp_path: Path) -> None:
        settings = train_settings(store, tmp_path / "run", synthetic=pairs)
        with pytest.raises(Stopped):
            run(settings, RecordingReporter(stop_after=2))
        shutil.rmtree(pairs)
        write_pairs(store, pairs, ratio=3)
        with pytest.raises(MismatchError, match="are there now: synthetic pairs"):
            run(settings, Reporter())

    def test_pairs_of_genes_the_slide_has_not_are_refused_by_name(self, store: Path, tmp_path: Path) -> None:
        pairs = write_pairs(store, tmp_path / "other.zarr", rename={"GENE03": "BRCA1"})
        with pytest.raises(MismatchError, match="BRCA1"):
            run(train_settings(store, tmp_path / "run", synthetic=pairs), Reporter())
        assert not (tmp_path / "run").exists()

    def test_another_list_of_genes_is_refused(self, store: Path, pairs: Path, tmp_path: Path) -> None:
        (tmp_path / "genes.txt").write_text("GENE05\n")
        with pytest.raises(MismatchError, match="differs from the 12 genes of the pairs"):
            gather(train_settings(store, tmp_path / "r", synthetic=pairs, gene_list=tmp_path / "genes.txt"), Reporter())

    def test_pairs_from_some_of_the_training_spots_are_taken_with_a_word(
        self, store: Path, pairs: Path, tmp_path: Path
    ) -> None:
        reporter = RecordingReporter()
        material = gather(train_settings(store, tmp_path / "run", synthetic=pairs, spots="everything"), reporter)
        assert material.training.all()
        assert any("know 21 of the 63 training spots" in m for m in reporter.messages)


class TestRefused:
    """All of it before any work: no run folder is left behind."""

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"spots": "few"}, "the spot set 'few' of slide 'tiny' has 7 training spots, at least 8 are needed"),
            ({"spots": "nothing"}, "has no spot set 'nothing'"),
            ({"synthetic": Path("/no/pairs")}, "there are no pairs"),
            ({"gene_list": Path("/no/list")}, "there is no gene list"),
            ({"network": "resnet50", "weights": "/no/weights"}, "pretrained weights '/no/weights' are not"),
        ],
        ids=["few", "set", "pairs", "genes", "weights"],
    )
    def test_bad_input(self, store_once: Path, tmp_path: Path, values: dict[str, Any], message: str) -> None:
        with pytest.raises(InputError, match=message):
            run(train_settings(store_once, tmp_path / "run", **values), Reporter())
        assert not (tmp_path / "run").exists()

    def test_an_unknown_central_model(self, store_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        with pytest.raises(InputError, match="no central model"):
            run(train_settings(store_once, tmp_path / "run", central="/no/model/here"), Reporter())

    def test_other_settings_in_the_same_run_folder(self, store: Path, tmp_path: Path) -> None:
        run(train_settings(store, tmp_path / "run"), Reporter())
        with pytest.raises(MismatchError, match="steps was 6, now 7"):
            run(train_settings(store, tmp_path / "run", steps=7), Reporter())


@pytest.mark.parametrize("finish", [False, True], ids=["stopped", "finished"])
def test_other_spots_under_the_same_name_are_refused(store: Path, tmp_path: Path, finish: bool) -> None:
    """Weights that saw the old spots must not become a predictor that calls them held out."""
    settings = train_settings(store, tmp_path / "run")
    if finish:
        run(settings, Reporter())
    else:
        with pytest.raises(Stopped):
            run(settings, RecordingReporter(stop_after=2))
    slide = open_slide(store)
    other = SpotSet.of("train", slide.require_spots().ids, np.arange(63) % 3 == 1, {})
    write_spot_set(slide, other, replace=True)
    with pytest.raises(MismatchError, match=r"are there now: .*training spots"):
        run(settings, Reporter())
    if not finish:
        with pytest.raises(MismatchError, match=r"are there now: .*training spots"):
            run(train_settings(store, tmp_path / "other", resume=str(tmp_path / "run")), Reporter())
        assert not (tmp_path / "other").exists()


def test_another_set_of_spots_gives_another_panel(store: Path, tmp_path: Path) -> None:
    slide = open_slide(store)
    ids = slide.require_spots().ids
    write_spot_set(slide, SpotSet.of("other", ids, np.arange(63) % 3 == 1, {}))
    totals = [
        gather(train_settings(store, tmp_path / "r", spots=s), Reporter()).panel.median_total
        for s in ("train", "other")
    ]
    assert totals[0] != totals[1]
    assert read_spot_set(open_slide(store), "other").mask.sum() == 21


def test_a_resnet_is_trained_too(store: Path, tmp_path: Path) -> None:
    from tests.expression.test_networks import resnet_folder

    weights = resnet_folder(tmp_path / "weights")
    settings = train_settings(store, tmp_path / "run", network="resnet50", weights=str(weights), steps=2, batch=4)
    predictor = load_predictor(run(settings, Reporter()).predictor)
    assert predictor.net.architecture["depths"] == [1, 1]
    assert predictor.predict(np.zeros((2, 16, 16, 3), np.uint8)).shape == (2, 12)
