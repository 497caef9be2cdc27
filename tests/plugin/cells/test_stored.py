"""Cells read from a store column by column."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import spatialdata
import zarr
from tests.plugin.cells.stores import FACTS, NAMES, kinds, places, write_cells

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.cells.outlines import load_outlines
from napari_c2lst.plugin.cells.stored import (
    UNTYPED,
    CellResult,
    list_results,
    read_columns,
    read_composition,
    read_outlines,
)
from napari_c2lst.slides.opening import open_slide


def test_results_are_listed_the_newest_first(cells_store: Path) -> None:
    write_cells(cells_store, "wide", step=40)
    found, problems = list_results(cells_store)
    assert [each.name for each in found] == ["wide", "narrow"]
    assert problems == []
    assert found[0].facts == FACTS
    assert found[0].region == "c2lst_cells_wide"


def test_a_result_that_was_made_anew_is_another_one(cells_store: Path) -> None:
    before = list_results(cells_store)[0]
    assert list_results(cells_store)[0] == before
    write_cells(cells_store, step=40)
    assert list_results(cells_store)[0] != before


def test_no_store_and_no_cells(tmp_path: Path) -> None:
    assert list_results(None) == ([], [])
    assert list_results(tmp_path / "none.zarr") == ([], [])


def test_a_damaged_table_is_said(cells_store: Path) -> None:
    for file in (cells_store / "tables" / "c2lst_cells_narrow_table" / "uns").rglob("zarr.json"):
        file.unlink()
    for file in (cells_store / "tables" / "c2lst_cells_narrow_table" / "uns").rglob(".z*"):
        file.unlink()
    found, problems = list_results(cells_store)
    assert found == []
    assert len(problems) == 1
    assert "'narrow'" in problems[0]


def test_columns_are_what_was_written(result: CellResult) -> None:
    columns, xy = read_columns(result), places()
    assert columns.types == (*NAMES, UNTYPED)
    assert len(columns) == len(xy)
    np.testing.assert_allclose(columns.yx, xy[:, ::-1])
    np.testing.assert_array_equal(columns.kind[:-1], kinds(len(xy))[:-1] - 1)
    assert columns.types[columns.kind[-1]] == UNTYPED
    assert columns.prob[0] == 0.5
    assert columns.area_um2[0] == pytest.approx(56 * 2.5**2)


def test_columns_that_do_not_fit_are_refused(cells_store: Path) -> None:
    shutil.rmtree(cells_store / "tables" / "c2lst_cells_narrow_table" / "obs" / "type_prob")
    with pytest.raises(InputError, match="cannot be read"):
        read_columns(list_results(cells_store)[0][0])


def test_outlines_are_those_of_the_polygons(result: CellResult, cells_once: Path) -> None:
    parts = list(read_outlines(result))
    corners = np.concatenate([each for each, _ in parts])
    length = np.concatenate([each for _, each in parts])
    shapes = spatialdata.read_zarr(cells_once).shapes["c2lst_cells_narrow"].geometry.to_numpy()
    assert len(length) == len(shapes)
    for ring, shape in zip(np.split(corners, np.cumsum(length)[:-1]), shapes, strict=True):
        assert shapely.Polygon(ring).equals(shape)


def test_outlines_of_other_polygons_are_read_more_slowly(cells_store: Path, result: CellResult) -> None:
    """Polygons with holes are outlined all the same."""
    file = cells_store / "shapes" / "c2lst_cells_narrow" / "shapes.parquet"
    frame = gpd.read_parquet(file)
    whole = frame.geometry.to_numpy()
    plain = np.concatenate([corners for corners, _ in read_outlines(result)])
    holes = [shape.difference(shape.centroid.buffer(1)) for shape in whole]
    frame.set_geometry(holes).to_parquet(file)
    parts = list(read_outlines(list_results(cells_store)[0][0]))
    corners = np.concatenate([each for each, _ in parts])
    ring = np.split(corners, np.cumsum(parts[0][1])[:-1])[5]
    assert shapely.Polygon(ring).equals(whole[5])
    assert len(corners) == len(plain)


def test_damaged_outlines_are_said(cells_store: Path) -> None:
    file = cells_store / "shapes" / "c2lst_cells_narrow" / "shapes.parquet"
    result = list_results(cells_store)[0][0]
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(InputError, match="outlines of the cells 'narrow'"):
        list(read_outlines(result))


def test_the_composition_of_spots(result: CellResult, cells_once: Path) -> None:
    found = read_composition(result)
    assert found is not None
    ids, counts = found
    assert ids.tolist() == open_slide(cells_once).require_spots().ids.astype(str).tolist()
    assert counts.shape == (63, len(NAMES))
    assert counts.sum() > 60


def test_a_slide_without_a_composition(cells_store: Path) -> None:
    shutil.rmtree(cells_store / "tables" / "c2lst_composition_narrow")
    assert read_composition(list_results(cells_store)[0][0]) is None


def _damage(store: Path, table: str, column: str, values: object) -> CellResult:
    """Other numbers in a column of a table."""
    group = zarr.open_group(store / "tables" / table, mode="r+", use_consolidated=False)
    array = group[column]
    array[...] = np.broadcast_to(np.asarray(values), array.shape)  # type: ignore[index]
    return list_results(store)[0][0]


@pytest.mark.parametrize(
    ("column", "values"), [("obs/type/codes", -1), ("obs/type/codes", 99), ("obs/area_um2", np.nan), ("obs/x", np.inf)]
)
def test_numbers_that_cannot_be_are_refused_before_they_are_drawn(
    cells_store: Path, column: str, values: float
) -> None:
    result = _damage(cells_store, "c2lst_cells_narrow_table", column, values)
    with pytest.raises(InputError, match="the cells 'narrow' are damaged") as caught:
        read_columns(result)
    assert caught.value.hint


def test_a_composition_of_other_types_is_refused(result: CellResult) -> None:
    """As when weights with other types wrote cells of the same name and were killed half-way."""
    other = CellResult(result.store, result.name, FACTS.model_copy(update={"types": FACTS.types[:3], "nr_types": 3}))
    with pytest.raises(InputError, match="its types are not those of the cells"):
        read_composition(other)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1])
def test_a_composition_of_numbers_that_cannot_be_is_refused(cells_store: Path, value: float) -> None:
    """The chart of a spot could not be drawn."""
    result = _damage(cells_store, "c2lst_composition_narrow", "X", value)
    with pytest.raises(InputError, match="is damaged: it has numbers that cannot be") as caught:
        read_composition(result)
    assert caught.value.hint == "run 'cells' on the slide again"


def test_a_composition_without_its_numbers_is_said(cells_store: Path) -> None:
    result = list_results(cells_store)[0][0]
    shutil.rmtree(cells_store / "tables" / "c2lst_composition_narrow" / "X")
    with pytest.raises(InputError, match="the composition of spots 'narrow' cannot be read"):
        read_composition(result)


def test_a_store_that_was_moved_away_meanwhile(cells_store: Path) -> None:
    result = list_results(cells_store)[0][0]
    cells_store.rename(cells_store.with_name("elsewhere.zarr"))
    assert read_composition(result) is None
    for read in (read_columns, lambda each: list(read_outlines(each))):
        with pytest.raises(InputError, match="cannot be read") as caught:
            read(result)
        assert caught.value.hint


def test_a_type_that_no_nucleus_has_is_shown_but_untyped_is_not(cells_store: Path) -> None:
    result = _damage(cells_store, "c2lst_cells_narrow_table", "obs/type/codes", 1)
    columns = read_columns(result)
    assert columns.types == NAMES
    assert set(columns.kind.tolist()) == {1}


def test_tables_of_others_are_passed_over(cells_store: Path) -> None:
    tables = cells_store / "tables"
    shutil.copytree(tables / "c2lst_cells_narrow_table", tables / "c2lst_cells_narrow")  # not the name of a table
    shutil.copytree(tables / "c2lst_cells_narrow_table", tables / "cells_narrow_table")
    (tables / "c2lst_cells_file_table").touch()
    found, problems = list_results(cells_store)
    assert ([each.name for each in found], problems) == (["narrow"], [])


def test_one_damaged_result_does_not_hide_the_others(cells_store: Path) -> None:
    tables = cells_store / "tables"
    shutil.copytree(tables / "c2lst_cells_narrow_table", tables / "c2lst_cells_lonely_table")  # without polygons
    found, problems = list_results(cells_store)
    assert [each.name for each in found] == ["narrow"]
    (problem,) = problems
    assert problem.startswith("the cells 'lonely' are damaged: ")
    assert "\n" not in problem


def test_polygons_in_several_parts_are_outlined_or_refused(cells_store: Path) -> None:
    """Another program may have written them: a nucleus in two parts has no one outline."""
    file = cells_store / "shapes" / "c2lst_cells_narrow" / "shapes.parquet"
    frame = gpd.read_parquet(file)
    parts = [shapely.MultiPolygon([each, shapely.box(0, 0, 1, 1)]) for each in frame.geometry]
    frame.set_geometry(parts).to_parquet(file)
    with pytest.raises(InputError, match="a nucleus is no single polygon"):
        load_outlines(list_results(cells_store)[0][0], places()[:, ::-1].astype(np.float32))
