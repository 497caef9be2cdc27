"""Train and predict on slides that are no SpatialData and coarser than the model's pixels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spatialdata
from tests.expression.conftest import train_settings

from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.expression.predicting import run as predict
from napari_c2lst.expression.predictor import load_predictor
from napari_c2lst.expression.settings import PredictSettings
from napari_c2lst.expression.training import run as train
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set
from napari_c2lst.slides.store.results import ensure_store


@pytest.fixture
def layout(
    request: pytest.FixtureRequest,
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    small_central: Callable[[pytest.MonkeyPatch], None],
) -> Path:
    """A slide in another program's files, linked into a folder that may be written to."""
    small_central(monkeypatch)
    source, name = request.param
    folder = tmp_path / "slides"
    folder.mkdir()
    for file in (shared / source).iterdir():
        (folder / file.name).symlink_to(file)
    return folder / name


@pytest.mark.slow
@pytest.mark.parametrize(
    "layout", [("st2k-mob", "MOB1.tsv.gz"), ("visium-crc16", "outs")], ids=["legacy ST", "Visium"], indirect=True
)
def test_from_foreign_files_to_maps(layout: Path, tmp_path: Path) -> None:
    store = ensure_store(layout, RecordingReporter())
    slide = open_slide(store)
    spots = slide.require_spots()
    mask = np.arange(len(spots)) % 20 == 0
    write_spot_set(slide, SpotSet.of("train", spots.ids, mask, {}))

    # the file itself is named, not its conversion, as a user would
    reporter = RecordingReporter()
    result = train(train_settings(layout, tmp_path / "run", steps=3), reporter)
    assert (result.n_real, result.arm) == (mask.sum(), "real")
    assert any("made from" in m for m in reporter.messages)

    settings = PredictSettings.resolve(
        slide=layout, predictor=tmp_path / "run", device="cpu", where="both", stride_um=200, name="maps"
    )
    reporter = RecordingReporter()
    done = predict(settings, reporter)
    assert done.store == store
    assert done.n_spots == (~mask).sum()
    assert done.n_grid > 50
    sdata = spatialdata.read_zarr(store)
    table = sdata.tables["c2lst_spots_maps"]
    # bound to the user's own circles: every key is found there
    joined, rows = spatialdata.join_spatialelement_table(
        sdata=sdata, spatial_element_names=slide.shapes_name, table_name="c2lst_spots_maps", how="inner"
    )
    assert len(joined[slide.shapes_name]) == rows.n_obs == done.n_spots
    centres = np.c_[joined[slide.shapes_name].geometry.y, joined[slide.shapes_name].geometry.x]
    order = {name: i for i, name in enumerate(spots.ids.tolist())}
    wanted = spots.yx[[order[name] for name in rows.obs_names]]
    # level-0 pixels and the units of the circles may differ, but only by one scale
    factors = wanted / centres
    np.testing.assert_allclose(factors, np.median(factors), rtol=0.01)
    assert table.var_names.tolist() == list(load_predictor(tmp_path / "run").panel.genes)
    assert json.loads((tmp_path / "run" / "result.json").read_text())["arm"] == "real"
