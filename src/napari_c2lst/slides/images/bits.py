"""Masks of a whole slide that take one bit a pixel, worked on some rows at a time."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_ROWS = 256  # read at a time where it does not matter how many


class Bits:
    """A mask (h, w): rows of it are written and read as bool arrays.

    Parameters
    ----------
    shape
        (h, w); nothing is in the mask at first.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._packed = np.zeros((shape[0], -(-shape[1] // 8)), np.uint8)

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Self:
        """The same as a bool array (h, w)."""
        height, width = mask.shape
        bits = cls((height, width))
        for start in range(0, height, _ROWS):  # packing takes some times the memory of what is packed
            bits[start : start + _ROWS] = mask[start : start + _ROWS]
        return bits

    def __getitem__(self, rows: slice) -> NDArray[np.bool_]:
        """Rows of it, a copy."""
        return np.unpackbits(self._packed[rows], axis=1, count=self.shape[1]).view(np.bool_)

    def __setitem__(self, rows: slice, values: NDArray[np.bool_]) -> None:
        """Put `values` (n, w) in place of these rows."""
        self._packed[rows] = np.packbits(values, axis=1)

    def __iand__(self, other: Bits) -> Self:
        """Keep what is in the other mask too."""
        self._packed &= other._packed
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The whole mask as a bool array."""
        if copy is False:
            raise ValueError("bits become an array by a copy")
        return self[:].astype(dtype or np.bool_, copy=False)

    def copy(self) -> Self:
        """Another one with the same in it."""
        other = type(self)(self.shape)
        other._packed[:] = self._packed
        return other

    def any(self) -> bool:
        """Whether anything is in the mask."""
        return bool(self._packed.any())

    def sum(self) -> int:
        """Number of pixels in the mask."""
        return int(self.in_rows().sum())

    def in_rows(self) -> NDArray[np.int64]:
        """(h,) number of pixels in the mask in each row."""
        starts = range(0, self.shape[0], _ROWS)
        counts = [np.count_nonzero(self[start : start + _ROWS], axis=1) for start in starts]
        return np.concatenate([np.zeros(0, np.int64), *counts])

    def places(self, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n, 2) row and column of some pixels of the mask, as `numpy.argwhere(mask)[ranks]` gives them."""
        ends = np.cumsum(self.in_rows())
        rows = np.searchsorted(ends, ranks, side="right")
        found = np.stack([rows, np.zeros_like(rows)], axis=1)
        for row in np.unique(rows).tolist():
            columns, before = np.flatnonzero(self[row : row + 1]), ends[row - 1] if row else 0
            found[rows == row, 1] = columns[ranks[rows == row] - before]
        return found

    def at(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether pixels (n,) of the mask, all inside, are in it."""
        bit = self._packed[row, column >> 3] >> (7 - (column & 7)).astype(np.uint8) & 1
        return np.asarray(bit, np.bool_)
