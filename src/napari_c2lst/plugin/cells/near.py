"""Which nuclei lie in a rectangle, without looking at the others: they are kept sorted by the squares of a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PER_SQUARE = 16


class NearCells:
    """Nuclei sorted by squares.

    Parameters
    ----------
    yx
        (n, 2) places.
    shape
        Height and width of what they lie in.

    Attributes
    ----------
    order
        (n,) int32: the nucleus at each place of the sorted order.
    """

    def __init__(self, yx: NDArray[np.floating], shape: tuple[float, float]) -> None:
        area = max(float(shape[0]) * float(shape[1]), 1.0)
        self.side = max(float(np.sqrt(area * _PER_SQUARE / max(len(yx), 1))), 1.0)
        self._rows, self._columns = (int(np.ceil(each / self.side)) + 1 for each in shape)
        row = np.clip((yx[:, 0] / self.side).astype(np.int64), 0, self._rows - 1)
        column = np.clip((yx[:, 1] / self.side).astype(np.int64), 0, self._columns - 1)
        square = row * self._columns + column
        self.order = np.argsort(square, kind="stable").astype(np.int32)
        counts = np.bincount(square, minlength=self._rows * self._columns)
        self._start = np.concatenate([[0], np.cumsum(counts)])

    def within(self, top: float, left: float, bottom: float, right: float) -> NDArray[np.int32]:
        """Nuclei in the squares that a rectangle touches, in a fixed order; some may lie just outside of it."""
        first, last = self._span(top, bottom, self._rows)
        left_square, right_square = self._span(left, right, self._columns)
        rows = np.arange(first, last + 1) * self._columns
        starts, ends = self._start[rows + left_square], self._start[rows + right_square + 1]
        parts = [self.order[start:end] for start, end in zip(starts, ends, strict=True) if end > start]
        return np.concatenate(parts) if parts else np.zeros(0, np.int32)

    def _span(self, low: float, high: float, most: int) -> tuple[int, int]:
        return (
            int(np.clip(low // self.side, 0, most - 1)),
            int(np.clip(high // self.side, 0, most - 1)),
        )
