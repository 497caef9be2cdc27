"""Where a slide has tissue: a mask at low resolution, and a grid of positions on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .finding import Colour as Colour
from .finding import find_tissue as find_tissue
from .shrinking import shrunk_on_disk


@dataclass(frozen=True, eq=False)
class TissueMask:
    """Tissue of a slide.

    Attributes
    ----------
    mask
        (h, w) bool.
    px
        Level-0 pixels per pixel of the mask.
    glass
        Colour of empty glass (R, G, B), 0..255; None when none is seen, as where tissue fills the image.
    """

    mask: NDArray[np.bool_]
    px: float
    glass: Colour | None = None

    def at(self, yx: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Whether points (N, 2), in level-0 pixels, lie on tissue; False outside the image."""
        place = np.floor(np.asarray(yx, np.float64).reshape(-1, 2) / self.px).astype(np.int64)
        inside = ((place >= 0) & (place < self.mask.shape)).all(axis=1)
        found = np.zeros(len(place), bool)
        found[inside] = self.mask[place[inside, 0], place[inside, 1]]
        return found

    def fraction(self, yx: NDArray[np.floating[Any]], side_px: float) -> NDArray[np.float64]:
        """Share of tissue in squares around points (N, 2), 0..1; beyond the image there is none.

        Parameters
        ----------
        yx
            Centres in level-0 pixels.
        side_px
            Side in level-0 pixels.
        """
        centre = np.asarray(yx, np.float64).reshape(-1, 2) / self.px
        half = side_px / self.px / 2
        height, width = self.mask.shape
        y0, y1 = (np.clip(centre[:, 0] + s, 0, height) for s in (-half, half))
        x0, x1 = (np.clip(centre[:, 1] + s, 0, width) for s in (-half, half))
        # Between the corners of pixels the running sum is linear in each direction: this is the exact area.
        sums = self._sums()
        below, above, left, right = (
            ndimage.map_coordinates(sums, corner, order=1, output=np.float64)
            for corner in ((y1, x1), (y0, x1), (y1, x0), (y0, x0))
        )
        return np.asarray(np.clip((below - above - left + right) / (2 * half) ** 2, 0, 1))

    def _sums(self) -> NDArray[np.int32]:
        # not kept: they take four times the memory of the mask, and less than a tenth of a second
        sums = np.zeros((self.mask.shape[0] + 1, self.mask.shape[1] + 1), np.int32)
        for above, below, row in zip(sums[:-1], sums[1:], self.mask, strict=True):
            np.cumsum(row, out=below[1:])
            below += above
        return sums


def tissue_mask(slide: Any, um: float = 8.0) -> TissueMask:
    """Find the tissue of an H&E slide; kept with the slide.

    Parameters
    ----------
    slide
        An open `Slide` with a known size of its pixels.
    um
        Side of a pixel of the mask in microns, about; a coarser slide keeps its own pixels.

    Raises
    ------
    InputError
        When the slide has no microns per pixel or cannot be read somewhere.
    """
    kept: dict[float, TissueMask] = slide.__dict__.setdefault("_tissue_masks", {})
    if um not in kept:
        picture, px = shrunk_on_disk(slide, um)
        with picture:
            mask, glass = find_tissue(picture, px * slide.mpp)
        kept[um] = TissueMask(mask, px, glass)
    return kept[um]


def grid_positions(
    slide: Any, mask: TissueMask, stride_um: float, patch_um: float, least: float = 0.5
) -> NDArray[np.float64]:
    """Centres of a regular grid of patches over all tissue, in rows.

    Parameters
    ----------
    slide
        An open `Slide`.
    mask
        Its tissue.
    stride_um
        Distance between neighbours in microns.
    patch_um
        Side of a patch: the first centre lies half a patch, or half a stride where that is less, from the corner.
    least
        Share of tissue in the stride x stride square around a position that makes it count.

    Returns
    -------
    (N, 2) level-0 pixels.
    """
    stride = stride_um / slide.mpp
    start = min(stride_um, patch_um) / 2 / slide.mpp
    height, width = slide.pyramid.shape
    rows, columns = np.arange(start, height, stride), np.arange(start, width, stride)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    return grid[mask.fraction(grid, stride) >= least]
