"""Parts of levels, tile by tile: against one whole array that stands for what is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.cells import tiles as module
from napari_c2lst.plugin.cells.tiles import TILE, Level, Tiles

SHAPES = [(3 * TILE - 40, 4 * TILE + 8), (TILE + 116, 2 * TILE + 4)]  # no whole numbers of tiles


class Drawn:
    """Two levels of known numbers, and which parts of them were drawn."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.levels = [rng.integers(1, 200, shape).astype(np.uint8) for shape in SHAPES]
        self.parts: list[tuple[int, int, int, int, int]] = []
        self.tiles = Tiles(self.draw, SHAPES, np.uint8)

    def draw(self, level: int, top: int, left: int, bottom: int, right: int) -> Any:
        self.parts.append((level, top, left, bottom, right))
        return self.levels[level][top:bottom, left:right]

    def level(self, number: int = 0) -> Level:
        return Level(self.tiles, number, SHAPES[number], np.uint8)


@pytest.fixture
def drawn() -> Drawn:
    return Drawn()


@pytest.mark.parametrize("level", [0, 1])
def test_any_part_is_that_part_of_the_level(drawn: Drawn, level: int) -> None:
    height, width = SHAPES[level]
    rng = np.random.default_rng(level)
    for _ in range(40):
        top, bottom = sorted(rng.choice(height + 1, 2, replace=False))
        left, right = sorted(rng.choice(width + 1, 2, replace=False))
        part = drawn.tiles.read(level, top, left, bottom, right)
        np.testing.assert_array_equal(part, drawn.levels[level][top:bottom, left:right])


def test_a_part_is_drawn_once_and_in_as_few_pieces_as_there_can_be(drawn: Drawn) -> None:
    drawn.tiles.read(0, 10, 10, 2 * TILE, 2 * TILE)
    assert drawn.parts == [(0, 0, 0, 2 * TILE, 2 * TILE)]  # four tiles at once
    drawn.tiles.read(0, 100, 200, 300, 400)
    assert len(drawn.parts) == 1
    drawn.tiles.read(0, 0, 0, *SHAPES[0])
    assert drawn.parts[1:] == [
        (0, 0, 2 * TILE, SHAPES[0][0], SHAPES[0][1]),  # what is missing on the right, then below; cut off at the border
        (0, 2 * TILE, 0, SHAPES[0][0], 2 * TILE),
    ]
    assert sum((bottom - top) * (right - left) for _, top, left, bottom, right in drawn.parts) == np.prod(SHAPES[0])


def test_levels_are_kept_apart(drawn: Drawn) -> None:
    first, second = (drawn.tiles.read(level, 0, 0, 9, 9) for level in (0, 1))
    assert not np.array_equal(first, second)
    assert len(drawn.tiles) == 2
    assert drawn.tiles.nbytes == 2 * TILE**2


def test_what_is_forgotten_is_drawn_anew_and_nothing_else(drawn: Drawn) -> None:
    for level in (0, 1):
        drawn.tiles.read(level, 0, 0, *SHAPES[level])
    before = len(drawn.tiles)
    drawn.levels[0][:] = 7
    drawn.tiles.forget(lambda level, row, column: (level, row, column) == (0, 1, 2))
    assert len(drawn.tiles) == before - 1
    drawn.parts.clear()
    part = drawn.tiles.read(0, 0, 0, *SHAPES[0])
    assert drawn.parts == [(0, TILE, 2 * TILE, 2 * TILE, 3 * TILE)]
    assert (part == 7).sum() >= TILE**2
    assert part[0, 0] != 7 or part[1, 1] != 7
    drawn.tiles.forget()
    assert (len(drawn.tiles), drawn.tiles.nbytes) == (0, 0)
    assert (drawn.tiles.read(0, 0, 0, 9, 9) == 7).all()


def test_who_reads_may_write_into_it(drawn: Drawn) -> None:
    part = drawn.tiles.read(0, 0, 0, 5, 5)
    part[:] = 0
    np.testing.assert_array_equal(drawn.tiles.read(0, 0, 0, 5, 5), drawn.levels[0][:5, :5])


def test_the_oldest_go_first_and_what_is_looked_at_stays(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT_BYTES", 3 * TILE**2)

    def look(column: int) -> bool:
        """Whether a tile had to be drawn."""
        drawn.parts.clear()
        drawn.tiles.read(0, 0, column * TILE, 9, column * TILE + 9)
        return bool(drawn.parts)

    assert [look(column) for column in (0, 1, 2)] == [True] * 3
    assert not look(0)  # now 1 is the oldest
    assert look(3)
    assert [look(column) for column in (0, 2, 3)] == [False] * 3
    assert look(1)
    drawn.tiles.read(0, 0, 0, *SHAPES[0])  # more than may be kept: the part is whole all the same
    assert len(drawn.tiles) == 15
    look(0)
    assert len(drawn.tiles) == 3


KEYS: list[Any] = [
    np.s_[:, :],
    np.s_[5],
    np.s_[-1],
    np.s_[3, 4],
    np.s_[-2, -3],
    np.s_[10:300],
    np.s_[10:300, 250:260],
    np.s_[:-5, -7:],
    np.s_[::3, 1::50],
    np.s_[200:100:-7, ::-1],
    np.s_[7, 10:20],
    np.s_[10:20, 7],
    np.s_[5:5, :],
    np.s_[9:3, 2:4],
    np.s_[0:99999, 500:99999],
    np.s_[10:10:2, :],
    (np.int64(3), slice(np.int32(2), np.int64(9))),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_level_is_indexed_like_an_array(drawn: Drawn, key: Any) -> None:
    wanted = drawn.levels[0][key]
    found = drawn.level()[key]
    assert np.shape(found) == wanted.shape
    np.testing.assert_array_equal(found, wanted)


def test_a_level_is_like_an_array_to_napari(drawn: Drawn) -> None:
    level = drawn.level(1)
    assert (level.ndim, level.shape, level.dtype, level.size) == (2, SHAPES[1], np.uint8, np.prod(SHAPES[1]))
    assert len(level) == SHAPES[1][0]
    assert drawn.parts == []  # nothing was drawn to know that
    np.testing.assert_array_equal(np.asarray(level), drawn.levels[1])
    assert np.asarray(level, dtype=np.int64).dtype == np.int64


@pytest.mark.parametrize("key", [(SHAPES[0][0], 0), (0, SHAPES[0][1]), (-SHAPES[0][0] - 1, 0)])
def test_places_outside_are_refused(drawn: Drawn, key: tuple[int, int]) -> None:
    with pytest.raises(IndexError, match="is outside of"):
        drawn.level()[key]
    assert drawn.parts == []


def test_too_much_at_once_is_refused_before_it_is_drawn(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WHOLE", 100 * 100)
    level = drawn.level()
    assert level[:100, :100].shape == (100, 100)
    drawn.parts.clear()
    for read in (lambda: level[:101, :100], lambda: level[:, :], lambda: np.asarray(level)):
        with pytest.raises(ValueError, match="px of cells are too many to be drawn at once"):
            read()
    assert drawn.parts == []
