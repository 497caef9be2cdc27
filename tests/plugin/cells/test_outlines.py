from pathlib import Path

import numpy as np
import pytest
from tests.plugin.cells.stores import OCTAGON, places

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.cells import outlines as module
from napari_c2lst.plugin.cells.outlines import Outlines, load_outlines
from napari_c2lst.plugin.cells.stored import CellResult, read_columns, read_outlines


def test_outlines_are_right_to_a_sixteenth_of_a_pixel(result: CellResult) -> None:
    yx = read_columns(result).yx
    outlines = load_outlines(result, yx)
    corners, length = outlines.of(np.arange(len(yx)), yx)
    plain = np.concatenate([each for each, _ in read_outlines(result)])
    np.testing.assert_allclose(corners, plain[:, ::-1], atol=1 / 30)
    assert length.sum() == len(corners)


def test_some_of_them_in_any_order(result: CellResult) -> None:
    yx = read_columns(result).yx
    outlines = load_outlines(result, yx)
    cells = np.array([7, 3, 3])
    corners, length = outlines.of(cells, yx[cells])
    parts = np.split(corners, np.cumsum(length)[:-1])
    for part, cell in zip(parts, cells, strict=True):
        np.testing.assert_allclose(part.mean(axis=0), places()[cell][::-1], atol=1)
    assert len(OCTAGON) <= len(parts[0])
    np.testing.assert_array_equal(parts[1], parts[2])


def test_none_of_them(result: CellResult) -> None:
    corners, length = Outlines(np.zeros((0, 2), np.int16), np.zeros(0, np.int64)).of(np.zeros(0, int), np.zeros((0, 2)))
    assert (len(corners), len(length)) == (0, 0)


@pytest.mark.parametrize("change", [-1, 1])
def test_outlines_of_another_table_are_refused(result: CellResult, change: int) -> None:
    yx = read_columns(result).yx
    yx = yx[:change] if change < 0 else np.concatenate([yx, yx[:1]])
    with pytest.raises(InputError, match="do not belong to their table"):
        load_outlines(result, yx)


def test_it_takes_little_memory(result: CellResult, cells_once: Path) -> None:
    yx = read_columns(result).yx
    assert load_outlines(result, yx).nbytes < 100 * len(yx)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """Parts of a file of polygons, as they are read."""
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    monkeypatch.setattr(module, "read_outlines", lambda _: iter(parts))
    return parts


RING = np.array([[0.0, 0], [4, 0], [4, 2]])  # (x, y)


def test_parts_are_joined_in_their_order(result: CellResult, told: list[tuple[np.ndarray, np.ndarray]]) -> None:
    told += [(RING, np.array([3])), (np.concatenate([RING + 10, RING + 20]), np.array([3, 3]))]
    yx = np.array([[1, 1], [11, 11], [21, 21]], np.float32)
    corners, length = load_outlines(result, yx).of(np.array([2, 0]), yx[[2, 0]])
    np.testing.assert_allclose(corners, np.concatenate([RING + 20, RING])[:, ::-1])
    assert length.tolist() == [3, 3]


def test_an_outline_that_reaches_absurdly_far_is_cut_off(
    result: CellResult, told: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Small numbers hold two thousand pixels each way: what is further must not come back on the other side."""
    told.append((np.array([[-90_000.0, 0], [90_000, 0], [0, 5]]), np.array([3])))
    yx = np.array([[0, 0]], np.float32)
    corners, _ = load_outlines(result, yx).of(np.array([0]), yx)
    assert corners[0, 1] == -corners[1, 1] < -2000
    assert corners[2].tolist() == [5, 0]


def test_a_file_of_no_polygons(result: CellResult, told: list[tuple[np.ndarray, np.ndarray]]) -> None:
    assert load_outlines(result, np.zeros((0, 2), np.float32)).nbytes == 0
    with pytest.raises(InputError, match="do not belong to their table"):
        load_outlines(result, np.zeros((1, 2), np.float32))
