"""The tiny slide itself: the other tests rely on these numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from spatialdata import read_zarr
from tests.slides.stores import make_tiny_store, tiny_counts, tiny_positions


def test_store_has_the_promised_elements(tiny_store_once: Path) -> None:
    sdata = read_zarr(tiny_store_once)
    assert list(sdata.images) == ["tiny_full_image"]
    assert [sdata.images["tiny_full_image"][f"scale{i}"]["image"].shape[1:] for i in range(3)] == [
        (300, 400),
        (150, 200),
        (75, 100),
    ]
    assert sdata.tables["table"].shape == (63, 40)
    assert list(sdata.shapes["tiny"].index) == list(sdata.tables["table"].obs["spot_id"])


def test_spots_lie_a_hundred_microns_apart_and_inside_the_image() -> None:
    _, yx = tiny_positions(mpp=2.5)
    apart = np.linalg.norm(yx[:, None] - yx[None], axis=-1)[~np.eye(len(yx), dtype=bool)]
    assert np.isclose(apart.min() * 2.5, 100)
    assert yx.min() > 22.4
    assert yx[:, 0].max() < 300 - 22.4
    assert yx[:, 1].max() < 400 - 22.4


def test_a_seed_changes_counts_and_nothing_else(tmp_path: Path, tiny_store_once: Path) -> None:
    array_rc, _ = tiny_positions()
    assert (tiny_counts(array_rc, seed=0) != tiny_counts(array_rc, seed=1)).any()
    other = read_zarr(make_tiny_store(tmp_path / "other.zarr", seed=1, gene_names=["A", "B", "A"], extra_obs={"k": 1}))
    assert list(other.tables["table"].var_names) == ["A", "B", "A"]
    assert list(other.tables["table"].obs["k"].unique()) == [1]
    assert list(other.shapes["tiny"].index) == list(read_zarr(tiny_store_once).shapes["tiny"].index)
