"""Polygons and discs drawn into arrays, thousands at a time, with array operations alone.

A pixel (row, column) covers `[row, row + 1) x [column, column + 1)` and belongs to a shape that holds its centre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_COLUMN_BITS = 20  # a row of the picture has at most a million columns
_ROUND = 16


def fill_polygons(
    corners: NDArray[np.floating], length: NDArray[np.integer], shape: tuple[int, int]
) -> NDArray[np.int32]:
    """Draw polygons; of those that overlap the later one is on top.

    Parameters
    ----------
    corners
        (m, 2) corners (y, x) of all polygons in pixels, one polygon after the other, each without its first again.
    length
        (n,) corners of each.
    shape
        Height and width of the picture; what lies outside is cut off.

    Returns
    -------
    (height, width) int32: number of the polygon, from 1; 0 for none.
    """
    height, width = shape
    picture = np.zeros(height * width, np.int32)
    if len(length) == 0 or len(corners) == 0:
        return picture.reshape(shape)
    key = _crossings(corners, length, height, width)
    # between an odd crossing of a polygon with a row and the next one lies its inside
    key.sort()
    mask = (1 << _COLUMN_BITS) - 1
    begin, end = key[0::2] & mask, key[1::2] & mask
    polygon, row = np.divmod(key[0::2] >> _COLUMN_BITS, height)
    kept = end > begin
    size = (end - begin)[kept]
    first = (row * width + begin)[kept] - (np.cumsum(size) - size)
    picture[np.repeat(first, size) + np.arange(size.sum())] = np.repeat((polygon[kept] + 1).astype(np.int32), size)
    return picture.reshape(shape)


def _crossings(
    corners: NDArray[np.floating], length: NDArray[np.integer], height: int, width: int
) -> NDArray[np.int64]:
    """Where outlines cross the middle of rows: polygon, row and column in one number that sorts by them."""
    start = np.cumsum(length) - length
    following = np.arange(1, len(corners) + 1)
    following[(start + length - 1)[length > 0]] = start[length > 0]
    y, x = corners[:, 0], corners[:, 1]
    y_next, x_next = y[following], x[following]
    first = np.clip(np.ceil(np.minimum(y, y_next) - 0.5), 0, height).astype(np.int64)
    after = np.clip(np.ceil(np.maximum(y, y_next) - 0.5), 0, height).astype(np.int64)
    rows = after - first
    crossing = np.flatnonzero(rows > 0)
    rows, first = rows[crossing], first[crossing]
    polygon = np.repeat(np.arange(len(length)), length)[crossing]
    slope = (x_next[crossing] - x[crossing]) / (y_next[crossing] - y[crossing])
    at_zero = x[crossing] + (0.5 - y[crossing]) * slope
    row = np.repeat(first - (np.cumsum(rows) - rows), rows) + np.arange(rows.sum())
    column = np.clip(np.ceil(np.repeat(at_zero, rows) + row * np.repeat(slope, rows) - 0.5), 0, width)
    return ((np.repeat(polygon * height, rows) + row) << _COLUMN_BITS) | column.astype(np.int64)


def rounds(yx: NDArray[np.floating], radius: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Circles as polygons of 16 corners: corners (16 n, 2) and how many each has, (n,)."""
    angle = np.arange(_ROUND) * (2 * np.pi / _ROUND)
    unit = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    corners = yx[:, None, :] + radius[:, None, None] * unit
    return corners.reshape(-1, 2).astype(np.float64), np.full(len(yx), _ROUND, np.int64)


def stamp_discs(
    yx: NDArray[np.floating], radius: NDArray[np.floating], values: NDArray[np.uint16], shape: tuple[int, int]
) -> NDArray[np.uint16]:
    """Draw small discs, each of one pixel at least; of those that overlap any may be on top.

    Parameters
    ----------
    yx, radius
        (n, 2) and (n,) in pixels.
    values
        (n,) what is drawn.
    """
    steps = np.clip(np.rint(radius * 2), 1, 40).astype(np.int64)  # in half pixels
    reach = int(steps.max(initial=1)) // 2
    # room for whole discs whose centres lie just outside of the picture
    pad = 2 * reach
    height, width = shape[0] + 2 * pad, shape[1] + 2 * pad
    picture = np.zeros(height * width, np.uint16)
    at = np.floor(yx).astype(np.int64) + pad
    inside = np.all((at >= reach) & (at < np.array([height, width]) - reach), axis=1)
    flat = at[:, 0] * width + at[:, 1]
    for step in np.unique(steps[inside]):
        rows = np.flatnonzero(inside & (steps == step))
        picture[flat[rows][:, None] + _disc(step / 2, width)] = values[rows][:, None]
    return picture.reshape(height, width)[pad : height - pad, pad : width - pad]


def _disc(radius: float, width: int) -> NDArray[np.int64]:
    """Offsets of a disc's pixels in a flat picture."""
    reach = int(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    in_it = y**2 + x**2 <= max(radius, 0.5) ** 2
    return (y[in_it] * width + x[in_it]).ravel()


def borders(ids: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels of shapes within two pixels of their border: a line that stays whole when it is shown at half the size.

    Parameters
    ----------
    ids
        (H, W) numbers of shapes; the outer two rows and columns are not to be used.
    """
    differs = np.zeros(ids.shape, bool)
    down = ids[2:] != ids[:-2]
    across = ids[:, 2:] != ids[:, :-2]
    differs[2:] |= down
    differs[:-2] |= down
    differs[:, 2:] |= across
    differs[:, :-2] |= across
    return differs & (ids > 0)
