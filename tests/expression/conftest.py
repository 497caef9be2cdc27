"""A tiny slide with training spots, and the smallest settings, for the tests of this room."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.slides.stores import make_tiny_store

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.expression.settings import FitSettings, TrainSettings
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set

SPEC = {"patch_um": 112.0, "patch_px": 16}
FAST: dict[str, Any] = {"preset": "small", "device": "cpu", "steps": 6, "batch": 8, "workers": 1}


def every_third(slide: Slide) -> np.ndarray:
    """The training spots of the tiny slide: 21 of 63."""
    return np.arange(len(slide.require_spots())) % 3 == 0


@pytest.fixture(scope="session")
def store_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_tiny_store(tmp_path_factory.mktemp("expression") / "tiny.zarr")
    slide = open_slide(path)
    mask = every_third(slide)
    ids = slide.require_spots().ids
    write_spot_set(slide, SpotSet.of("train", ids, mask, {"test": True}))
    write_spot_set(slide, SpotSet.of("few", ids, np.arange(len(ids)) < 7, {"test": True}))
    write_spot_set(slide, SpotSet.of("everything", ids, np.ones(len(ids), bool), {"test": True}))
    return path


@pytest.fixture
def store(store_once: Path, tmp_path: Path) -> Path:
    """A copy of the tiny slide, with the spot sets `train`, `few` and `everything`, that a test may write into."""
    return Path(shutil.copytree(store_once, tmp_path / "tiny.zarr"))


@pytest.fixture(scope="session")
def small_central() -> Callable[[pytest.MonkeyPatch], None]:
    """Patches of 16 px instead of what the embedded central model has: the patch size is all `train` takes from it."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        from napari_c2lst.diffusion import central
        from napari_c2lst.slides.patches.cutting import PatchSpec

        monkeypatch.setattr(central, "central_spec", lambda source, allow_download=False: PatchSpec(**SPEC))

    return patch


def fit_settings(**values: Any) -> FitSettings:
    return FitSettings.resolve(**{k: v for k, v in {**FAST, **values}.items() if k in FitSettings.model_fields})


def train_settings(slide: Path, out: Path, **values: Any) -> TrainSettings:
    return TrainSettings.resolve(slide=slide, out=out, **{**FAST, "genes": 12, **values})


@pytest.fixture(scope="session")
def trained_once(
    store_once: Path, tmp_path_factory: pytest.TempPathFactory, small_central: Callable[[pytest.MonkeyPatch], None]
) -> Path:
    """A predictor's run folder, trained for a few steps on the spots `train` of the tiny slide."""
    from napari_c2lst.expression.training import run

    out = tmp_path_factory.mktemp("run") / "tiny_run"
    with pytest.MonkeyPatch.context() as monkeypatch:
        small_central(monkeypatch)
        run(train_settings(store_once, out), Reporter())
    return out


def write_pairs(
    store: Path,
    path: Path,
    *,
    spots: str = "train",
    slide_name: str | None = None,
    rename: dict[str, str] | None = None,
    ratio: int = 2,
) -> Path:
    """Pairs as `sample` writes them, with real patches in place of synthetic ones."""
    from napari_c2lst.diffusion.conditions import plan_conditions
    from napari_c2lst.diffusion.pairs import PairsFacts
    from napari_c2lst.diffusion.pairs_writing import PairsWriter
    from napari_c2lst.slides.genes.panel import GenePanel
    from napari_c2lst.slides.identity import spots_hash
    from napari_c2lst.slides.patches.cutting import PatchSpec, spot_patches
    from napari_c2lst.slides.spots.spotsets import read_spot_set

    slide = open_slide(store)
    mask = read_spot_set(slide, spots).mask
    panel = GenePanel.fit(slide.counts(), slide.genes, training=mask, size=12)
    targets = panel.targets(slide.counts()[mask], slide.genes)
    if rename:
        panel = panel.model_copy(update={"genes": tuple(rename.get(g, g) for g in panel.genes)})
    ids = slide.require_spots().ids[mask]
    conditions = plan_conditions(targets, ids, ratio=ratio)
    facts = PairsFacts(
        slide=slide_name or slide.name,
        spots_hash=spots_hash(slide.require_spots()) if slide_name is None else "sha256:other",
        training_ids=tuple(ids.tolist()),
        panel=panel,
        spec=PatchSpec(**SPEC),
        central_hash="sha256:central",
        local_hash="sha256:local",
    )
    writer = PairsWriter(path, conditions, facts, seed=0)
    patches = spot_patches(slide, slide.require_spots().yx[mask], facts.spec, workers=1)
    for k in range(ratio):
        writer.write(k * len(ids), patches)
    return writer.finish()
