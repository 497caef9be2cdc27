from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tests.expression.patches import coloured_patches

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.expression.networks import ExpressionNet, build_network
from napari_c2lst.expression.predictor import (
    PREDICTOR_FILE,
    Predictor,
    PredictorFacts,
    find_predictor,
    load_predictor,
)
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.identity import spots_hash
from napari_c2lst.slides.patches.cutting import PatchSpec
from napari_c2lst.slides.slide import Spots

IDS = np.array([f"AAA-{i}" for i in range(6)])
SPOTS = Spots(IDS, np.arange(12.0).reshape(6, 2))


def facts(**values: Any) -> PredictorFacts:
    panel = GenePanel(genes=("A", "B", "C", "D"), median_total=100, mean=(1,) * 4, std=(1,) * 4, spots=8)
    body = {
        "panel": panel,
        "spec": PatchSpec(patch_px=16),
        "training_ids": tuple(IDS[:2].tolist()),
        "arm": "real+synthetic",
        "steps": 6,
        "slide": "B4",
        "spots_hash": spots_hash(SPOTS),
        "pairs_hash": "sha256:pairs",
        "n_real": 2,
        "n_synthetic": 10,
        "seed": 0,
    }
    return PredictorFacts(**{**body, **values})


def predictor(seed: int = 0) -> Predictor:
    torch.manual_seed(seed)
    return Predictor(build_network({"name": "small", "widths": [8, 16]}, 4).eval().requires_grad_(False), facts())


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return predictor().save(tmp_path / "run")


