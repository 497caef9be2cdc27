"""Cells as a pyramid, drawn where it is looked at: outlines close by, filled nuclei further away, then density."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .density import Density
from .filling import borders, fill_polygons, rounds, stamp_discs
from .near import NearCells
from .outlines import Outlines
from .stored import CellColumns
from .styles import CellCodes

TILE = 256
_KEPT_BYTES = 64 * 2**20
# diameters of the median nucleus in pixels of a level
_FINEST, _OUTLINED, _SINGLE = 40.0, 10.0, 2.5
_COARSEST_PX = 512
_MOST_COUNTS = 64 * 2**20
_HALO = 2
_SEEN_PX, _MOST_SHAPES = 1.6e6, 8_000
_WHOLE = 64 * 2**20  # more pixels are never drawn at once

Picture = NDArray[np.unsignedinteger]


class CellRaster:
    """Nuclei of a slide as levels of numbers of `CellCodes`, finest first.

    Parameters
    ----------
    columns
        The nuclei.
    shape
        Height and width of the slide in level-0 pixels.
    area_px2
        (n,) their areas in square level-0 pixels.

    Attributes
    ----------
    levels
        What napari shows as a multiscale layer.
    zoom
        Pixels of the finest level in a level-0 pixel.
    visible
        (T,) the types that count for the density.
    picked
        The nucleus whose outline is marked; -1 for none.
    """

    def __init__(self, columns: CellColumns, shape: tuple[int, int], area_px2: NDArray[np.floating]) -> None:
        self.columns, self.shape = columns, shape
        self.codes = CellCodes(len(columns.types))
        self.visible = np.ones(len(columns.types), bool)
        self.outlines: Outlines | None = None
        self.picked = -1
        self.radius = np.sqrt(np.maximum(area_px2, 0) / np.pi).astype(np.float32)
        self.diameter = max(2 * float(np.median(self.radius)), 1.0) if len(columns) else 10.0
        # nothing reaches further from its centroid than this; a single odd outline may be cut off at a tile's border
        self.reach = min(2.5 * float(self.radius.max(initial=1.0)), 4 * self.diameter)
        self.near = NearCells(columns.yx, shape)
        self.zoom = 2.0 ** max(0, int(np.ceil(np.log2(_FINEST / self.diameter))))
        self._tiles: OrderedDict[tuple[int, int, int], Picture] = OrderedDict()
        self._shapes = self._level_shapes()
        self._single = self._first_density()
        self.density = self._count()
        self.levels = [Level(self, i, each) for i, each in enumerate(self._shapes)]

    # -- levels ----------------------------------------------------------------------------------------------------

    def scale(self, level: int) -> float:
        """Pixels of a level in a level-0 pixel."""
        return float(self.zoom / 2**level)

    def look(self, level: int) -> str:
        """How nuclei are drawn: "outline", "filled" or "density"."""
        if level >= self._single:
            return "density"
        return "outline" if self.diameter * self.scale(level) >= _OUTLINED else "filled"

    def _has_shapes(self, level: int) -> bool:
        """Whether filled nuclei have their shapes: where there are so many that it would take long, discs will do."""
        height, width = self._shapes[level]
        seen = len(self.columns) * min(_SEEN_PX / (height * width), 1.0)
        return self.outlines is not None and seen <= _MOST_SHAPES

    def _level_shapes(self) -> list[tuple[int, int]]:
        height, width = (int(np.ceil(each * self.zoom)) for each in self.shape)
        count = 1 + max(0, int(np.ceil(np.log2(max(height, width) / _COARSEST_PX))))
        # whole multiples: every level is half of the one before, exactly
        step = 2 ** (count - 1)
        height, width = (-(-each // step) * step for each in (height, width))
        return [(height >> i, width >> i) for i in range(count)]

    def _first_density(self) -> int:
        types = len(self.columns.types)
        for level, (height, width) in enumerate(self._shapes):
            if self.diameter * self.scale(level) < _SINGLE and height * width * types <= _MOST_COUNTS:
                return level
        return len(self._shapes)

    def _count(self) -> Density:
        scale, columns = self.scale(self._single), self.columns
        area = np.pi / 4 * (self.diameter * scale) ** 2
        shapes = self._shapes[self._single :]
        return Density(columns.yx * scale, columns.kind, len(columns.types), shapes, area, self.codes)

    # -- what is looked at -----------------------------------------------------------------------------------------

    def read(self, level: int, top: int, left: int, bottom: int, right: int) -> Picture:
        """A part of a level; tiles that were drawn before are used again."""
        first, last = (top // TILE, left // TILE), (-(-bottom // TILE), -(-right // TILE))
        picture = np.zeros(((last[0] - first[0]) * TILE, (last[1] - first[1]) * TILE), self.codes.dtype)
        tiles = [(row, column) for row in range(first[0], last[0]) for column in range(first[1], last[1])]
        self._draw_missing(level, [tile for tile in tiles if (level, *tile) not in self._tiles])
        for row, column in tiles:
            y, x = (row - first[0]) * TILE, (column - first[1]) * TILE
            self._tiles.move_to_end((level, row, column))
            picture[y : y + TILE, x : x + TILE] = self._tiles[level, row, column]
        self._forget_oldest(len(tiles))
        y, x = top - first[0] * TILE, left - first[1] * TILE
        return picture[y : y + bottom - top, x : x + right - left]

    def show_types(self, visible: NDArray[np.bool_]) -> None:
        """Count other types for the density, (T,); single nuclei of hidden types are left to the colours."""
        self.visible = np.array(visible, bool)
        for key in [key for key in self._tiles if key[0] >= self._single]:
            del self._tiles[key]

    def use_outlines(self, outlines: Outlines) -> None:
        """Draw real outlines from now on, in place of circles."""
        self.outlines = outlines
        self._tiles.clear()

    def pick(self, cell: int) -> None:
        """Mark a nucleus; -1 for none."""
        for each in (self.picked, cell):
            self._forget_around(each)
        self.picked = cell

    def cell_at(self, yx: NDArray[np.floating]) -> int:
        """The visible nucleus at a place, level-0 pixels; -1 for none."""
        y, x = float(yx[0]), float(yx[1])
        cells = self.near.within(y - self.reach, x - self.reach, y + self.reach, x + self.reach)
        cells = cells[self.visible[self.columns.kind[cells]]]
        away = np.hypot(*(self.columns.yx[cells] - np.array([y, x])).T)
        cells = cells[np.argsort(away)][np.sort(away) <= self.reach]
        if self.outlines is None:
            inside = np.hypot(*(self.columns.yx[cells] - np.array([y, x])).T) <= self.radius[cells]
        else:
            inside = self._around(cells, y, x)
        return int(cells[inside][0]) if inside.any() else -1

    def _around(self, cells: NDArray[np.int32], y: float, x: float) -> NDArray[np.bool_]:
        """(k,) whether the outlines of nuclei go around a place."""
        assert self.outlines is not None
        corners, length = self.outlines.of(cells, self.columns.yx[cells])
        # enlarged, so that the place is well inside of a pixel
        moved = (corners - np.array([y, x])) * 64 + 0.5
        return np.array(
            [fill_polygons(each, np.array([len(each)]), (1, 1))[0, 0] > 0 for each in _split(moved, length)], bool
        )

    @property
    def nbytes(self) -> int:
        """Memory of tiles, counts, outlines and columns."""
        columns = (self.columns.yx, self.columns.kind, self.columns.prob, self.columns.area_um2, self.radius)
        parts = [*columns, self.near.order, *self._tiles.values()]
        outlines = 0 if self.outlines is None else self.outlines.nbytes
        return sum(each.nbytes for each in parts) + self.density.nbytes + outlines

    # -- tiles -----------------------------------------------------------------------------------------------------

    def _draw_missing(self, level: int, tiles: list[tuple[int, int]]) -> None:
        for row, column, rows, columns in _blocks(tiles):
            height, width = self._shapes[level]
            top, left = row * TILE, column * TILE
            bottom, right = min(top + rows * TILE, height), min(left + columns * TILE, width)
            block = np.zeros((rows * TILE, columns * TILE), self.codes.dtype)
            block[: bottom - top, : right - left] = self._draw(level, top, left, bottom, right)
            for i in range(rows):
                for j in range(columns):
                    part = block[i * TILE : (i + 1) * TILE, j * TILE : (j + 1) * TILE]
                    self._tiles[level, row + i, column + j] = part.copy()

    def _draw(self, level: int, top: int, left: int, bottom: int, right: int) -> Picture:
        if level >= self._single:
            return self.density.render(level - self._single, slice(top, bottom), slice(left, right), self.visible)
        scale = self.scale(level)
        box = np.array([top, left, bottom, right]) / scale
        cells = self.near.within(*(box + np.array([-1, -1, 1, 1]) * self.reach))
        shape = (bottom - top, right - left)
        if len(cells) == 0:
            return np.zeros(shape, self.codes.dtype)
        kind, yx = self.columns.kind[cells], self.columns.yx[cells]
        filled = self.look(level) == "filled"
        if filled and not self._has_shapes(level):
            at = yx * scale - np.array([top, left])
            return stamp_discs(at, self.radius[cells] * scale, self.codes.solid[kind], shape).astype(self.codes.dtype)
        if self.outlines is None:
            corners, length = rounds(yx, self.radius[cells])
        else:
            corners, length = self.outlines.of(cells, yx)
        corners = corners * scale - np.array([top - _HALO, left - _HALO])
        ids = fill_polygons(corners, length, (shape[0] + 2 * _HALO, shape[1] + 2 * _HALO))
        if filled:
            solid = np.concatenate([[0], self.codes.solid[kind]]).astype(self.codes.dtype)
            return np.take(solid, ids[_HALO:-_HALO, _HALO:-_HALO], mode="clip")
        return self._coloured(ids, cells, kind)[_HALO:-_HALO, _HALO:-_HALO]

    def _coloured(self, ids: NDArray[np.int32], cells: NDArray[np.int32], kind: NDArray[np.uint8]) -> Picture:
        # inside and border of each nucleus, side by side
        table = np.zeros(2 * (len(cells) + 1), self.codes.dtype)
        table[2::2], table[3::2] = self.codes.fill[kind], self.codes.outline[kind]
        table[3::2][cells == self.picked] = self.codes.picked
        return np.take(table, 2 * ids + borders(ids), mode="clip")

    def _forget_oldest(self, needed: int) -> None:
        most = max(_KEPT_BYTES // (TILE * TILE * self.codes.dtype.itemsize), needed)
        while len(self._tiles) > most:
            self._tiles.popitem(last=False)

    def _forget_around(self, cell: int) -> None:
        """Let tiles with a nucleus be drawn anew."""
        if not 0 <= cell < len(self.columns):
            return
        for level, row, column in list(self._tiles):
            away = np.abs((np.array([row, column]) + 0.5) * TILE / self.scale(level) - self.columns.yx[cell])
            if (away <= TILE / 2 / self.scale(level) + self.reach).all():
                del self._tiles[level, row, column]


class Level:
    """One level of a `CellRaster`, as an array that is drawn when a part of it is read."""

    ndim = 2

    def __init__(self, raster: CellRaster, level: int, shape: tuple[int, int]) -> None:
        self._raster, self._level = raster, level
        self.shape, self.dtype = shape, raster.codes.dtype
        self.size = shape[0] * shape[1]
        self.chunks = (TILE, TILE)

    def __getitem__(self, key: Any) -> Any:
        """A part; numbers, slices with a step and masks are taken from what lies around them."""
        key = (key if isinstance(key, tuple) else (key,)) + (slice(None),) * 2
        (top, bottom, rows), (left, right, columns) = (_span(k, n) for k, n in zip(key, self.shape, strict=False))
        if (bottom - top) * (right - left) > _WHOLE:
            raise ValueError(f"{bottom - top} x {right - left} px of cells are too many to be drawn at once")
        if bottom <= top or right <= left:
            return np.zeros((max(bottom - top, 0), max(right - left, 0)), self.dtype)
        return self._raster.read(self._level, top, left, bottom, right)[rows, columns]

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


def _split(corners: NDArray[np.float64], length: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    return np.split(corners, np.cumsum(length)[:-1]) if len(length) else []


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
