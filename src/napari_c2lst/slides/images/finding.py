"""Find the tissue in a small picture of a slide, strip by strip: memory hardly grows with the slide."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .bits import Bits
from .order_statistics import median, quantile
from .scratch import Scratch, Strip, parts_of, strips
from .small_parts import drop_small

Colour: TypeAlias = tuple[float, float, float]
Mask = NDArray[np.bool_]

_WINDOW_UM = 14.0  # sigma of the neighbourhood in which density and texture are measured
_BLACK = 24  # all channels below: painted over, or outside the scanned field
_SPECK_UM2 = 2e4  # less is dust, a fiducial mark or a crumb smaller than a patch
_HOLE_UM2 = 2e4  # less is a vessel, a gland or a fat cell of the tissue around it
_GLASS_CHROMA, _GLASS_TEXTURE, _GLASS_SHARE, _GLASS_DARKEST = 0.2, 0.03, 0.01, 70
_TEXTURE_WEIGHT = 2.0  # haze and vignettes are dense but smooth
_SOFTEN, _LEAST, _MOST = 0.6, 0.06, 0.2  # of Otsu's threshold, in optical density


def find_tissue(picture: Any, um: float, among: list[Strip] | None = None) -> tuple[Bits, Colour | None]:
    """Tissue in a small picture of an H&E slide.

    Optical density over the glass's own colour plus local texture, split by Otsu's threshold; then black, grey and ink
    are taken out, specks dropped and holes closed.

    Parameters
    ----------
    picture
        (h, w, 3) array or `Scratch`, 0..255, about 4 to 16 um a pixel.
    um
        Microns per pixel of the picture.
    among
        Strips that make up the picture, worked on one by one; the result does not depend on them.

    Returns
    -------
    mask
        (h, w); `numpy.asarray` makes a bool array of it.
    glass
        Colour of empty glass; None when none is seen.
    """
    among = strips(picture.shape) if among is None else among
    look = _Look(picture, um, among, _seen(picture, among))
    if not look.seen.any():
        return look.seen, None
    shape = picture.shape[:2]
    with Scratch(shape) as texture, Scratch(shape) as score:
        glass = look.glass(texture)
        allowed = look.score(look.white(glass), texture, score)
        found = look.above_threshold(score, glass, allowed)
    # The neighbourhood that density was measured in has widened the tissue by about its sigma, but not into its holes.
    drop_small(found, _HOLE_UM2 / um**2, among, holes=True)
    found = _eroded(found, max(1, round(_WINDOW_UM / um)), among)
    drop_small(found, _SPECK_UM2 / um**2, among)
    drop_small(found, _HOLE_UM2 / um**2, among, holes=True)
    found &= look.seen
    return found, glass


@dataclass(frozen=True, eq=False)
class _Look:
    """A picture, and the pixels of it that are not painted over."""

    picture: Any
    um: float
    among: list[Strip]
    seen: Bits

    def glass(self, texture: Scratch) -> Colour | None:
        """Colour of empty glass: the bright part of what is smooth and nearly grey; fills the texture."""
        smooth = Bits(self.seen.shape)
        for strip in self.among:
            around, inner = strip.around(self._reach)
            texture.append(_texture(self._colours(around), self._local(around))[inner])
            smooth[strip.rows] = self._smooth(strip.rows, texture[strip.rows])
        if smooth.sum() < _GLASS_SHARE * self.seen.sum():
            return None
        least = 0.85 * quantile(self._values(1, smooth), 0.95)
        for strip in self.among:
            smooth[strip.rows] = smooth[strip.rows] & (self._colours(strip.rows)[..., 1] > least)
        red, green, blue = (median(self._values(channel, smooth)) for channel in range(3))
        return float(red), float(green), float(blue)

    def white(self, glass: Colour | None) -> NDArray[np.floating[Any]]:
        """(3,) what is taken as no tissue at all."""
        if glass is not None:
            return np.array(glass)
        return np.array([quantile(self._values(channel, self.seen), 0.99) for channel in range(3)])

    def score(self, white: NDArray[np.floating[Any]], texture: Scratch, score: Scratch) -> Bits:
        """Fill the score, high where there is tissue; which pixels may be tissue: not black, no shadow and no ink."""
        allowed = Bits(self.seen.shape)
        spread = max(1, round(_WINDOW_UM / self.um))
        for strip in self.among:
            around, inner = strip.around(self._reach + spread)
            density = self._density(around, white)
            score.append(np.maximum(density[1][inner], 0) + _TEXTURE_WEIGHT * texture[strip.rows])
            allowed[strip.rows] = self.seen[strip.rows] & ~_not_stain(density, spread)[inner]
        return allowed

    def above_threshold(self, score: Scratch, glass: Colour | None, allowed: Bits) -> Bits:
        """Of the pixels that may be tissue those that have the score of it; takes the others out of `allowed`."""
        threshold: Any = _LEAST
        if glass is not None:
            threshold = np.clip(_SOFTEN * otsu(partial(parts_of, score, self.seen, self.among)), _LEAST, _MOST)
        for strip in self.among:
            allowed[strip.rows] = allowed[strip.rows] & (score[strip.rows] > threshold)
        return allowed

    @property
    def _reach(self) -> int:
        return int(4 * _WINDOW_UM / self.um + 0.5)  # how far SciPy's Gaussian looks

    def _colours(self, rows: slice) -> NDArray[np.float32]:
        return np.asarray(self.picture[rows], np.float32)

    def _density(self, rows: slice, white: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """(3, n, w) mean optical density around pixels; a channel at a time, since logarithms are taken of float64."""
        colour, local = self._colours(rows), self._local(rows)
        most = np.maximum(white, 1)
        channels = (np.log(most[c : c + 1] / np.maximum(colour[..., c], 1)).astype(np.float32) for c in range(3))
        return np.stack([local(channel) for channel in channels])

    def _local(self, rows: slice) -> "_LocalMean":
        return _LocalMean(self.seen[rows], _WINDOW_UM / self.um)

    def _smooth(self, rows: slice, texture: NDArray[np.float32]) -> Mask:
        colour = self._colours(rows)
        brightest = colour.max(axis=-1)
        chroma = (brightest - colour.min(axis=-1)) / np.maximum(brightest, 1)
        smooth = (chroma < _GLASS_CHROMA) & (texture < _GLASS_TEXTURE) & (brightest > _GLASS_DARKEST)
        return np.asarray(self.seen[rows] & smooth)

    def _values(self, channel: int, chosen: Bits) -> Callable[[], Iterator[NDArray[np.float32]]]:
        """One channel of the chosen pixels, strip by strip."""

        def parts() -> Iterator[NDArray[np.float32]]:
            for strip in self.among:
                yield self._colours(strip.rows)[..., channel][chosen[strip.rows]]

        return parts


class _LocalMean:
    """Gaussian mean over the pixels that are seen."""

    def __init__(self, seen: Mask, sigma: float) -> None:
        self.seen, self.sigma = seen, sigma
        self.weight = ndimage.gaussian_filter(seen.astype(np.float32), sigma) + 1e-6

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        smooth = ndimage.gaussian_filter(np.where(self.seen, values, 0), self.sigma)
        return np.asarray(smooth / self.weight, np.float32)


def _seen(picture: Any, among: list[Strip]) -> Bits:
    """Pixels that are not black, nor beside black ones."""
    seen = Bits(picture.shape[:2])
    for strip in among:
        around, inner = strip.around(2)
        black = np.asarray(picture[around], np.float32).max(axis=-1) < _BLACK
        seen[strip.rows] = ~ndimage.binary_dilation(black, iterations=2)[inner]
    return seen


def _texture(colour: NDArray[np.float32], local: _LocalMean) -> NDArray[np.float32]:
    green = -np.log(np.maximum(colour[..., 1], 1) / 255)
    return np.asarray(np.sqrt(np.maximum(local(green**2) - local(green) ** 2, 0)))


def otsu(parts: Callable[[], Iterator[NDArray[np.float32]]]) -> float:
    """Otsu's threshold of the values in all parts together, those above 1 taken as 1."""
    ends = [(part.min(), part.max()) for part in parts() if part.size]
    smallest, largest = zip(*ends, strict=True)
    ends_of_range: Any = np.clip(np.array([min(smallest), max(largest)], np.float32), 0, 1)
    count = np.zeros(256, np.int64)
    for part in parts():
        found, edges = np.histogram(np.clip(part, 0, 1), bins=256, range=tuple(ends_of_range))
        count += found
    middle = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(count)[:-1], np.cumsum(count[::-1])[::-1][1:]
    sums = np.cumsum(count * middle)
    mean_below = sums[:-1] / np.maximum(below, 1)
    mean_above = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    return float(middle[np.argmax(below * above * (mean_below - mean_above) ** 2)])


def _not_stain(density: NDArray[np.float32], spread: int) -> Mask:
    """Shadows, dirt and ink: haematoxylin and eosin absorb green most, and blue clearly less."""
    red, green, blue = density
    strongest = density.max(axis=0)
    grey = strongest - density.min(axis=0) < 0.2 * strongest
    blue_or_green_ink = red > 1.15 * green + 0.1
    red_ink = (blue > 0.92 * green) & (green > 0.5)
    ink = ndimage.binary_dilation(blue_or_green_ink | red_ink, iterations=spread)
    return np.asarray(grey | ink)


def _eroded(mask: Bits, reach: int, among: list[Strip]) -> Bits:
    found = Bits(mask.shape)
    for strip in among:
        around, inner = strip.around(reach)
        found[strip.rows] = ndimage.binary_erosion(mask[around], iterations=reach, border_value=1)[inner]
    return found


def dilated(mask: Bits, reach: int) -> Bits:
    """The mask widened by so many pixels, diagonal ones counted twice."""
    found = Bits(mask.shape)
    for strip in strips(mask.shape):
        around, inner = strip.around(reach)
        found[strip.rows] = ndimage.binary_dilation(mask[around], iterations=reach)[inner]
    return found
