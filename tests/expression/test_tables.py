from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.expression.test_grid import lattice
from tests.expression.test_predictor import facts

from napari_c2lst.common.errors import InputError
from napari_c2lst.expression.rows import RowsOnDisk
from napari_c2lst.expression.tables import (
    Rows,
    Written,
    grid_table,
    read_written,
    spots_table,
    write_csv,
)
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set
from napari_c2lst.slides.store import in_parts

WRITTEN = Written("run1", "/runs/run1/predictor.safetensors", "sha256:weights", facts(), tta=False, mpp=2.5)


def rows_of(values: np.ndarray, folder: Path, *, spread: bool = False) -> Rows:
    def one(v: np.ndarray) -> RowsOnDisk:
        rows = RowsOnDisk(folder, v.shape)
        rows.write(np.arange(len(v)), v)
        return rows

    return Rows(one(values), one(values / 10) if spread else None)


def random_values(n: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, 4)).astype(np.float32)


class TestSpots:
    def test_rows_are_bound_to_the_slides_own_shapes(self, store_once: Path, tmp_path: Path) -> None:
        slide = open_slide(store_once)
        training = np.arange(63) % 3 == 0
        values = random_values(42)
        table = spots_table(slide, ~training, rows_of(values, tmp_path), WRITTEN, training)
        attrs = table.uns["spatialdata_attrs"]
        assert (attrs["region"], attrs["instance_key"]) == ("tiny", "spot")
        assert set(table.obs["spot"]) <= set(slide.sdata.shapes["tiny"].index)
        assert table.obs_names.tolist() == slide.require_spots().ids[~training].tolist()
        assert np.array_equal(np.asarray(table.X.compute()), values)
        assert table.var_names.tolist() == ["A", "B", "C", "D"]
        assert np.array_equal(table.obsm["spatial"][:, ::-1], slide.require_spots().yx[~training])
        assert "spread" not in table.layers

    def test_training_and_held_out_spots_are_told_apart(self, store_once: Path, tmp_path: Path) -> None:
        training = np.arange(63) % 3 == 0
        table = spots_table(
            open_slide(store_once), np.ones(63, bool), rows_of(random_values(63), tmp_path), WRITTEN, training
        )
        assert np.array_equal(table.obs["training"], training)
        assert np.array_equal(table.obs["held_out"], ~training)
        assert "unseen" not in table.obs

    def test_spots_that_the_set_leaves_out_are_not_held_out(self, store: Path, tmp_path: Path) -> None:
        slide = open_slide(store)
        training, left_out = np.arange(63) % 3 == 0, np.arange(63) % 3 == 1
        spots = SpotSet.of("train", slide.require_spots().ids, training, {}, left_out)
        write_spot_set(slide, spots, replace=True)
        chosen = np.arange(63) >= 4
        table = spots_table(open_slide(store), chosen, rows_of(random_values(59), tmp_path), WRITTEN, training)
        assert np.array_equal(table.obs["held_out"], (np.arange(63) % 3 == 2)[chosen])
        assert np.array_equal(table.obs["training"], training[chosen])

    def test_without_the_set_no_spot_is_called_held_out(self, store_once: Path, tmp_path: Path) -> None:
        training = np.arange(63) % 4 == 0
        table = spots_table(
            open_slide(store_once), np.ones(63, bool), rows_of(random_values(63), tmp_path), WRITTEN, training
        )
        assert "held_out" not in table.obs
        assert np.array_equal(table.obs["unseen"], ~training)

    def test_instance_keys_are_those_of_the_users_table(self, store_once: Path, tmp_path: Path) -> None:
        """Visium stores: shapes are numbered, spots are called by their barcodes, and some have no counts."""
        slide = open_slide(store_once)
        numbers = np.arange(100, 163)
        obs = pd.DataFrame({"number": numbers}, index=[f"barcode{i}" for i in range(63)])
        table = SimpleNamespace(obs=obs, uns={"spatialdata_attrs": {"instance_key": "number"}})
        order = np.arange(63)[::-1]
        visium: Any = SimpleNamespace(
            require_spots=slide.require_spots,
            sdata=SimpleNamespace(tables={"table": table}),
            table_name="table",
            shapes_name="tiny",
            rows=order,
        )
        chosen = np.arange(63) < 5
        made = spots_table(visium, chosen, rows_of(random_values(5), tmp_path), WRITTEN, ~chosen)
        assert made.obs["spot"].tolist() == numbers[::-1][:5].tolist()


class TestGrid:
    def test_rows_are_bound_to_the_grids_shapes(self, tmp_path: Path) -> None:
        grid = lattice(keep=0.6)
        table = grid_table(
            "c2lst_grid_run1", grid, rows_of(random_values(len(grid)), tmp_path, spread=True), WRITTEN
        ).first()
        assert table.uns["spatialdata_attrs"]["region"] == "c2lst_grid_run1"
        assert table.obs["position"].tolist() == list(range(len(grid)))
        assert np.array_equal(table.obs[["row", "column"]].to_numpy(), grid.rows_columns)
        assert table.obs_names.is_unique
        np.testing.assert_allclose(table.layers["spread"].compute(), random_values(len(grid)) / 10, rtol=1e-6)
        assert table.uns["c2lst"]["stride_um"] == 10.0

    def test_parts_are_rows_of_the_whole(self, tmp_path: Path) -> None:
        grid = lattice()
        made = grid_table("c2lst_grid_run1", grid, rows_of(random_values(len(grid)), tmp_path, spread=True), WRITTEN)
        every, part = made.first(), made.make(2, 6)
        pd.testing.assert_frame_equal(part.obs, every.obs[2:6])
        assert np.array_equal(part.obsm["spatial"], every.obsm["spatial"][2:6])
        assert np.array_equal(part.X.compute(), random_values(len(grid))[2:6])
        assert np.array_equal(part.layers["spread"].compute(), every.layers["spread"].compute()[2:6])
        assert made.rows == len(grid)


class TestWritten:
    def test_a_table_says_what_made_it(self, tmp_path: Path) -> None:
        table = grid_table("region", lattice(), rows_of(random_values(12), tmp_path), WRITTEN).first()
        body = table.uns["c2lst"]
        assert (body["kind"], body["where"], body["arm"]) == ("predictions", "grid", "real+synthetic")
        assert read_written(table) == WRITTEN
        assert None not in body.values()  # an AnnData cannot hold it

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (None, "holds no predictions"),
            ({"kind": "spot set"}, "holds no predictions"),
            ({"kind": "predictions", "version": 2}, "have version 2"),
            ({"kind": "predictions", "version": 1}, "are damaged"),
            ({"kind": "predictions", "version": 1, "predictor": "{}"}, "are damaged"),
        ],
    )
    def test_other_tables_are_refused(self, body: Any, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_written(SimpleNamespace(uns={} if body is None else {"c2lst": body}))


@pytest.mark.parametrize("part", [5000, 2**14])
def test_csv_has_a_row_for_each_position(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(in_parts, "ROWS", part)
    grid = lattice(100, 90)
    values = random_values(9000)
    write_csv(tmp_path / "out.csv", grid_table("region", grid, rows_of(values, tmp_path), WRITTEN))
    frame = pd.read_csv(tmp_path / "out.csv", index_col="name")
    assert frame.columns.tolist() == ["x", "y", "A", "B", "C", "D"]
    np.testing.assert_allclose(frame[["y", "x"]], grid.yx)
    np.testing.assert_allclose(frame[list("ABCD")], values, atol=6e-5)
    assert frame.index[0] == "r0c0"
