"""Levels as arrays that are drawn where they are read, tile by tile; tiles that were drawn before are used again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

TILE = 256
_KEPT_BYTES = 64 * 2**20
_WHOLE = 64 * 2**20  # more pixels are never drawn at once

Picture = NDArray[np.unsignedinteger]
Draw = Callable[[int, int, int, int, int], Picture]
"""Draws a part: level, top, left, bottom, right."""


class Tiles:
    """The tiles of several levels that were drawn; the oldest go when they take too much memory.

    Parameters
    ----------
    draw
        Draws a part of a level.
    shapes
        Height and width of each level.
    dtype
        What it draws.
    """

    def __init__(self, draw: Draw, shapes: Sequence[tuple[int, int]], dtype: DTypeLike) -> None:
        self._draw, self._shapes, self._dtype = draw, shapes, np.dtype(dtype)
        self._kept: OrderedDict[tuple[int, int, int], Picture] = OrderedDict()

    def __len__(self) -> int:
        """How many tiles are kept."""
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Memory they take."""
        return sum(each.nbytes for each in self._kept.values())

    def read(self, level: int, top: int, left: int, bottom: int, right: int) -> Picture:
        """A part of a level."""
        first, last = (top // TILE, left // TILE), (-(-bottom // TILE), -(-right // TILE))
        picture = np.zeros(((last[0] - first[0]) * TILE, (last[1] - first[1]) * TILE), self._dtype)
        tiles = [(row, column) for row in range(first[0], last[0]) for column in range(first[1], last[1])]
        self._draw_missing(level, [tile for tile in tiles if (level, *tile) not in self._kept])
        for row, column in tiles:
            y, x = (row - first[0]) * TILE, (column - first[1]) * TILE
            self._kept.move_to_end((level, row, column))
            picture[y : y + TILE, x : x + TILE] = self._kept[level, row, column]
        self._forget_oldest(len(tiles))
        y, x = top - first[0] * TILE, left - first[1] * TILE
        return picture[y : y + bottom - top, x : x + right - left]

    def forget(self, gone: Callable[[int, int, int], bool] = lambda *_: True) -> None:
        """Let tiles be drawn anew: those of which `gone(level, row, column)` holds, all of them if it is left out."""
        for key in [key for key in self._kept if gone(*key)]:
            del self._kept[key]

    def _draw_missing(self, level: int, tiles: list[tuple[int, int]]) -> None:
        height, width = self._shapes[level]
        for row, column, rows, columns in _blocks(tiles):
            top, left = row * TILE, column * TILE
            bottom, right = min(top + rows * TILE, height), min(left + columns * TILE, width)
            block = np.zeros((rows * TILE, columns * TILE), self._dtype)
            block[: bottom - top, : right - left] = self._draw(level, top, left, bottom, right)
            for i in range(rows):
                for j in range(columns):
                    part = block[i * TILE : (i + 1) * TILE, j * TILE : (j + 1) * TILE]
                    self._kept[level, row + i, column + j] = part.copy()

    def _forget_oldest(self, needed: int) -> None:
        most = max(_KEPT_BYTES // (TILE * TILE * self._dtype.itemsize), needed)
        while len(self._kept) > most:
            self._kept.popitem(last=False)


class Level:
    """One level, as an array that is drawn when a part of it is read."""

    ndim = 2

    def __init__(self, tiles: Tiles, level: int, shape: tuple[int, int], dtype: DTypeLike) -> None:
        self._tiles, self._level = tiles, level
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.size = shape[0] * shape[1]
        self.chunks = (TILE, TILE)

    def __getitem__(self, key: Any) -> Any:
        """A part; numbers and slices with a step are taken from what lies around them."""
        key = (key if isinstance(key, tuple) else (key,)) + (slice(None),) * 2
        (top, bottom, rows), (left, right, columns) = (_span(k, n) for k, n in zip(key, self.shape, strict=False))
        if (bottom - top) * (right - left) > _WHOLE:
            raise ValueError(f"{bottom - top} x {right - left} px of cells are too many to be drawn at once")
        if bottom <= top or right <= left:
            return np.zeros((max(bottom - top, 0), max(right - left, 0)), self.dtype)
        return self._tiles.read(self._level, top, left, bottom, right)[rows][..., columns]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The whole level; refused for those that are too large."""
        return np.asarray(self[:, :], dtype=dtype)

    def __len__(self) -> int:
        """Rows."""
        return self.shape[0]


def _span(key: Any, size: int) -> tuple[int, int, Any]:
    """What is read of an axis, and what is taken of that."""
    if isinstance(key, slice):
        start, stop, step = key.indices(size)
        if step == 1:
            return start, stop, slice(None)
        picked = np.arange(start, stop, step)
        return (int(picked.min()), int(picked.max()) + 1, picked - picked.min()) if len(picked) else (0, 0, slice(None))
    at = int(key)
    if not -size <= at < size:
        raise IndexError(f"{at} is outside of {size}")
    at %= size
    return at, at + 1, 0


def _blocks(tiles: list[tuple[int, int]]) -> Iterator[tuple[int, int, int, int]]:
    """Tiles joined to rectangles: first row and column, and how many rows and columns."""
    left = sorted(set(tiles))
    while left:
        row, column = left[0]
        columns = 1
        there = set(left)
        while (row, column + columns) in there:
            columns += 1
        rows = 1
        while all((row + rows, column + j) in there for j in range(columns)):
            rows += 1
        yield row, column, rows, columns
        done = {(row + i, column + j) for i in range(rows) for j in range(columns)}
        left = [tile for tile in left if tile not in done]
