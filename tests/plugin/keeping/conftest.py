"""A store of the sample slide with sets and predictions, made once and copied for each test that writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set
from napari_c2lst.slides.store.results import write_elements


def a_set(slide: Slide, name: str, count: int, how: dict[str, Any] | None = None) -> SpotSet:
    """The first `count` spots; the last ten are left out."""
    ids = slide.require_spots().ids
    at = np.arange(len(ids))
    return SpotSet.of(name, ids, at < count, how or {"way": "test"}, at >= len(ids) - 10)


def predictions_table(slide: Slide) -> Any:
    """Predictions on held-out spots as `c2lst predict` writes them; the numbers are measured values and noise."""
    import anndata
    from spatialdata.models import TableModel

    from napari_c2lst.expression.facts import PredictorFacts
    from napari_c2lst.slides.genes.panel import GenePanel

    spots, chosen = slide.require_spots(), np.arange(283) >= 70
    panel = GenePanel.fit(slide.counts(), slide.genes, training=~chosen, size=5, where="test")
    example = PredictorFacts.model_fields.keys()
    assert "panel" in example
    source = slide.sdata.tables[slide.table_name]
    keys = source.obs[source.uns["spatialdata_attrs"]["instance_key"]].to_numpy()
    keys = keys if slide.rows is None else keys[slide.rows]
    obs = pd.DataFrame(
        {
            "region": pd.Categorical([slide.shapes_name] * int(chosen.sum())),
            "spot": keys[chosen],
            "training": False,
            "held_out": True,
        },
        index=pd.Index(spots.ids[chosen].astype(str)),
    )
    targets = panel.targets(slide.counts()[np.flatnonzero(chosen)], slide.genes, where="test")
    noise = np.random.default_rng(0).normal(0, 0.1, targets.shape)
    table = anndata.AnnData((targets + noise).astype(np.float32), obs=obs, var=pd.DataFrame(index=list(panel.genes)))
    table.obsm["spatial"] = np.ascontiguousarray(spots.yx[chosen][:, ::-1])
    table.uns["c2lst"] = {
        "kind": "predictions",
        "version": 1,
        "where": "spots",
        "name": "both",
        "arm": "real",
        "predictor": _facts(panel).model_dump_json(),
        "predictor_path": "runs/both",
        "predictor_hash": "sha256:0",
        "tta": False,
        "mpp": slide.mpp,
    }
    return TableModel.parse(table, region=slide.shapes_name, region_key="region", instance_key="spot")


def _facts(panel: Any) -> Any:
    from napari_c2lst.diffusion.central import central_spec
    from napari_c2lst.expression.facts import PredictorFacts

    values: dict[str, Any] = {"arm": "real", "panel": panel, "spec": central_spec("embedded"), "slide": "her2st-B4"}
    ids = tuple(str(i) for i in range(70))
    for name, field in PredictorFacts.model_fields.items():
        if field.is_required() and name not in values:
            values[name] = ids if name == "training_ids" else _plain(field.annotation)
    return PredictorFacts(**values)


def _plain(annotation: Any) -> Any:
    return {int: 1, str: "small", float: 1.0, bool: False}.get(annotation)


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("keeping") / "B4.zarr"
    shutil.copytree(sample_slide_path(), store)
    slide = open_slide(store)
    write_spot_set(slide, a_set(slide, "train", 70, {"fraction": 0.25, "seed": 0, "split": "random"}))
    write_elements(slide, tables={"c2lst_spots_both": predictions_table(slide)})
    return store


@pytest.fixture
def store(_made: Path, tmp_path: Path) -> Path:
    """A store with the set "train" and predictions "both" on spots, to write into."""
    path = tmp_path / "B4.zarr"
    shutil.copytree(_made, path)
    return path


@pytest.fixture
def slide(_made: Path) -> Slide:
    """The same, to read only."""
    return open_slide(_made)


@pytest.fixture
def make_set() -> Callable[..., SpotSet]:
    return a_set
