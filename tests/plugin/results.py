"""Results as the tasks write them, on the tiny slide: predictions, pairs and scores whose every number is known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from tests.expression.conftest import write_pairs
from tests.slides.stores import make_tiny_store

from napari_c2lst.evaluation.records import Entry, Trial
from napari_c2lst.evaluation.report import write_differences, write_genes, write_scores
from napari_c2lst.evaluation.scoring import differences, gene_scores, score_trial
from napari_c2lst.expression.facts import PredictorFacts
from napari_c2lst.expression.grid import Grid, grid_shapes
from napari_c2lst.expression.rows import RowsOnDisk
from napari_c2lst.expression.tables import GRID, SPOTS, Rows, Written, grid_table, spots_table
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.identity import spots_hash
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import PatchSpec
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set
from napari_c2lst.slides.store.results import write_elements

GENES = 12


def training_spots(slide: Slide) -> np.ndarray:
    """Every third spot: 21 of 63."""
    return np.arange(len(slide.require_spots())) % 3 == 0


def panel_of(slide: Slide) -> GenePanel:
    return GenePanel.fit(slide.counts(), slide.genes, training=training_spots(slide), size=GENES)


def predicted_of(slide: Slide) -> np.ndarray:
    """What the predictor says on every spot: half of what was measured, and a quarter."""
    return (0.5 * panel_of(slide).targets(slide.counts(), slide.genes) + 0.25).astype(np.float32)


def make_results(path: Path) -> Path:
    """The tiny slide with a set `train` and predictions: `both` on all spots with spread, `real` on held-out spots,
    `both` on a grid."""
    make_tiny_store(path)
    slide = open_slide(path)
    ids = slide.require_spots().ids
    write_spot_set(slide, SpotSet.of("train", ids, training_spots(slide), {"split": "blocked", "seed": 0}))
    write_predictions(slide, "real", held_out_only=True)
    write_predictions(slide, "both", arm="real+synthetic", spread=0.1)  # the newer one comes first
    write_grid(slide, "both")
    return path


def written_of(slide: Slide, name: str, arm: str = "real", tta: bool = False) -> Written:
    training = training_spots(slide)
    facts = PredictorFacts(
        panel=panel_of(slide),
        spec=PatchSpec(patch_um=112.0, patch_px=16),
        training_ids=tuple(slide.require_spots().ids[training].tolist()),
        arm=arm,
        steps=6,
        slide=slide.name,
        spots_hash=spots_hash(slide.require_spots()),
        n_real=21,
        n_synthetic=0,
        seed=0,
    )
    return Written(name, "/runs/real/predictor.safetensors", "sha256:1", facts, tta, slide.mpp)


def write_predictions(
    slide: Slide, name: str, *, arm: str = "real", held_out_only: bool = False, spread: float | None = None
) -> None:
    training = training_spots(slide)
    chosen = ~training if held_out_only else np.ones_like(training)
    mean = predicted_of(slide)[chosen]
    rows = Rows(
        _on_disk(slide, mean), None if spread is None else _on_disk(slide, np.full_like(mean, spread) * (1 + mean))
    )
    written = written_of(slide, name, arm, tta=spread is not None)
    write_elements(slide, tables={SPOTS + name: spots_table(slide, chosen, rows, written, training)})


def write_grid(slide: Slide, name: str) -> None:
    """A grid of 100 um over the left half; a position's values are its column."""
    stride = 100.0 / slide.mpp
    rows, columns = (each.ravel() for each in np.mgrid[:5, :4])
    grid = Grid(np.stack([rows, columns], 1) * stride + 30.0, stride, 100.0)
    values = np.repeat(columns[:, None].astype(np.float32), GENES, axis=1)
    region = GRID + name
    table = grid_table(region, grid, Rows(_on_disk(slide, values), None), written_of(slide, name))
    write_elements(slide, tables={f"{region}_table": table}, shapes={region: grid_shapes(slide, grid)})


def _on_disk(slide: Slide, values: np.ndarray) -> RowsOnDisk:
    rows = RowsOnDisk(slide.path, values.shape)
    rows.write(np.arange(len(values)), values)
    return rows


def copy_results(once: Path, folder: Path) -> Path:
    """A copy that a test may write into, with its runs beside it."""
    runs = once.with_name("tiny_c2lst")
    if runs.is_dir():
        shutil.copytree(runs, folder / "tiny_c2lst")
    return Path(shutil.copytree(once, folder / "tiny.zarr"))


def make_run(folder: Path, kind: str, result: dict[str, Any] | None = None) -> Path:
    """A finished run folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(tomli_w.dumps({"kind": kind, "settings": {"out": str(folder)}}))
    (folder / "result.json").write_text(json.dumps(result or {}))
    return folder


def make_pairs(store: Path, name: str = "pairs", ratio: int = 2) -> Path:
    """A finished run of `sample` among the slide's runs; its `synthetic` patches are the real ones."""
    folder = make_run(store.with_name("tiny_c2lst") / name, "sample")
    write_pairs(store, folder / "pairs.zarr", ratio=ratio)
    return folder


def trial_of(slide: Slide, *, split: str = "blocked", seed: int = 0, noise: float = 0.0, flat: bool = False) -> Trial:
    """Baselines and the network `real`, scored on the held-out spots."""
    training = training_spots(slide)
    targets = panel_of(slide).targets(slide.counts(), slide.genes)
    truth, seen = targets[~training], targets[training]
    rng = np.random.default_rng(seed)
    network = rng.random(truth.shape) if flat else predicted_of(slide)[~training] + noise * rng.random(truth.shape)
    constant = {"mean": seen.mean(axis=0), "median": np.median(seen, axis=0)}
    entries = [Entry(name, np.repeat(row[None], len(truth), axis=0)) for name, row in constant.items()]
    entries.append(Entry("ridge", truth * 0.1 + rng.random(truth.shape)))
    entries.append(Entry("real", network, "real", 6, 0))
    return Trial(split, seed, 21, panel_of(slide).genes, np.flatnonzero(~training), truth, tuple(entries), scale=100.0)


def make_scores(
    store: Path, name: str = "scores", trials: list[Trial] | None = None, notes: tuple[str, ...] = ()
) -> Path:
    """A finished run of `evaluate` among the slide's runs."""
    trials = trials or [trial_of(open_slide(store))]
    folder = make_run(store.with_name("tiny_c2lst") / name, "evaluate", {"notes": list(notes)})
    write_scores(folder / "scores.csv", [score for trial in trials for score in score_trial(trial, draws=100)])
    write_genes(folder / "genes.csv", [row for trial in trials for row in gene_scores(trial)])
    write_differences(folder / "differences.csv", differences(trials, draws=100))
    return folder
