"""How much of a square is in a mask, from running sums of which only some rows are there at a time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .bits import Bits

_PIXELS = 2**18  # of sums at a time


class Shares:
    """Shares of squares in a mask; asked from the top to the bottom, no row is summed twice.

    Parameters
    ----------
    bits
        (h, w) the mask.
    """

    def __init__(self, bits: Bits) -> None:
        self.bits = bits
        self._step = max(1, _PIXELS // (bits.shape[1] + 1))
        self._top, self._above = self._nothing()

    def of(self, centres: NDArray[np.float64], half: float) -> NDArray[np.float64]:
        """Share of squares around points (N, 2), 0..1; beyond the mask there is none.

        Parameters
        ----------
        centres
            (y, x) in pixels of the mask.
        half
            Half of a side.
        """
        found = np.zeros(len(centres))
        known = np.flatnonzero(np.isfinite(centres).all(axis=1))
        known = known[np.argsort(centres[known, 0], kind="stable")]
        while len(known):
            top = int(np.clip(centres[known[0], 0] - half, 0, self.bits.shape[0]))
            end = max(1, int(np.searchsorted(centres[known, 0], top + half + self._step)))
            found[known[:end]] = self._some(centres[known[:end]], half, top)
            known = known[end:]
        return found

    def _some(self, centres: NDArray[np.float64], half: float, top: int) -> NDArray[Any]:
        """Shares of squares none of which reaches above a row."""
        height, width = self.bits.shape
        y0, y1 = (np.clip(centres[:, 0] + s, 0, height) for s in (-half, half))
        x0, x1 = (np.clip(centres[:, 1] + s, 0, width) for s in (-half, half))
        # Between the corners of pixels the running sum is linear in each direction: this is the exact area.
        sums = self._sums(top, min(height, int(y1.max()) + 1))
        below, above, left, right = (
            ndimage.map_coordinates(sums, corner, order=1, output=np.float64)
            for corner in ((y1 - top, x1), (y0 - top, x1), (y1 - top, x0), (y0 - top, x0))
        )
        return np.asarray(np.clip((below - above - left + right) / (2 * half) ** 2, 0, 1))

    def _sums(self, first: int, last: int) -> NDArray[np.int32]:
        """Rows `first` to `last`, both among them, of the sums over all that is above and left of a pixel's corner."""
        if first < self._top:
            self._top, self._above = self._nothing()
        for start in range(self._top, first, self._step):
            counts = self.bits[start : min(start + self._step, first)].sum(axis=0, dtype=np.int32)
            self._above[1:] += np.cumsum(counts, dtype=np.int32)
        self._top = first
        sums = np.empty((last - first + 1, len(self._above)), np.int32)
        sums[0] = self._above
        sums[1:, 0] = 0
        np.cumsum(self.bits[first:last], axis=1, dtype=np.int32, out=sums[1:, 1:])
        return np.cumsum(sums, axis=0, out=sums)

    def _nothing(self) -> tuple[int, NDArray[np.int32]]:
        """A row and its sums to begin with."""
        return 0, np.zeros(self.bits.shape[1] + 1, np.int32)
