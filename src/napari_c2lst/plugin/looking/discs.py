"""Spots as discs in a picture: which pixel belongs to which spot, once; then any colours at no cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LONGEST_PX = 1200
STEPS = 12  # pixels across a spot, where the picture may be as large as that


class Discs:
    """The discs of n spots as pixels.

    Parameters
    ----------
    yx_um
        (n, 2) centres in microns.
    diameter_um
        Of a spot.

    Attributes
    ----------
    origin_um
        (2,) y, x of the picture's corner.
    step_um
        Side of a pixel.
    """

    def __init__(self, yx_um: NDArray[np.float64], diameter_um: float) -> None:
        radius = diameter_um / 2
        low, high = yx_um.min(axis=0) - radius, yx_um.max(axis=0) + radius
        self.step_um = max(diameter_um / STEPS, float((high - low).max()) / LONGEST_PX)
        self.origin_um = low
        self.shape = (*(np.ceil((high - low) / self.step_um).astype(int) + 1).tolist(),)
        self._n = len(yx_um)
        self._label = np.full(self.shape, self._n, dtype=np.int32)  # n stands for no spot
        self._stamp(((yx_um - low) / self.step_um), radius / self.step_um)

    def _stamp(self, centres: NDArray[np.float64], radius: float) -> None:
        reach = int(np.ceil(radius))
        base = np.floor(centres).astype(int)
        index = np.arange(self._n)
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                pixel = base + np.array([dy, dx])
                inside = ((pixel + 0.5 - centres) ** 2).sum(axis=1) <= max(radius, 0.75) ** 2
                inside &= ((pixel >= 0) & (pixel < self.shape)).all(axis=1)
                self._label[pixel[inside, 0], pixel[inside, 1]] = index[inside]

    def paint(self, colours: NDArray[np.float32]) -> NDArray[np.uint8]:
        """(h, w, 4) picture of the spots in the given colours (n, 4); transparent between them."""
        table = np.zeros((self._n + 1, 4), dtype=np.uint8)
        table[:-1] = np.clip(np.rint(colours * 255), 0, 255)
        return table[self._label]

    def spot_at(self, y_um: float, x_um: float) -> int:
        """The spot under a place; -1 for none."""
        row, column = (int(np.floor(v)) for v in (np.array([y_um, x_um]) - self.origin_um) / self.step_um)
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            return -1
        found = int(self._label[row, column])
        return -1 if found == self._n else found
