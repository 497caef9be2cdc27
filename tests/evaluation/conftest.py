"""A tiny slide with a random and a blocked training set, and predictors of random weights: no training needed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.diffusion.models import tiny_central
from tests.slides.stores import make_tiny_store

from napari_c2lst.diffusion.central import save_central
from napari_c2lst.expression.networks import build_network
from napari_c2lst.expression.predictor import Predictor, PredictorFacts
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.identity import spots_hash
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import PatchSpec
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.splitting import blocked_split, random_split
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set

SPEC = PatchSpec(patch_um=112.0, patch_px=16)
GENES = 12


@pytest.fixture(scope="session")
def store_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_tiny_store(tmp_path_factory.mktemp("evaluation") / "tiny.zarr")
    slide = open_slide(path)
    spots = slide.require_spots()
    mask = random_split(len(spots), 0.3, 0)
    write_spot_set(slide, SpotSet.of("train", spots.ids, mask, {"fraction": 0.3, "seed": 0, "split": "random"}))
    training, buffer = blocked_split(spots.yx * slide.mpp, 0.3, 0)
    how = {"fraction": 0.3, "seed": 0, "split": "blocked"}
    write_spot_set(slide, SpotSet.of("blocked", spots.ids, training, how, buffer))
    return path


@pytest.fixture
def store(store_once: Path, tmp_path: Path) -> Path:
    """A copy of the tiny slide, with the spot sets `train` and `blocked`, that a test may write into."""
    return Path(shutil.copytree(store_once, tmp_path / "tiny.zarr"))


@pytest.fixture(scope="session")
def slide(store_once: Path) -> Slide:
    """The tiny slide, to be read only."""
    return open_slide(store_once)


@pytest.fixture(scope="session")
def central(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A central model of random weights."""
    return save_central(tiny_central(), tmp_path_factory.mktemp("central") / "central")


def make_predictor(on: Slide, mask: np.ndarray, folder: Path, **facts: Any) -> Path:
    """Write a predictor of random weights into a folder; `facts` replace those of a real-only run of 6 steps."""
    size = facts.pop("size", GENES)
    panel = GenePanel.fit(on.counts(), on.genes, training=mask, size=size)
    seed = facts.get("seed", 0)
    torch.manual_seed(seed)
    net = build_network({"name": "small", "widths": [8, 16]}, len(panel))
    with torch.no_grad():
        net.head.weight.normal_(0, 0.3)
    ids = on.require_spots().ids
    values = {
        "panel": panel,
        "spec": SPEC,
        "training_ids": tuple(ids[mask].tolist()),
        "arm": "real",
        "steps": 6,
        "slide": on.name,
        "spots_hash": spots_hash(on.require_spots()),
        "n_real": int(mask.sum()),
        "n_synthetic": 0,
        "seed": seed,
    }
    folder.mkdir(parents=True)
    return Predictor(net.eval(), PredictorFacts(**{**values, **facts})).save(folder).parent


@pytest.fixture(scope="session")
def predicted_once(slide: Slide, store_once: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A store that holds the predictions of two predictors, `one` and `two`, and the folder they lie in."""
    from napari_c2lst.common.reporter import Reporter
    from napari_c2lst.expression.predicting import run
    from napari_c2lst.expression.settings import PredictSettings
    from napari_c2lst.slides.spots.spotsets import read_spot_set

    folder = tmp_path_factory.mktemp("predicted")
    store = Path(shutil.copytree(store_once, folder / "tiny.zarr"))
    for seed, name in enumerate(("one", "two")):
        path = make_predictor(slide, read_spot_set(slide, "train").mask, folder / name, seed=seed)
        on_cpu = {"device": "cpu", "precision": "fp32", "workers": 1}
        run(PredictSettings.resolve(slide=store, predictor=path, **on_cpu), Reporter())
    return store, folder


@pytest.fixture
def predictor(slide: Slide, tmp_path: Path) -> Callable[..., Path]:
    """`predictor(name, set_name, **facts)`: a run folder with a predictor trained on a spot set."""
    from napari_c2lst.slides.spots.spotsets import read_spot_set

    def make(name: str, spots: str = "train", **facts: Any) -> Path:
        return make_predictor(slide, read_spot_set(slide, spots).mask, tmp_path / "runs" / name, **facts)

    return make
