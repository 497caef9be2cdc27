"""Where a slide has tissue: a mask at low resolution, and a grid of positions on it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bits import Bits
from .finding import Colour as Colour
from .finding import find_tissue as find_tissue
from .shares import Shares
from .shrinking import shrunk_on_disk

_ROWS = 64  # of a grid are looked at together


class TissueMask:
    """Tissue of a slide.

    Parameters
    ----------
    mask
        (h, w), as bools or as bits; it is kept as bits.
    px
        Level-0 pixels per pixel of the mask.
    glass
        Colour of empty glass (R, G, B), 0..255; None when none is seen, as where tissue fills the image.

    Attributes
    ----------
    bits
        The mask, to be read some rows at a time.
    px, glass
        As given.
    """

    def __init__(self, mask: NDArray[np.bool_] | Bits, px: float, glass: Colour | None = None) -> None:
        self.bits = mask if isinstance(mask, Bits) else Bits.of(mask)
        self.px, self.glass = px, glass

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(h, w) bool, made anew each time: eight times the memory of the bits."""
        return self.bits[:]

    def at(self, yx: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Whether points (N, 2), in level-0 pixels, lie on tissue; False outside the image."""
        place = np.floor(np.asarray(yx, np.float64).reshape(-1, 2) / self.px).astype(np.int64)
        inside = ((place >= 0) & (place < self.bits.shape)).all(axis=1)
        found = np.zeros(len(place), bool)
        found[inside] = self.bits.at(*place[inside].T)
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
        return Shares(self.bits).of(np.asarray(yx, np.float64).reshape(-1, 2) / self.px, side_px / self.px / 2)


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
    found, shares = [np.zeros((0, 2))], Shares(mask.bits)
    for some in np.split(rows, range(_ROWS, len(rows), _ROWS)):  # most squares of a slide may be glass
        grid = np.stack(np.meshgrid(some, columns, indexing="ij"), axis=-1).reshape(-1, 2)
        found.append(grid[shares.of(grid / mask.px, stride / mask.px / 2) >= least])
    return np.concatenate(found)
