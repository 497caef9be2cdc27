"""Where a slide has tissue: a mask at low resolution, and a grid of positions on it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .shrinking import shrunk

Colour: TypeAlias = tuple[float, float, float]

_WINDOW_UM = 14.0  # sigma of the neighbourhood in which density and texture are measured
_BLACK = 24  # all channels below: painted over, or outside the scanned field
_SPECK_UM2 = 2e4  # less is dust, a fiducial mark or a crumb smaller than a patch
_HOLE_UM2 = 2e4  # less is a vessel, a gland or a fat cell of the tissue around it
_GLASS_CHROMA, _GLASS_TEXTURE, _GLASS_SHARE, _GLASS_DARKEST = 0.2, 0.03, 0.01, 70
_TEXTURE_WEIGHT = 2.0  # haze and vignettes are dense but smooth
_SOFTEN, _LEAST, _MOST = 0.6, 0.06, 0.2  # of Otsu's threshold, in optical density


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
        below, above, left, right = (
            ndimage.map_coordinates(self._sums, corner, order=1) for corner in ((y1, x1), (y0, x1), (y1, x0), (y0, x0))
        )
        return np.asarray(np.clip((below - above - left + right) / (2 * half) ** 2, 0, 1))

    @cached_property
    def _sums(self) -> NDArray[np.float64]:
        return np.pad(self.mask, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.float64).cumsum(axis=1)


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
        picture, px = shrunk(slide, um)
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


def find_tissue(picture: NDArray[np.float32], um: float) -> tuple[NDArray[np.bool_], Colour | None]:
    """Tissue in a small picture of an H&E slide.

    Optical density over the glass's own colour plus local texture, split by Otsu's threshold; then black, grey and ink
    are taken out, specks dropped and holes closed.

    Parameters
    ----------
    picture
        (h, w, 3), 0..255, about 4 to 16 um a pixel.
    um
        Microns per pixel of the picture.

    Returns
    -------
    mask
        (h, w) bool.
    glass
        Colour of empty glass; None when none is seen.
    """
    colour = np.asarray(picture, np.float32)
    seen = ~ndimage.binary_dilation(colour.max(axis=-1) < _BLACK, iterations=2)
    if not seen.any():
        return seen, None
    local = _LocalMean(seen, _WINDOW_UM / um)
    texture = _texture(colour, local)
    glass = _glass(colour, seen, texture)
    white = np.percentile(colour[seen], 99, axis=0) if glass is None else np.array(glass)
    density = np.log(np.maximum(white, 1) / np.maximum(colour, 1)).astype(np.float32)
    density = np.stack([local(density[..., c]) for c in range(3)], axis=-1)
    score = np.maximum(density[..., 1], 0) + _TEXTURE_WEIGHT * texture
    threshold = _LEAST if glass is None else np.clip(_SOFTEN * _otsu(score[seen]), _LEAST, _MOST)
    found = seen & (score > threshold) & ~_not_stain(density, um)
    # The neighbourhood that density was measured in has widened the tissue by about its sigma, but not into its holes.
    found = _without_small(found, _HOLE_UM2 / um**2, holes=True)
    found = ndimage.binary_erosion(found, iterations=max(1, round(_WINDOW_UM / um)), border_value=1)
    found = _without_small(_without_small(found, _SPECK_UM2 / um**2), _HOLE_UM2 / um**2, holes=True) & seen
    return found, glass


class _LocalMean:
    """Gaussian mean over the pixels that are seen."""

    def __init__(self, seen: NDArray[np.bool_], sigma: float) -> None:
        self.seen, self.sigma = seen, sigma
        self.weight = ndimage.gaussian_filter(seen.astype(np.float32), sigma) + 1e-6

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        smooth = ndimage.gaussian_filter(np.where(self.seen, values, 0), self.sigma)
        return np.asarray(smooth / self.weight, np.float32)


def _texture(colour: NDArray[np.float32], local: _LocalMean) -> NDArray[np.float32]:
    green = -np.log(np.maximum(colour[..., 1], 1) / 255)
    return np.asarray(np.sqrt(np.maximum(local(green**2) - local(green) ** 2, 0)))


def _otsu(scores: NDArray[np.float32]) -> float:
    """Otsu's threshold of values, those above 1 taken as 1."""
    count, edges = np.histogram(np.clip(scores, 0, 1), bins=256)
    middle = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(count)[:-1], np.cumsum(count[::-1])[::-1][1:]
    sums = np.cumsum(count * middle)
    mean_below = sums[:-1] / np.maximum(below, 1)
    mean_above = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    return float(middle[np.argmax(below * above * (mean_below - mean_above) ** 2)])


def _glass(colour: NDArray[np.float32], seen: NDArray[np.bool_], texture: NDArray[np.float32]) -> Colour | None:
    """Colour of empty glass: the bright part of what is smooth and nearly grey."""
    brightest = colour.max(axis=-1)
    chroma = (brightest - colour.min(axis=-1)) / np.maximum(brightest, 1)
    smooth = seen & (chroma < _GLASS_CHROMA) & (texture < _GLASS_TEXTURE) & (brightest > _GLASS_DARKEST)
    if smooth.sum() < _GLASS_SHARE * seen.sum():
        return None
    bright = smooth & (colour[..., 1] > 0.85 * np.percentile(colour[..., 1][smooth], 95))
    red, green, blue = np.median(colour[bright], axis=0)
    return float(red), float(green), float(blue)


def _not_stain(density: NDArray[np.float32], um: float) -> NDArray[np.bool_]:
    """Shadows, dirt and ink: haematoxylin and eosin absorb green most, and blue clearly less."""
    red, green, blue = np.moveaxis(density, -1, 0)
    strongest = density.max(axis=-1)
    grey = strongest - density.min(axis=-1) < 0.2 * strongest
    blue_or_green_ink = red > 1.15 * green + 0.1
    red_ink = (blue > 0.92 * green) & (green > 0.5)
    ink = ndimage.binary_dilation(blue_or_green_ink | red_ink, iterations=max(1, round(_WINDOW_UM / um)))
    return np.asarray(grey | ink)


def _without_small(mask: NDArray[np.bool_], pixels: float, holes: bool = False) -> NDArray[np.bool_]:
    """Drop connected parts of fewer pixels; with `holes`, of what is not in the mask (at the border they stay)."""
    parts, count = ndimage.label(~mask if holes else mask)
    if count == 0:
        return mask
    size = np.bincount(parts.ravel())
    small = size < pixels
    small[0] = False
    if holes:
        for border in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
            small[border] = False
        return np.asarray(mask | small[parts])
    return np.asarray(mask & ~small[parts])
