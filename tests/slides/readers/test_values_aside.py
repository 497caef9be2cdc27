"""Tables of predictions are opened without their values; whoever computes with them gets them all the same."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from spatialdata import read_zarr
from spatialdata.models import TableModel
from tests.slides.stores import make_tiny_store

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.facts import PREDICTIONS
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers import cells_aside
from napari_c2lst.slides.readers.values_aside import in_memory, read_without_values
from napari_c2lst.slides.store.results import remove_tables, write_elements
from napari_c2lst.slides.store.storing import write_store

NAME = "c2lst_spots_a"


def predicted(seed: int = 0, n: int = 40, region: str = "tiny") -> Any:
    """As `c2lst predict` writes it: dense values, their spread, and a word about itself."""
    obs = pd.DataFrame(
        {"region": pd.Categorical([region] * n), "spot": np.arange(n), "held_out": np.arange(n) % 2 == 0},
        index=[f"s{i}" for i in range(n)],
    )
    values = np.random.default_rng(seed).random((n, 3), np.float32)
    table = anndata.AnnData(values, obs=obs, var=pd.DataFrame({"mean": [1.0, 2.0, 3.0]}, index=["a", "b", "c"]))
    table.layers["spread"] = values / 2
    table.obsm["spatial"] = np.arange(2.0 * n).reshape(n, 2)
    table.uns["c2lst"] = {"kind": "predictions", "version": 1, "name": "a", "tta": True}
    return TableModel.parse(table, region=region, region_key="region", instance_key="spot")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    made = make_tiny_store(tmp_path / "tiny.zarr")
    write_elements(open_slide(made), tables={NAME: predicted(), "c2lst_other": predicted(1)})
    return made


def whole(store: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_zarr(store)


def assert_equal(found: Any, table: Any) -> None:
    """All that a table holds, values included."""
    np.testing.assert_array_equal(np.asarray(found.X), table.X)
    np.testing.assert_array_equal(np.asarray(found.layers["spread"]), table.layers["spread"])
    np.testing.assert_array_equal(found.obsm["spatial"], table.obsm["spatial"])
    pd.testing.assert_frame_equal(found.obs, table.obs)
    pd.testing.assert_frame_equal(found.var, table.var)
    assert set(found.uns) == set(table.uns)
    assert found.uns["spatialdata_attrs"] == table.uns["spatialdata_attrs"]
    assert {k: str(v) for k, v in found.uns["c2lst"].items()} == {k: str(v) for k, v in table.uns["c2lst"].items()}


def test_values_stay_on_disk_and_all_else_is_there(store: Path) -> None:
    slide = open_slide(store)
    table = slide.sdata.tables[NAME]
    assert hasattr(table.X, "dask")
    assert hasattr(table.layers["spread"], "dask")
    assert_equal(table, whole(store).tables[NAME])
    assert isinstance(slide.sdata.tables["c2lst_other"].X, np.ndarray), "it is no table of predictions"
    assert list(slide.sdata.tables) == list(whole(store).tables), "the first table is the one that is used"


def test_opening_reads_no_value(store: Path) -> None:
    for matrix in ("X", "layers/spread"):
        for chunk in (store / "tables" / NAME / matrix / "c").rglob("*"):
            if chunk.is_file():
                chunk.write_bytes(b"torn")
    table = open_slide(store).sdata.tables[NAME]
    assert table.obs["held_out"].sum() == 20
    with pytest.raises(Exception, match=r".+"):
        table.X.compute()


def test_where_links_cannot_be_made(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(cells_aside.os, "symlink", refused)
    assert_equal(open_slide(store).sdata.tables[NAME], predicted())


def test_a_table_of_an_older_zarr(shared: Path, tmp_path: Path) -> None:
    old = Path(shutil.copytree(shared / "layouts/spatialdata_zarr_v2/blobs.zarr", tmp_path / "v2.zarr"))
    write_elements(open_slide(old), tables={NAME: predicted(region="blobs_circles")})
    found = open_slide(old).sdata.tables[NAME]
    assert hasattr(found.X, "dask")
    assert_equal(found, whole(old).tables[NAME])


def test_what_is_written_leaves_values_where_they_are(store: Path) -> None:
    slide = open_slide(store)
    table, before = slide.sdata.tables[NAME], predicted().X
    write_elements(slide, tables={"c2lst_third": predicted(2)})
    remove_tables(slide, ["c2lst_other"])
    np.testing.assert_array_equal(table.X.compute(), before)
    np.testing.assert_array_equal(whole(store).tables[NAME].X, before)


def test_a_copy_of_the_slide_has_its_values(store: Path, tmp_path: Path) -> None:
    write_store(open_slide(store), tmp_path / "copy.zarr", Reporter())
    assert_equal(whole(tmp_path / "copy.zarr").tables[NAME], whole(store).tables[NAME])


def test_values_of_another_prediction_are_not_taken_for_these(store: Path) -> None:
    """Predicted anew under the same name, by another process say: its rows may be of other places."""
    old = open_slide(store).sdata.tables[NAME]
    slide = open_slide(store)
    write_elements(slide, tables={NAME: predicted(5)})
    with pytest.raises(InputError, match=r"'c2lst_spots_a' were replaced or removed since the slide was opened / open"):
        old.X.compute()
    np.testing.assert_array_equal(np.asarray(slide.sdata.tables[NAME].X), predicted(5).X)
    np.testing.assert_array_equal(open_slide(store).sdata.tables[NAME].X.compute(), predicted(5).X)


def test_values_that_were_removed_are_not_read_as_zeros(store: Path) -> None:
    old = open_slide(store).sdata.tables[NAME]
    remove_tables(open_slide(store), [NAME])
    with pytest.raises(InputError, match="open the slide again"):
        old.layers["spread"].compute()


def test_some_rows_of_it(store: Path) -> None:
    table = open_slide(store).sdata.tables[NAME][np.arange(3, 40, 5)]
    np.testing.assert_array_equal(np.asarray(table.X), predicted().X[3::5])


def test_in_memory_once_it_is_wanted(store: Path) -> None:
    lazy = read_without_values(store / "tables" / NAME)
    table = in_memory(lazy)
    assert isinstance(table.X, np.ndarray)
    assert isinstance(table.layers["spread"], np.ndarray)
    assert hasattr(lazy.X, "dask"), "the slide's own stays as it was"
    assert_equal(table, predicted())
    assert in_memory(table) is table


def test_which_tables_are_of_predictions() -> None:
    names = ["c2lst_spots_a", "c2lst_grid_a_table", "c2lst_cells_a_table", "c2lst_set_train", "table", "spots_a"]
    assert [name.startswith(PREDICTIONS) for name in names] == [True, True, False, False, False, False]