class TestPredict:
    def test_the_batch_changes_nothing_but_the_last_digit(self) -> None:
        patches, _ = coloured_patches(11)
        whole = predictor().predict(patches)
        assert whole.shape == (11, 4)
        assert whole.dtype == np.float32
        for batch in (1, 4, 11):
            np.testing.assert_allclose(predictor().predict(patches, batch), whole, rtol=1e-4, atol=1e-5)

    def test_no_expression_is_negative(self) -> None:
        p = predictor()
        p.net.start_at(torch.tensor([-1.0, 0.0, 1.0, 2.0]))
        assert p.predict(coloured_patches(2)[0]).tolist() == [[0, 0, 1, 2]] * 2

    def test_no_patches(self) -> None:
        assert predictor().predict(np.zeros((0, 16, 16, 3), np.uint8)).shape == (0, 4)

    def test_averaged_over_flips_and_turns_the_side_up_does_not_matter(self) -> None:
        patches = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
        turned = np.ascontiguousarray(np.rot90(patches, axes=(1, 2)))
        p = predictor()
        assert np.abs(p.predict(patches) - p.predict(turned)).max() > 1e-3
        np.testing.assert_allclose(p.predict(patches, tta=True), p.predict(turned, tta=True), atol=1e-5)

    def test_the_spread_is_that_of_the_eight_views(self) -> None:
        patches = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
        p = predictor()
        mean, spread = p.predict_with_spread(patches)
        views = [np.rot90(side, k, (1, 2)) for side in (patches, patches[:, ::-1]) for k in range(4)]
        seen = np.stack([p.predict(np.ascontiguousarray(v)) for v in views])
        np.testing.assert_allclose(mean, seen.mean(0), atol=1e-5)
        np.testing.assert_allclose(spread, seen.std(0), atol=1e-5)
        assert spread.max() > 0

    def test_a_patch_of_one_colour_has_no_spread(self) -> None:
        plain = np.full((1, 16, 16, 3), 200, np.uint8)
        assert predictor().predict_with_spread(plain)[1].max() < 1e-5
        assert predictor().predict_with_spread(plain, tta=False)[1].max() == 0

    @pytest.mark.parametrize("patches", [np.zeros((2, 8, 8, 3), np.uint8), np.zeros((2, 16, 16, 3), np.float32)])
    def test_other_patches_are_refused(self, patches: np.ndarray) -> None:
        with pytest.raises(MismatchError, match="takes uint8 patches of 16 x 16 x 3"):
            predictor().predict(patches)

    @pytest.mark.parametrize(("threads", "most"), [(1, 3), (2, 6)])
    def test_a_cpu_looks_at_what_its_cache_can_hold(
        self, threads: int, most: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forward, seen = ExpressionNet.forward, []

        def watched(self: ExpressionNet, patches: torch.Tensor) -> torch.Tensor:
            seen.append(len(patches))
            return forward(self, patches)

        patches, _ = coloured_patches(12)
        whole = predictor().predict(patches)
        monkeypatch.setattr(ExpressionNet, "forward", watched)
        monkeypatch.setattr("napari_c2lst.expression.predictor._CACHED_PIXELS", 3 * 16 * 16)
        monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
        np.testing.assert_allclose(predictor().predict(patches), whole, rtol=1e-4, atol=1e-5)
        assert seen == [most] * (12 // most)

    def test_out_of_memory_halves_the_batch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        forward = ExpressionNet.forward

        def small_device(self: ExpressionNet, patches: torch.Tensor) -> torch.Tensor:
            if len(patches) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return forward(self, patches)

        patches, _ = coloured_patches(10)
        whole = predictor().predict(patches)
        monkeypatch.setattr(ExpressionNet, "forward", small_device)
        reporter = RecordingReporter()
        mean, _ = predictor().predict_with_spread(patches, 8, tta=False, reporter=reporter)
        np.testing.assert_allclose(mean, whole, rtol=1e-4, atol=1e-5)
        assert "out of memory with a batch of 8: going on with 4" in reporter.messages

    def test_the_halved_batch_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        forward, seen = ExpressionNet.forward, []

        def small_device(self: ExpressionNet, patches: torch.Tensor) -> torch.Tensor:
            seen.append(len(patches))
            if len(patches) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return forward(self, patches)

        patches, _ = coloured_patches(16)
        monkeypatch.setattr(ExpressionNet, "forward", small_device)
        reporter, p = RecordingReporter(), predictor()
        for _ in range(2):  # as `predict` calls it, part by part
            p.predict_with_spread(patches, 8, tta=False, reporter=reporter)
        assert seen == [8, 4] + [2] * 16
        assert reporter.messages == [
            "out of memory with a batch of 8: going on with 4",
            "out of memory with a batch of 4: going on with 2",
        ]


class TestFile:
    def test_it_comes_back_as_it_was_saved(self, saved: Path) -> None:
        patches, _ = coloured_patches(5)
        for path in (saved, saved.parent, str(saved.parent)):
            again = load_predictor(path, precision="fp32")
            assert again.facts == facts()
            assert np.array_equal(again.predict(patches), predictor().predict(patches))
        assert (again.arm, again.training_ids) == ("real+synthetic", ("AAA-0", "AAA-1"))
        assert again.panel.genes == ("A", "B", "C", "D")
        assert again.spec.patch_px == 16

    def test_its_hash_is_that_of_its_content(self, saved: Path, tmp_path: Path) -> None:
        same, other = predictor().save(tmp_path / "same"), predictor(1).save(tmp_path / "other")
        hashes = [load_predictor(p).content_hash for p in (saved, same, other)]
        assert hashes[0] == hashes[1] != hashes[2]
        assert hashes[0].startswith("sha256:")

    def test_the_header_is_versioned_json(self, saved: Path) -> None:
        with safe_open(saved, framework="pt") as file:
            body = json.loads(file.metadata()["c2lst_predictor"])
        assert body["version"] == 1
        assert body["architecture"] == {"name": "small", "widths": [8, 16]}
        assert body["facts"]["pairs_hash"] == "sha256:pairs"

    def test_nothing_half_written_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(tensors: Any, file: Path, metadata: Any) -> None:
            Path(file).write_bytes(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("safetensors.torch.save_file", full)
        with pytest.raises(InputError, match="the disk is full"):
            predictor().save(tmp_path / "run")
        assert list((tmp_path / "run").iterdir()) == []

    def test_saving_again_replaces_it(self, saved: Path) -> None:
        first = load_predictor(saved).content_hash
        predictor(1).save(saved.parent)
        assert load_predictor(saved).content_hash != first


class TestBadFiles:
    def test_there_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="there is no predictor"):
            load_predictor(tmp_path / "nowhere")

    def test_a_run_that_is_not_finished(self, tmp_path: Path) -> None:
        (tmp_path / "config.toml").touch()
        with pytest.raises(InputError, match="holds no predictor yet") as caught:
            find_predictor(tmp_path)
        assert "--resume auto" in caught.value.hint

    def test_a_pickle(self, tmp_path: Path) -> None:
        torch.save({}, tmp_path / "weights.pt")
        with pytest.raises(InputError, match="is a pickle"):
            load_predictor(tmp_path / "weights.pt")

    def test_not_safetensors(self, tmp_path: Path) -> None:
        (tmp_path / PREDICTOR_FILE).write_bytes(b"something else entirely")
        with pytest.raises(InputError, match="not a safetensors file"):
            load_predictor(tmp_path)

    def test_weights_of_something_else(self, tmp_path: Path) -> None:
        save_file({"a": torch.zeros(1)}, tmp_path / PREDICTOR_FILE)
        with pytest.raises(InputError, match="holds no predictor"):
            load_predictor(tmp_path)

    def test_cut_off(self, saved: Path) -> None:
        saved.write_bytes(saved.read_bytes()[:-100])
        with pytest.raises(InputError, match=r"not a safetensors file|is damaged"):
            load_predictor(saved)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"version": 2}, "has version 2"),
            ({"architecture": {"name": "small", "widths": [8, 24]}}, "is damaged"),
            ({"facts": {}}, "is damaged"),
            ({"architecture": {"name": "vgg"}}, "no network 'vgg'"),
        ],
    )
    def test_a_header_that_does_not_fit(self, saved: Path, change: dict[str, Any], message: str) -> None:
        with safe_open(saved, framework="pt") as file:
            body = json.loads(file.metadata()["c2lst_predictor"])
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        save_file(tensors, saved, metadata={"c2lst_predictor": json.dumps({**body, **change})})
        with pytest.raises(InputError, match=message):
            load_predictor(saved)


