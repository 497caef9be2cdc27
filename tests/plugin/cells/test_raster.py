"""The raster of cells: what is drawn at which zoom, where, and of which types."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plugin.cells.stores import places

from napari_c2lst.plugin.cells import tiles
from napari_c2lst.plugin.cells.outlines import load_outlines
from napari_c2lst.plugin.cells.raster import CellRaster
from napari_c2lst.plugin.cells.stored import CellColumns, CellResult, read_columns
from napari_c2lst.plugin.cells.tiles import TILE

SHAPE = (300, 400)


@pytest.fixture
def raster(result: CellResult) -> CellRaster:
    columns = read_columns(result)
    return CellRaster(columns, SHAPE, columns.area_um2 / 2.5**2)


@pytest.fixture
def outlined(raster: CellRaster, result: CellResult) -> CellRaster:
    raster.use_outlines(load_outlines(result, raster.columns.yx))
    return raster


def many(n: int = 20_000, side: int = 20_000) -> CellRaster:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, n).astype(np.uint8)
    ones = np.ones(n, np.float32)
    columns = CellColumns(rng.uniform(0, side, (n, 2)).astype(np.float32), kind, ("a", "b"), ones, ones)
    return CellRaster(columns, (side, side), np.full(n, 600.0))


def at(raster: CellRaster, level: int, yx: tuple[float, float]) -> int:
    """The number at a place of the slide."""
    row, column = (int(each * raster.scale(level)) for each in yx)
    return int(raster.levels[level][row : row + 1, column : column + 1][0, 0])


def test_levels_halve_exactly_and_cover_the_slide(raster: CellRaster) -> None:
    shapes = np.array([level.shape for level in raster.levels])
    assert (shapes[:-1] == 2 * shapes[1:]).all()
    assert (shapes[0] >= np.array(SHAPE) * raster.zoom).all()
    assert shapes[-1].max() <= 600


def test_near_outlined_then_filled_then_density() -> None:
    raster = many()
    looks = [raster.look(i) for i in range(len(raster.levels))]
    assert sorted(set(looks), key=looks.index) == ["outline", "filled", "density"]
    assert looks[0] == "outline"
    assert looks[-1] == "density"


@pytest.mark.parametrize("which", ["raster", "outlined"])
def test_each_type_is_at_its_place_inside_and_on_its_border(which: str, request: pytest.FixtureRequest) -> None:
    raster, xy = request.getfixturevalue(which), places()
    for cell in (0, 1, 200, 350):
        kind, (x, y) = int(raster.columns.kind[cell]), xy[cell]
        assert at(raster, 0, (y, x)) == raster.codes.fill[kind]
        row = raster.levels[0][int(y * raster.zoom), :]
        middle, half = int(x * raster.zoom), int(6 * raster.zoom)
        assert raster.codes.outline[kind] in row[middle : middle + half]
        assert row[middle + half] == 0


def test_parts_are_the_same_however_they_are_asked_for(outlined: CellRaster) -> None:
    level = outlined.levels[0]
    whole = np.asarray(level[:, :])
    assert whole.shape == level.shape
    outlined.use_outlines(outlined.outlines)  # type: ignore[arg-type]  # all tiles are forgotten
    np.testing.assert_array_equal(level[TILE - 9 : TILE + 30, 700:1500], whole[TILE - 9 : TILE + 30, 700:1500])
    np.testing.assert_array_equal(level[10:50], whole[10:50])
    np.testing.assert_array_equal(level[::7, 5], whole[::7, 5])
    assert level[33, 40] == whole[33, 40]
    assert level[-1, -1] == whole[-1, -1]
    assert level[20:20, :].shape == (0, level.shape[1])


def test_a_place_outside_is_refused_and_so_is_too_much_at_once() -> None:
    raster = many()
    with pytest.raises(IndexError):
        raster.levels[0][10**9, 0]
    with pytest.raises(ValueError, match="too many to be drawn at once"):
        np.asarray(raster.levels[0])
    assert np.asarray(raster.levels[-1]).shape == raster.levels[-1].shape


def test_hidden_types_leave_the_density_and_nothing_else_is_drawn_anew() -> None:
    raster = many()
    first = raster._single
    raster.levels[0][:100, :100]
    before = raster.levels[first][:, :]
    drawn = {key for key in raster._tiles._kept if key[0] == 0}
    raster.show_types(np.array([False, True]))
    after = raster.levels[first][:, :]
    assert np.isin(before, raster.codes.density[0]).any()
    assert not np.isin(after, raster.codes.density[0]).any()
    assert np.isin(after, raster.codes.density[1]).any()
    assert {key for key in raster._tiles._kept if key[0] == 0} == drawn


def test_memory_of_tiles_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "_KEPT_BYTES", 40 * TILE * TILE)
    raster = many()
    for left in range(0, 12_000, 1500):
        raster.levels[0][:1000, left : left + 1500]
    assert len(raster._tiles) <= 40


def test_the_cell_at_a_place(outlined: CellRaster) -> None:
    x, y = places()[150]
    assert outlined.cell_at(np.array([y, x])) == 150
    assert outlined.cell_at(np.array([y + 3.0, x])) == 150
    assert outlined.cell_at(np.array([y + 6.0, x + 6.0])) == -1
    hidden = np.ones(5, bool)
    hidden[outlined.columns.kind[150]] = False
    outlined.show_types(hidden)
    assert outlined.cell_at(np.array([y, x])) == -1


def test_the_cell_at_a_place_without_outlines(raster: CellRaster) -> None:
    x, y = places()[150]
    assert raster.cell_at(np.array([y + 3.5, x])) == 150
    assert raster.cell_at(np.array([y + 6.0, x + 6.0])) == -1


def test_a_picked_cell_is_marked_and_only_its_tiles_are_drawn_anew(outlined: CellRaster) -> None:
    level = outlined.levels[0]
    level[:, :]
    drawn = len(outlined._tiles)
    outlined.pick(150)
    assert 0 < drawn - len(outlined._tiles) <= 9
    assert (level[:, :] == outlined.codes.picked).any()
    outlined.pick(-1)
    assert not (level[:, :] == outlined.codes.picked).any()


def test_filled_nuclei_have_their_shapes_where_there_are_few() -> None:
    raster = many(500)
    level = next(i for i in range(9) if raster.look(i) == "filled")
    assert not raster._has_shapes(level)
    before = int((raster.levels[level][:, :] > 0).sum())
    from napari_c2lst.plugin.cells.outlines import Outlines

    square = np.array([[-12, -12], [-12, 12], [12, 12], [12, -12]], np.int16) * 16
    raster.use_outlines(Outlines(np.tile(square, (500, 1)), np.full(500, 4)))
    assert raster._has_shapes(level)
    after = raster.levels[level][:, :]
    assert int((after > 0).sum()) == pytest.approx(before * 24**2 / 600, rel=0.1)
    assert set(np.unique(after)) <= {0, *raster.codes.solid.tolist()}
    assert not many(400_000)._has_shapes(level)


def test_no_cells_at_all() -> None:
    none = np.zeros(0, np.float32)
    columns = CellColumns(np.zeros((0, 2), np.float32), np.zeros(0, np.uint8), ("a",), none, none)
    raster = CellRaster(columns, SHAPE, none)
    assert not raster.levels[0][:50, :50].any()
    assert raster.cell_at(np.array([5.0, 5.0])) == -1


def few(*yx: tuple[float, float], radius: float = 4.0, shape: tuple[int, int] = SHAPE) -> CellRaster:
    """Some round nuclei of one type."""
    n = len(yx)
    places_yx = np.array(yx, np.float32).reshape(n, 2)
    ones = np.ones(n, np.float32)
    columns = CellColumns(places_yx, np.zeros(n, np.uint8), ("a",), ones, ones)
    return CellRaster(columns, shape, np.full(n, np.pi * radius**2))


def test_no_cell_at_all_is_an_empty_picture() -> None:
    raster = few()
    for level in raster.levels:
        assert not np.asarray(level[:50, :50]).any()
    assert raster.cell_at(np.array([10.0, 10.0])) == -1
    raster.pick(-1)


def test_one_cell_alone_is_seen_on_every_level_and_clicked() -> None:
    raster = few((150.0, 200.0))
    for level in range(len(raster.levels)):
        assert at(raster, level, (150.0, 200.0)) > 0, level
        assert at(raster, level, (20.0, 20.0)) == 0, level
    assert raster.cell_at(np.array([150.0, 200.0])) == 0
    assert raster.cell_at(np.array([150.0, 210.0])) == -1


@pytest.mark.parametrize("place", [(0.0, 0.0), (299.9, 399.9), (-2.0, 100.0), (150.0, 402.0)])
def test_cells_on_and_over_the_border_of_the_slide(place: tuple[float, float]) -> None:
    raster = few((150.0, 200.0), place)
    assert raster.cell_at(np.array(place)) == 1
    for level in raster.levels:
        height, width = level.shape
        assert np.asarray(level[max(height - 60, 0) : height, max(width - 60, 0) : width]).dtype == level.dtype


@pytest.mark.parametrize("radius", [0.0, 0.01, 140.0])
def test_cells_without_area_and_cells_as_large_as_the_slide(radius: float) -> None:
    raster = few((150.0, 200.0), radius=radius)
    assert np.isfinite(raster.zoom)
    assert raster.zoom >= 1
    assert at(raster, len(raster.levels) - 1, (150.0, 200.0)) > 0


def test_a_slide_smaller_than_a_tile() -> None:
    raster = few((1.0, 1.0), shape=(3, 5), radius=1.0)
    assert at(raster, 0, (1.0, 1.0)) > 0


def test_hidden_cells_cannot_be_clicked() -> None:
    raster = few((150.0, 200.0))
    raster.show_types(np.array([False]))
    assert raster.cell_at(np.array([150.0, 200.0])) == -1
    raster.show_types(np.array([True]))
    assert raster.cell_at(np.array([150.0, 200.0])) == 0


def test_of_two_cells_over_each_other_the_nearer_is_clicked() -> None:
    raster = few((150.0, 200.0), (150.0, 203.0))
    assert raster.cell_at(np.array([150.0, 201.0])) == 0
    assert raster.cell_at(np.array([150.0, 202.0])) == 1


def test_the_mark_goes_from_one_cell_to_the_next() -> None:
    raster = few((100.0, 100.0), (200.0, 300.0))

    def marked(level: int = 0) -> bool:
        scale = raster.scale(level)
        top, left = int(90 * scale), int(90 * scale)
        return bool(
            (np.asarray(raster.levels[level][top : top + 20 * 8, left : left + 20 * 8]) == raster.codes.picked).any()
        )

    assert not marked()
    raster.pick(0)
    assert marked()
    raster.pick(1)
    assert not marked()
    raster.pick(0)
    raster.pick(-1)
    assert not marked()


def test_parts_outside_of_a_level_are_empty_and_too_large_ones_refused() -> None:
    level = few((150.0, 200.0)).levels[0]
    assert np.asarray(level[10:10, :5]).shape == (0, 5)
    assert np.asarray(level[5:2, :5]).shape == (0, 5)
    with pytest.raises(IndexError):
        level[level.shape[0], 0]
    whole = few((150.0, 200.0), shape=(40_000, 40_000)).levels[0]
    with pytest.raises(ValueError, match="too many to be drawn at once"):
        whole[:, :]


def test_memory_is_that_of_all_it_keeps(outlined: CellRaster) -> None:
    before = outlined.nbytes
    assert outlined.outlines is not None
    assert before > outlined.outlines.nbytes + outlined.density.nbytes
    outlined.levels[0][:300, :300]
    assert outlined.nbytes == before + 4 * TILE**2
    assert outlined.nbytes < 5 * 2**20


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_cell_is_drawn_the_same_in_whatever_tile_it_is_asked_for(outlined: CellRaster, level: int) -> None:
    """Nuclei on the border of two tiles have no seam."""
    whole = np.asarray(outlined.levels[level][:, :])
    outlined.use_outlines(outlined.outlines)  # type: ignore[arg-type]
    for top in range(0, whole.shape[0], TILE):
        for left in range(0, whole.shape[1], TILE):
            part = outlined.levels[level][top : top + TILE, left : left + TILE]
            np.testing.assert_array_equal(part, whole[top : top + TILE, left : left + TILE])


def test_marking_a_cell_that_is_none_marks_nothing(outlined: CellRaster) -> None:
    level = outlined.levels[0]
    level[:300, :300]
    kept = len(outlined._tiles)
    outlined.pick(10**6)
    assert len(outlined._tiles) == kept
    assert not (level[:300, :300] == outlined.codes.picked).any()
