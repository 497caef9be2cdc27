from __future__ import annotations

import json
import os
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import anndata as ad
import dask.array as da
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from geopandas import GeoDataFrame
from scipy.sparse import csr_matrix
from spatialdata import read_zarr
from spatialdata.models import ShapesModel, TableModel
from spatialdata.transformations import Scale

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.store import in_parts
from napari_c2lst.slides.store.in_parts import InParts, parts_of
from napari_c2lst.slides.store.results import write_elements

N = 23
VALUES = np.random.default_rng(0).random((N, 6)).astype(np.float32)
REGION, TABLE = "c2lst_grid_a", "c2lst_grid_a_table"


@pytest.fixture
def five(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of five rows."""
    monkeypatch.setattr(in_parts, "ROWS", 5)


def table(kind: str, start: int = 0, stop: int = N) -> ad.AnnData:
    """Rows of a table with a column of every kind we write."""
    x: Any = VALUES[start:stop]
    if kind == "sparse":
        x = csr_matrix(np.where(x > 0.5, x, 0))
    if kind == "lazy":
        x = da.from_array(x, chunks=(3, 6))
    number = np.arange(start, stop)
    obs = pd.DataFrame(
        {
            "region": pd.Categorical([REGION] * len(number)),
            "position": number,
            "type": pd.Categorical.from_codes(number % 3, categories=["a", "b", "never", "c"]),
            "name": [f"{'long ' * (i % 7)}{i}" for i in number],
            "seen": number % 2 == 0,
            "area": (number / 7).astype(np.float32),
        },
        index=[f"row {i}" for i in number],
    )
    made = ad.AnnData(x, obs=obs, var=pd.DataFrame(index=list("ABCDEF")))
    made.layers["more"] = VALUES[start:stop] * 2
    made.obsm["spatial"] = VALUES[start:stop, :2].astype(np.float64)
    made.uns["c2lst"] = {"kind": "a test"}
    return TableModel.parse(made, region=REGION, region_key="region", instance_key="position")


def points(start: int = 0, stop: int = N) -> GeoDataFrame:
    index = pd.RangeIndex(start, stop)
    return ShapesModel.parse(
        VALUES[start:stop, :2].astype(float), geometry=0, radius=2.0, index=index, transformations=SCALED
    )


def polygons(start: int = 0, stop: int = N) -> GeoDataFrame:
    places = shapely.points(VALUES[start:stop, :2].astype(float) * 100)
    index = [f"cell {i}" for i in range(start, stop)]
    areas = GeoDataFrame(geometry=shapely.buffer(places, 2), index=index)
    return ShapesModel.parse(areas, transformations=SCALED)


SCALED = {"global": Scale([2.0, 3.0], axes=("x", "y"))}


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("kind", ["dense", "lazy", "sparse"])
def test_a_table_in_parts_is_the_whole_one(tiny_store: Path, kind: str) -> None:
    write_elements(open_slide(tiny_store), tables={TABLE: InParts(N, lambda a, b: table(kind, a, b))})
    found, expected = read_zarr(tiny_store).tables[TABLE], table(kind)
    pd.testing.assert_frame_equal(found.obs, expected.obs)
    x, wanted = (m.toarray() if kind == "sparse" else np.asarray(m) for m in (found.X, expected.X))
    np.testing.assert_array_equal(x, wanted)
    assert type(found.X) is (csr_matrix if kind == "sparse" else np.ndarray)
    np.testing.assert_array_equal(found.layers["more"], expected.layers["more"])
    np.testing.assert_array_equal(found.obsm["spatial"], expected.obsm["spatial"])
    assert found.uns["c2lst"] == {"kind": "a test"}
    assert found.uns["spatialdata_attrs"] == expected.uns["spatialdata_attrs"]


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("make", [points, polygons])
def test_shapes_in_parts_are_the_whole_ones(tiny_store: Path, make: Any) -> None:
    slide = open_slide(tiny_store)
    write_elements(slide, shapes={"c2lst_grid_a": InParts(N, make), "c2lst_grid_b": make()})
    shapes = read_zarr(tiny_store).shapes
    found, expected = shapes["c2lst_grid_a"], shapes["c2lst_grid_b"]
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected))
    assert found.attrs["transform"] == expected.attrs["transform"] == SCALED
    one, other = (
        pq.read_schema(tiny_store / "shapes" / name / "shapes.parquet").metadata
        for name in ("c2lst_grid_a", "c2lst_grid_b")
    )
    for key in (b"geo", b"pandas"):
        assert json.loads(one[key]) == json.loads(other[key])
    files = sorted(path.name for path in (tiny_store / "shapes" / "c2lst_grid_a").iterdir())
    assert files == ["shapes.parquet", "zarr.json"]


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("rows", [1, 4, 5, 6, 10])
def test_any_number_of_rows(tiny_store: Path, rows: int) -> None:
    write_elements(
        open_slide(tiny_store),
        tables={TABLE: InParts(rows, lambda a, b: table("lazy", a, b))},
        shapes={REGION: InParts(rows, points)},
    )
    sdata = read_zarr(tiny_store)
    np.testing.assert_array_equal(sdata.tables[TABLE].X, VALUES[:rows])
    assert sdata.shapes[REGION].index.tolist() == list(range(rows))


@pytest.mark.usefixtures("five")
def test_the_open_slide_forgets_what_was_there_before(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    write_elements(slide, shapes={REGION: points(0, 3)})
    assert len(slide.sdata.shapes[REGION]) == 3
    write_elements(slide, shapes={REGION: InParts(N, points)})
    assert REGION not in slide.sdata.shapes
    assert len(open_slide(tiny_store).sdata.shapes[REGION]) == N


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("kind", ["tables", "shapes"])
def test_a_part_that_fails_leaves_the_store_as_it_was(tiny_store: Path, kind: str) -> None:
    slide = open_slide(tiny_store)
    before = {p: p.read_bytes() for p in tiny_store.rglob("*") if p.is_file()}

    def full(start: int, stop: int) -> Any:
        if start >= 10:
            raise OSError(28, "No space left on device")
        return table("dense", start, stop) if kind == "tables" else points(start, stop)

    with pytest.raises(InputError, match="the disk is full"):
        write_elements(slide, **{kind: {TABLE: InParts(N, full)}})
    assert {p: p.read_bytes() for p in tiny_store.rglob("*") if p.is_file()} == before
    assert [p.name for p in tiny_store.parent.iterdir()] == ["tiny.zarr"]


@pytest.mark.usefixtures("five")
def test_a_part_with_other_categories_is_refused(tiny_store: Path) -> None:
    def other(start: int, stop: int) -> Any:
        part = table("dense", start, stop)
        part.obs["type"] = part.obs["type"].cat.rename_categories({"a": f"a{start}"})
        return part

    with pytest.raises(ValueError, match=r"part .* of column 'type' has other categories"):
        write_elements(open_slide(tiny_store), tables={TABLE: InParts(N, other)})
    assert not (tiny_store / "tables" / TABLE).exists()


@pytest.mark.usefixtures("five")
def test_stores_of_version_two(shared: Path, tmp_path: Path) -> None:
    store = Path(shutil.copytree(shared / "layouts" / "spatialdata_zarr_v2" / "blobs.zarr", tmp_path / "v2.zarr"))
    os.chmod(store, 0o755)
    for path in store.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    made = {kind: InParts(N, lambda a, b, k=kind: table(k, a, b)) for kind in ("lazy", "sparse")}
    write_elements(
        open_slide(store), tables={f"c2lst_{k}": v for k, v in made.items()}, shapes={REGION: InParts(N, points)}
    )
    assert not list(store.rglob("zarr.json"))
    sdata = read_zarr(store)
    for kind in made:
        pd.testing.assert_frame_equal(sdata.tables[f"c2lst_{kind}"].obs, table(kind).obs)
    np.testing.assert_array_equal(sdata.tables["c2lst_lazy"].X, VALUES)
    assert (sdata.tables["c2lst_sparse"].X != table("sparse").X).nnz == 0
    assert len(sdata.shapes[REGION]) == N


@pytest.mark.usefixtures("five")
def test_parts_of_elements() -> None:
    assert [p.index.tolist() for p in parts_of(InParts(7, points))] == [[0, 1, 2, 3, 4], [5, 6]]
    whole = points()
    assert list(parts_of(whole)) == [whole]


def test_memory_does_not_grow_with_the_rows(tiny_store: Path) -> None:
    """Twice the rows take no more memory."""
    n, peaks = in_parts.ROWS, []

    def some(start: int, stop: int) -> GeoDataFrame:
        xy = np.random.default_rng(start).random((stop - start, 2))
        return ShapesModel.parse(xy, geometry=0, radius=1.0, index=pd.RangeIndex(start, stop), transformations=SCALED)

    slide = open_slide(tiny_store)
    for rows in (n, 3 * n, 6 * n):  # the first time modules are loaded
        tracemalloc.start()
        try:
            write_elements(slide, shapes={REGION: InParts(rows, some)})
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[2] < 1.1 * peaks[1], peaks
    assert len(open_slide(tiny_store).sdata.shapes[REGION]) == 6 * n
