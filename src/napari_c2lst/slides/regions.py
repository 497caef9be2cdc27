"""Square regions of a pyramid level, assembled from chunks and resampled with antialiasing to patches."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WHITE = 255


@dataclass(frozen=True, eq=False)
class Regions:
    """Squares to be resampled: exact boxes, and the whole pixels that the filter looks at around them.

    All in pixels of one level, for N squares of the same side.

    Attributes
    ----------
    corner
        (N, 2) float64, exact top and left of the squares.
    side
        Exact side of the squares.
    first, last
        (N, 2) int64, whole pixels that are looked at: first inclusive, last exclusive. May lie outside the image.
    """

    corner: NDArray[np.float64]
    side: float
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @classmethod
    def around(cls, centres: NDArray[np.float64], side: float, px: int) -> "Regions":
        """Squares of `side` around (N, 2) centres that will be resampled to px x px."""
        corner = centres - side / 2
        reach = int(np.ceil(2 * max(1.0, side / px))) + 1  # of the widest filter in `resample`
        first = np.floor(corner).astype(np.int64) - reach
        last = np.ceil(corner + side).astype(np.int64) + reach
        return cls(corner, side, first, last)

    def blank(self, index: int) -> NDArray[np.uint8]:
        """A white canvas (h, w, 3) for one region: what is beyond the image stays white."""
        height, width = self.last[index] - self.first[index]
        return np.full((height, width, 3), WHITE, np.uint8)

    def copy_into(self, canvas: NDArray[np.uint8], index: int, chunk: NDArray[np.uint8], top: int, left: int) -> None:
        """Copy what a chunk (3, h, w) at (top, left) has of a region onto its canvas."""
        y0, x0 = self.first[index]
        y1, x1 = self.last[index]
        a, b = max(y0, top), min(y1, top + chunk.shape[1])
        c, d = max(x0, left), min(x1, left + chunk.shape[2])
        canvas[a - y0 : b - y0, c - x0 : d - x0] = chunk[:, a - top : b - top, c - left : d - left].transpose(1, 2, 0)

    def resample(self, canvas: NDArray[np.uint8], index: int, px: int) -> NDArray[np.uint8]:
        """The patch (px, px, 3) of a region's canvas."""
        y, x = self.corner[index] - self.first[index]
        return resample(canvas, (x, y, x + self.side, y + self.side), px)


def resample(image: NDArray[np.uint8], box: tuple[float, float, float, float], px: int) -> NDArray[np.uint8]:
    """An exact box (left, top, right, bottom) of an image (h, w, 3), made px x px.

    The filter is as wide as the reduction needs, so that nothing aliases: Hamming-windowed sinc when made smaller, bicubic when
    made larger.
    """
    larger = box[2] - box[0] < px
    kind = Image.Resampling.BICUBIC if larger else Image.Resampling.HAMMING
    return np.asarray(Image.fromarray(image).resize((px, px), kind, box=box))