def some(order: Any, moved: float = 0) -> Spots:
    return Spots(SPOTS.ids[order], SPOTS.yx[order] + moved)


class TestKnows:
    def slide(self, name: str, spots: Spots) -> Any:
        return SimpleNamespace(name=name, require_spots=lambda: spots)

    def test_training_spots_of_its_slide(self) -> None:
        assert predictor().knows(self.slide("B4", SPOTS)).tolist() == [True] * 2 + [False] * 4

    def test_a_renamed_slide_is_known_by_its_spots(self) -> None:
        spots = some(np.roll(np.arange(6), 1))
        assert predictor().knows(self.slide("other name", spots)).tolist() == [False, True, True, False, False, False]

    def test_barcodes_of_another_slide_are_other_spots(self) -> None:
        assert not predictor().knows(self.slide("C5", some(np.arange(6), moved=3))).any()
        assert not predictor().knows(self.slide("C5", some(np.arange(5)))).any()

    def test_a_slide_that_lost_spots_is_known_by_its_name(self) -> None:
        assert predictor().knows(self.slide("B4", some(np.arange(1, 6)))).tolist() == [True, False, False, False, False]


def test_a_predictor_of_another_number_format_says_nearly_the_same() -> None:
    patches, _ = coloured_patches(4)
    p = predictor()
    np.testing.assert_allclose(replace(p, dtype=torch.bfloat16).predict(patches), p.predict(patches), atol=0.05)
