"""Cells as a pyramid, drawn where it is looked at: outlines close by, filled nuclei further away, then density."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .density import Density
from .filling import borders, fill_polygons, rounds, stamp_discs
from .near import NearCells
from .outlines import Outlines
from .stored import CellColumns
from .styles import CellCodes
from .tiles import TILE, Level, Picture, Tiles

# diameters of the median nucleus in pixels of a level
_FINEST, _OUTLINED, _SINGLE = 40.0, 10.0, 2.5
_COARSEST_PX = 512
_MOST_COUNTS = 64 * 2**20
_HALO = 2
_SEEN_PX, _MOST_SHAPES = 1.6e6, 8_000


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
        self._shapes = self._level_shapes()
        self._single = self._first_density()
        self.density = self._count()
        self._tiles = Tiles(self._draw, self._shapes, self.codes.dtype)
        self.levels = [Level(self._tiles, i, each, self.codes.dtype) for i, each in enumerate(self._shapes)]

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

    def show_types(self, visible: NDArray[np.bool_]) -> None:
        """Count other types for the density, (T,); single nuclei of hidden types are left to the colours."""
        self.visible = np.array(visible, bool)
        self._tiles.forget(lambda level, _row, _column: level >= self._single)

    def use_outlines(self, outlines: Outlines) -> None:
        """Draw real outlines from now on, in place of circles."""
        self.outlines = outlines
        self._tiles.forget()

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
        parts = [*columns, self.near.order]
        outlines = 0 if self.outlines is None else self.outlines.nbytes
        return sum(each.nbytes for each in parts) + self._tiles.nbytes + self.density.nbytes + outlines

    # -- drawing ---------------------------------------------------------------------------------------------------

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

    def _forget_around(self, cell: int) -> None:
        """Let tiles with a nucleus be drawn anew."""
        if not 0 <= cell < len(self.columns):
            return
        place = self.columns.yx[cell]

        def near(level: int, row: int, column: int) -> bool:
            away = np.abs((np.array([row, column]) + 0.5) * TILE / self.scale(level) - place)
            return bool((away <= TILE / 2 / self.scale(level) + self.reach).all())

        self._tiles.forget(near)


def _split(corners: NDArray[np.float64], length: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    return np.split(corners, np.cumsum(length)[:-1]) if len(length) else []
