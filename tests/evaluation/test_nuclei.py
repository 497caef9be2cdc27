"""`c2lst evaluate --cells`: nuclei of real and synthetic patches by a real, tiny HoVer-Net of random weights."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_c2lst.cells.facts import CONSEP_TYPES, CellFacts
from napari_c2lst.cells.inference import NucleusNet
from napari_c2lst.cells.network import HoVerNet
from napari_c2lst.cells.synthetic import iter_patch_nuclei, patch_counts
from napari_c2lst.cells.weights import load_hovernet, save_hovernet
from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.diffusion.conditions import Conditions
from napari_c2lst.diffusion.pairs import PAIRS_FILE, Pairs, PairsFacts, load_pairs
from napari_c2lst.diffusion.pairs_writing import PairsWriter
from napari_c2lst.evaluation.evaluating import run
from napari_c2lst.evaluation.nuclei import compare_nuclei, load_weights
from napari_c2lst.evaluation.result import EvaluateResult
from napari_c2lst.evaluation.settings import EvaluateSettings
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.patches.cutting import PatchSpec, spot_patches
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import read_spot_set

SPEC = PatchSpec(patch_um=32.0, patch_px=16)  # 2 um/px: too coarse, but quick
NOTICE = "research use only, says the test"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    net = HoVerNet(nr_types=5, width=1 / 16).eval()
    facts = CellFacts(mode="fast", nr_types=5, types=CONSEP_TYPES, width=1 / 16, name="tiny", notice=NOTICE)
    return save_hovernet(net, facts, tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture
def pairs(slide: Slide, tmp_path: Path) -> Path:
    return make_pairs(slide, tmp_path / "pairs")


def make_pairs(on: Slide, folder: Path, **facts: Any) -> Path:
    """Two synthetic patches (noise) for each of the first four training spots, the second one of a mixture."""
    chosen = read_spot_set(on, "train")
    ids = on.require_spots().ids[chosen.mask][:4]
    panel = GenePanel.fit(on.counts(), on.genes, training=chosen.mask, size=6)
    made = {
        "slide": on.name, "training_ids": tuple(ids.tolist()), "panel": panel, "spec": SPEC,
        "central_hash": "sha256:0", "local_hash": "sha256:0",
    }  # fmt: skip
    source = np.repeat(ids, 2)
    weight = np.tile(np.array([0, 0.5], np.float32), 4)
    other = np.where(weight > 0, np.roll(source, 2), source)
    folder.mkdir()
    conditions = Conditions(np.zeros((8, len(panel)), np.float32), source, other, weight)
    writer = PairsWriter(folder / PAIRS_FILE, conditions, PairsFacts(**{**made, **facts}), seed=0)
    writer.write(0, np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8))
    writer.finish()
    return folder


def settings(store: Path, out: Path, **values: Any) -> EvaluateSettings:
    fast = {"device": "cpu", "precision": "fp32", "workers": 1, "draws": 100, "figures": False}
    return EvaluateSettings.resolve(**{"slide": store, "out": out, **fast, **values})


def counted(weights: Path, patches: np.ndarray) -> np.ndarray:
    model = load_hovernet(weights)
    net = NucleusNet(model, "cpu", "fp32", 8)
    return np.stack([patch_counts(nuclei, model.facts) for nuclei in iter_patch_nuclei(net, patches, SPEC.mpp)])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_from_weights_to_page(
    slide: Slide, store_once: Path, central: Path, pairs: Path, weights: Path, tmp_path: Path
) -> None:
    reporter = RecordingReporter()
    given = {"pairs": pairs, "cells": str(weights), "central": str(central), "figures": True, "genes_shown": ["GENE00"]}
    result = run(settings(store_once, tmp_path / "scores", **given), reporter)
    assert isinstance(result, EvaluateResult)
    assert result.composition == tmp_path / "scores" / "composition.csv"

    # the numbers are those of a direct count: of the synthetic patches, and of the real ones read at the same pixels
    loaded = load_pairs(pairs)
    spots = slide.require_spots()
    real = spot_patches(slide, spots.yx[np.isin(spots.ids, loaded.source_a)], SPEC)
    expected = {"real": counted(weights, real), "synthetic": counted(weights, loaded.patches)}
    patches = rows_of(tmp_path / "scores" / "composition_patches.csv")
    names = [kind.name for kind in CONSEP_TYPES[1:]]
    for group, counts in expected.items():
        got = [[int(row[name]) for name in names] for row in patches if row["patches"] == group]
        np.testing.assert_array_equal(got, counts)
    assert sum(counts.sum() for counts in expected.values()) > 20, "the random network finds something"
    for i, row in enumerate(rows_of(result.composition)):
        for group, counts in expected.items():
            shares = counts[counts.sum(axis=1) > 0] / counts.sum(axis=1, keepdims=True)[counts.sum(axis=1) > 0]
            assert float(row[f"{group}_mean"]) == pytest.approx(shares[:, i].mean(), abs=1e-5)
            assert float(row[f"{group}_sd"]) == pytest.approx(shares[:, i].std(ddof=1), abs=1e-5)
    mixtures = [row["spot"] for row in patches if row["patches"] == "synthetic"][1::2]
    assert all("+" in spot for spot in mixtures)

    # what a reader sees
    page = result.page.read_text()
    said = "\n".join(result.lines())
    for text in (page, said):
        assert "proportions of types, mean ± SD" in text
        assert "Jensen-Shannon divergence" in text
        assert NOTICE in text
        assert "real patches were brought to the pixels of the synthetic ones (16 px of 2 um)" in text
        assert "above 1 um/px nuclei can hardly be seen" in text
    assert "(figures/composition.png)" in page
    assert result.figures[-1].name == "composition.png"
    assert result.figures[-1].with_suffix(".svg").exists()
    assert NOTICE in reporter.messages
    assert {"done": 12, "total": 12, "what": "patches searched for nuclei"} in reporter.of_kind("progress")


def test_the_plugin_still_reads_the_folder(
    store_once: Path, central: Path, pairs: Path, weights: Path, tmp_path: Path
) -> None:
    from napari_c2lst.plugin.judging.reading import read_scores

    run(settings(store_once, tmp_path / "s", pairs=pairs, cells=str(weights), central=str(central)), Reporter())
    assert {score.arm for score in read_scores(tmp_path / "s").scores} == {"mean", "median", "ridge"}


def test_many_patches_are_drawn_at_random(slide: Slide, pairs: Path, weights: Path, tmp_path: Path) -> None:
    def found(**values: Any) -> list[str]:
        given = settings(tmp_path, tmp_path, pairs=pairs, cells=str(weights), cells_patches=3, **values)
        model = load_weights(given, Reporter())
        assert model is not None
        made = compare_nuclei(given, slide, load_pairs(pairs), model, Reporter())
        assert (made.real.available, made.synthetic.available) == (4, 8)
        assert (len(made.real.counts), len(made.synthetic.counts)) == (3, 3)
        return made.synthetic.source.tolist()

    assert found() == found() != found(seed=1)


def test_a_stop_between_patches(slide: Slide, pairs: Path, weights: Path, tmp_path: Path) -> None:
    given = settings(tmp_path, tmp_path, pairs=pairs, cells=str(weights))
    model = load_weights(given, Reporter())
    assert model is not None
    with pytest.raises(Stopped, match="after 1 of 12 patches"):
        compare_nuclei(given, slide, load_pairs(pairs), model, RecordingReporter(stop_after=1))


def test_bad_input_before_any_work(slide: Slide, store_once: Path, pairs: Path, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name pairs as well"):
        settings(store_once, tmp_path / "s", cells=str(weights))
    with pytest.raises(InputError, match=r"there are no weights 'nowhere\.tar'"):
        run(settings(store_once, tmp_path / "s", pairs=pairs, cells="nowhere.tar"), Reporter())
    with pytest.raises(InputError, match="CC BY-NC-SA"):
        run(settings(store_once, tmp_path / "s", pairs=pairs, cells="pannuke", accept_licence=True), Reporter())
    untyped = HoVerNet(width=1 / 16).eval()
    save_hovernet(untyped, CellFacts(mode="fast", width=1 / 16), tmp_path / "untyped.safetensors")
    with pytest.raises(MismatchError, match="no types"):
        run(settings(store_once, tmp_path / "s", pairs=pairs, cells=str(tmp_path / "untyped.safetensors")), Reporter())
    other = make_pairs(slide, tmp_path / "other", slide="another")
    with pytest.raises(InputError, match="made from slide 'another'"):
        run(settings(store_once, tmp_path / "s", pairs=other, cells=str(weights)), Reporter())
    assert not (tmp_path / "s").exists()


def test_predictors_without_pairs_are_scored_and_it_says_so(
    store_once: Path, predictor: Callable[..., Path], weights: Path, tmp_path: Path
) -> None:
    given = {"predictors": [predictor("alone")], "cells": str(weights)}
    result = run(settings(store_once, tmp_path / "scores", **given), Reporter())
    assert result.composition is None
    assert any("nuclei were not compared" in note for note in result.notes)


def test_pairs_of_other_spots(slide: Slide, pairs: Path, weights: Path, tmp_path: Path) -> None:
    given = settings(tmp_path, tmp_path, pairs=pairs, cells=str(weights))
    model = load_weights(given, Reporter())
    assert model is not None
    there = load_pairs(pairs)
    strange = np.full(len(there), "nobody")
    foreign = Pairs(there.patches, there.targets, strange, strange, there.weight, there.facts)
    with pytest.raises(InputError, match="no spot of the pairs"):
        compare_nuclei(given, slide, foreign, model, Reporter())
