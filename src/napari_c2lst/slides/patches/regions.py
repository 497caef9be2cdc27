"""Square regions of a pyramid level, assembled from chunks and resampled with antialiasing to patches.

Pixels are held as pictures of Pillow: its crop, paste and resize are several times faster than NumPy's strided copies,
and leave other threads free to decode.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WHITE = (255, 255, 255)


def as_picture(pixels: NDArray[np.uint8]) -> Image.Image:
    """A picture of planes (3, h, w)."""
    return Image.merge("RGB", [Image.fromarray(plane) for plane in pixels])


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
    px
        Pixels of a patch's side.
    """

    corner: NDArray[np.float64]
    side: float
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    px: int

    @classmethod
    def around(cls, centres: NDArray[np.float64], side: float, px: int) -> "Regions":
        """Squares of `side` around (N, 2) centres that will be resampled to px x px."""
        corner = centres - side / 2
        # Half widths of the filters in `resize`: two source pixels when enlarging, one target pixel when reducing.
        reach = 2 if side < px else int(np.ceil(side / px))
        first = np.floor(corner).astype(np.int64) - reach
        last = np.ceil(corner + side).astype(np.int64) + reach
        return cls(corner, side, first, last, px)

    def __len__(self) -> int:
        """Number of regions."""
        return len(self.corner)

    def blank(self, index: int) -> Image.Image:
        """A white canvas for one region: what is beyond the image stays white."""
        height, width = self.last[index] - self.first[index]
        return Image.new("RGB", (int(width), int(height)), WHITE)

    def paste(self, canvas: Image.Image, index: int, chunk: Image.Image, top: int, left: int) -> None:
        """Paste what a chunk at (top, left) of the level has of a region onto its canvas."""
        y, x = self.first[index].tolist()
        bottom, right = self.last[index].tolist()
        part = (max(x, left), max(y, top), min(right, left + chunk.width), min(bottom, top + chunk.height))
        cut = chunk.crop((part[0] - left, part[1] - top, part[2] - left, part[3] - top))
        canvas.paste(cut, (part[0] - x, part[1] - y))

    def resize(self, index: int, picture: Image.Image, top: int, left: int) -> Image.Image:
        """The patch of a region that lies wholly in a picture whose corner is at (top, left) of the level.

        The filter is as wide as the reduction needs, so that nothing aliases: Hamming-windowed sinc when made smaller,
        bicubic when made larger.
        """
        y, x = self.corner[index].tolist()
        box = (x - left, y - top, x - left + self.side, y - top + self.side)
        kind = Image.Resampling.BICUBIC if self.side < self.px else Image.Resampling.HAMMING
        return picture.resize((self.px, self.px), kind, box=box)
