"""Stores that hold cells are opened without them, and nothing else of them changes."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import anndata
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import zarr
from shapely.geometry import box
from spatialdata import read_zarr
from spatialdata.models import ShapesModel, TableModel
from spatialdata.transformations import get_transformation
from tests.slides.stores import make_tiny_store

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers import cells_aside
from napari_c2lst.slides.readers.cells_aside import cell_tables, cells_in, read_cells, read_without_cells
from napari_c2lst.slides.store.results import remove_tables, write_elements
from napari_c2lst.slides.store.storing import write_store

KINDS = ("images", "labels", "points", "shapes", "tables")
HIDDEN = {"shapes": ["c2lst_cells_a"], "tables": ["c2lst_cells_a_table"]}


def bound_table(region: str, n: int) -> Any:
    obs = pd.DataFrame(
        {"region": pd.Categorical([region] * n), "cell": np.arange(n)}, index=[f"c{i}" for i in range(n)]
    )
    table = anndata.AnnData(np.ones((n, 2), np.float32), obs=obs)
    return TableModel.parse(table, region=region, region_key="region", instance_key="cell")


def plain(uns: Any) -> Any:
    """Values that can be compared; zarr lists keys in any order."""
    return {k: plain(v) for k, v in uns.items()} if hasattr(uns, "items") else str(uns)


def assert_same(one: Any, other: Any) -> None:
    """Two elements: all they hold, and where they lie."""
    assert type(one) is type(other)
    if isinstance(one, anndata.AnnData):
        pd.testing.assert_frame_equal(one.obs, other.obs)
        assert one.var_names.tolist() == other.var_names.tolist()
        assert plain(one.uns) == plain(other.uns)
        assert (np.asarray(one.to_df()) == np.asarray(other.to_df())).all()
        return
    assert get_transformation(one, get_all=True) == get_transformation(other, get_all=True)
    if isinstance(one, gpd.GeoDataFrame):
        pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))
    elif hasattr(one, "identical"):  # an image or labels, of one level or of several
        assert one.identical(other)
    else:
        pd.testing.assert_frame_equal(one.compute(), other.compute())


def put_cells(store: Path, name: str = "a", n: int = 5) -> None:
    """As `c2lst cells` writes them: polygons, their table, and a composition, which is no cell."""
    slide = open_slide(store)
    where = get_transformation(slide.sdata.images[slide.image_name], get_all=True)
    frame = gpd.GeoDataFrame(geometry=[box(i, i, i + 4, i + 3) for i in range(n)])
    region, spots = f"c2lst_cells_{name}", str(slide.shapes_name)
    write_elements(
        slide,
        shapes={region: ShapesModel.parse(frame, transformations=where)},
        tables={f"{region}_table": bound_table(region, n), "c2lst_composition_a": bound_table(spots, 2)},
    )


@pytest.fixture(scope="module")
def stores(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A store of ours, and those of others in both versions of zarr, each with cells."""
    folder = tmp_path_factory.mktemp("aside")
    layouts = shared / "layouts"
    made = {"ours": make_tiny_store(folder / "tiny.zarr")}
    for name, source in (("v2", "spatialdata_zarr_v2/blobs.zarr"), ("v3", "spatialdata_zarr_v3/blobs_v3.zarr")):
        made[name] = Path(shutil.copytree(layouts / source, folder / f"{name}.zarr"))
    for store in made.values():
        put_cells(store)
    return made


@pytest.fixture
def ours(stores: dict[str, Path], tmp_path: Path) -> Path:
    """A copy that a test may write into."""
    return Path(shutil.copytree(stores["ours"], tmp_path / "tiny.zarr"))


