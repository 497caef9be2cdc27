"""Square regions of a pyramid level: the pixels each of them needs, assembled from chunks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .resampling import PHASES, as_it_is, reach_of

WHITE = 255

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Regions:
    """Squares to be resampled: where they begin, and the whole pixels that the filter looks at around them.

    All in pixels of one level, for N squares of the same side.

    Attributes
    ----------
    side
        Exact side of the squares.
    px
        Pixels of a patch's side.
    phases
        (N, 2) int64, the part of a pixel by which each square begins later than a whole pixel, in units of 1 / PHASES.
    first, last
        (N, 2) int64, whole pixels that are looked at: first inclusive, last exclusive. May lie outside the image.
    """

    side: float
    px: int
    phases: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @classmethod
    def around(cls, centres: NDArray[np.float64], side: float, px: int) -> "Regions":
        """Squares of `side` around (N, 2) centres that will be resampled to px x px."""
        if as_it_is(side, px):
            first = np.rint(centres - px / 2).astype(np.int64)
            return cls(side, px, np.zeros_like(first), first, first + px)
        place = np.rint((centres - side / 2) * PHASES).astype(np.int64)
        whole, phases = np.divmod(place, PHASES)
        reach = reach_of(side, px)
        last = np.ceil(place / PHASES + side).astype(np.int64) + reach
        return cls(side, px, phases, whole - reach, last)

    def __len__(self) -> int:
        """Number of regions."""
        return len(self.first)

    def blank(self, index: int) -> Pixels:
        """A white canvas (3, h, w) for one region: what is beyond the image stays white."""
        height, width = self.last[index] - self.first[index]
        return np.full((3, height, width), WHITE, np.uint8)

    def paste(self, canvas: Pixels, index: int, chunk: Pixels, top: int, left: int) -> None:
        """Put what a chunk at (top, left) of the level has of a region onto its canvas."""
        y, x = self.first[index].tolist()
        bottom, right = self.last[index].tolist()
        y0, x0 = max(y, top), max(x, left)
        y1, x1 = min(bottom, top + chunk.shape[1]), min(right, left + chunk.shape[2])
        canvas[:, y0 - y : y1 - y, x0 - x : x1 - x] = chunk[:, y0 - top : y1 - top, x0 - left : x1 - left]

    def cut(self, index: int, chunk: Pixels, top: int, left: int) -> Pixels:
        """A region that lies wholly in a chunk at (top, left) of the level; no copy."""
        (y0, x0), (y1, x1) = self.first[index].tolist(), self.last[index].tolist()
        return chunk[:, y0 - top : y1 - top, x0 - left : x1 - left]