def whole(store: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_zarr(store)


def quietly(store: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_without_cells(store)


def assert_the_same_without_cells(found: Any, all_of_it: Any) -> None:
    for kind in KINDS:
        expected = {n: e for n, e in getattr(all_of_it, kind).items() if n not in HIDDEN.get(kind, [])}
        assert sorted(getattr(found, kind)) == sorted(expected)
        for name, element in expected.items():
            assert_same(getattr(found, kind)[name], element)
    assert sorted(found.coordinate_systems) == sorted(all_of_it.coordinate_systems)
    assert found.attrs == all_of_it.attrs
    assert found.path == all_of_it.path


@pytest.mark.parametrize("layout", ["ours", "v2", "v3"])
def test_all_else_is_what_read_zarr_gives(stores: dict[str, Path], layout: str) -> None:
    everything = whole(stores[layout])
    for kind, names in HIDDEN.items():
        assert set(names) <= set(getattr(everything, kind)), "the store has cells"
    assert_the_same_without_cells(quietly(stores[layout]), everything)


def test_the_order_is_that_of_the_store(stores: dict[str, Path]) -> None:
    """It decides which table is used; without consolidated metadata, zarr itself lists in any order."""
    found, everything = quietly(stores["ours"]), whole(stores["ours"])
    for kind in KINDS:
        expected = [name for name in getattr(everything, kind) if name not in HIDDEN.get(kind, [])]
        assert list(getattr(found, kind)) == expected


def test_without_consolidated_metadata(ours: Path) -> None:
    group = zarr.open_group(ours, mode="r+", use_consolidated=False)
    consolidated = ours / "zarr.json"
    attributes = dict(group.attrs)
    consolidated.unlink()
    zarr.create_group(ours, attributes=attributes, zarr_format=3)
    assert_the_same_without_cells(quietly(ours), whole(ours))


def test_where_links_cannot_be_made(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: slower, and the same."""

    def refused(*_: Any, **__: Any) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(cells_aside.os, "symlink", refused)
    assert_the_same_without_cells(quietly(ours), whole(ours))
    assert {kind: list(found) for kind, found in read_cells(ours).items()} == HIDDEN


def test_from_a_relative_path(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ours.parent)
    found = quietly(Path(ours.name))
    assert "tiny" in found.shapes
    assert "c2lst_cells_a" not in found.shapes


def test_no_polygon_is_read_on_opening(ours: Path) -> None:
    """A slide whose cells are damaged can be opened: nobody looks at them."""
    (ours / "shapes" / "c2lst_cells_a" / "shapes.parquet").write_bytes(b"torn")
    shutil.rmtree(ours / "tables" / "c2lst_cells_a_table" / "obs")
    slide = open_slide(ours)
    assert slide.spots is not None
    assert "c2lst_composition_a" in slide.sdata.tables


def test_damage_elsewhere_is_told_as_before(ours: Path) -> None:
    (ours / "shapes" / "tiny" / "shapes.parquet").write_bytes(b"torn")
    with pytest.raises(Exception, match=r"tiny\.zarr' cannot be read"):
        open_slide(ours)


def test_nothing_stays_in_the_temporary_folder(ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    quietly(ours)
    read_cells(ours)
    assert not list((tmp_path / "temporary").iterdir())
    assert (ours / "shapes" / "tiny" / "shapes.parquet").exists(), "links are removed, not what they point to"


def test_what_is_written_leaves_cells_where_they_are(ours: Path) -> None:
    before = read_cells(ours)
    slide = open_slide(ours)
    write_elements(slide, tables={"c2lst_other": bound_table("tiny", 3)})
    put_cells(ours, "b", 7)
    remove_tables(open_slide(ours), ["c2lst_other"])
    after = read_cells(ours)
    assert sorted(after["shapes"]) == ["c2lst_cells_a", "c2lst_cells_b"]
    for kind in HIDDEN:
        for name in HIDDEN[kind]:
            assert_same(after[kind][name], before[kind][name])
    assert len(whole(ours).shapes["c2lst_cells_b"]) == 7


def test_cells_found_anew_take_the_place_of_the_old(ours: Path) -> None:
    put_cells(ours, "a", 9)
    assert len(read_cells(ours)["tables"]["c2lst_cells_a_table"]) == 9


def test_a_copy_of_the_slide_has_its_cells(ours: Path, tmp_path: Path) -> None:
    write_store(open_slide(ours), tmp_path / "copy.zarr", Reporter())
    copied, original = read_cells(tmp_path / "copy.zarr"), read_cells(ours)
    assert {kind: list(found) for kind, found in copied.items()} == HIDDEN
    for kind in HIDDEN:
        for name in HIDDEN[kind]:
            assert_same(copied[kind][name], original[kind][name])


def test_which_elements_are_cells(ours: Path, tmp_path: Path) -> None:
    assert cells_in(ours) == HIDDEN
    assert cell_tables(ours) == HIDDEN["tables"]
    assert cell_tables(tmp_path / "none.zarr") == []
    bare = make_tiny_store(tmp_path / "bare.zarr")
    assert cells_in(bare) == {"shapes": [], "tables": []}
    assert read_cells(bare) == {"shapes": {}, "tables": {}}
