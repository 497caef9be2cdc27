"""From HoVer-Net's maps to nuclei: blobs, the edges between them, and a watershed (Graham et al. 2019, section 3.2).

The numbers are those of the official post-processing, which works with OpenCV; here they come from SciPy.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SMALLEST = 10  # pixels of a blob, and of a marker
SOBEL_PX = 21
_BLOB, _EDGE = 0.5, 0.4
REACH_PX = SOBEL_PX // 2 + 4  # how far a pixel's value reaches: Sobel, blur and opening

Map = NDArray[np.float32]
Labels = NDArray[np.int32]


@dataclass(frozen=True)
class FixedRange:
    """Constants in place of the smallest and largest value of a tile, so that nuclei do not depend on the tile.

    Attributes
    ----------
    distance
        Range of the horizontal and vertical maps.
    slope
        Range of their gradient, in units of a full step of the map (-1 to 1 within a pixel): the steepest fall
        between two nuclei, and the steepest rise inside a small one. Medians over patches of CoNSeP are -0.6 and 0.5
        in the true maps, -0.3 and 0.34 in those of a narrow network half-way through its training.
    """

    distance: tuple[float, float] = (-1.0, 1.0)
    slope: tuple[float, float] = (-0.5, 0.45)


def separate(
    nucleus_prob: NDArray[np.floating],
    horizontal: NDArray[np.floating],
    vertical: NDArray[np.floating],
    fixed: FixedRange | None = None,
) -> Labels:
    """Label every nucleus.

    Parameters
    ----------
    nucleus_prob
        (H, W) probability of a pixel to be of a nucleus.
    horizontal, vertical
        (H, W) distances to the nucleus's centre.
    fixed
        Constants to normalise by; None: the smallest and largest value of this image, as the official code has it.

    Returns
    -------
    (H, W) int32; 0 is background. Numbers are not without gaps: those of dropped markers are missing.
    """
    from skimage.segmentation import watershed

    blob = _without_small(_label(np.asarray(nucleus_prob, np.float32) >= _BLOB)) > 0
    if not blob.any():
        return np.zeros(blob.shape, np.int32)
    edge = np.maximum(_edges(horizontal, 1, fixed), _edges(vertical, 0, fixed)).astype(np.float64)
    edge = np.clip(edge - ~blob, 0, 1)
    basin = -_blur((1 - edge) * blob)
    marker = _opened(_filled(blob & (edge < _EDGE)))
    seeds = _without_small(_label(marker))
    return np.asarray(watershed(basin, markers=seeds, mask=blob), np.int32)  # type: ignore[no-untyped-call]


def _edges(distance: NDArray[np.floating], axis: int, fixed: FixedRange | None) -> Map:
    """1 where the map falls steeply along an axis, as between two nuclei; 0 where it rises."""
    smooth, derive = sobel_kernels()
    raw = np.asarray(distance, np.float32)
    level = _normalised(raw, fixed.distance if fixed else None).astype(np.float64)
    slope = ndimage.correlate1d(level, smooth, axis=1 - axis, mode="mirror")
    slope = ndimage.correlate1d(slope, derive, axis=axis, mode="mirror")
    step = full_step()
    limits = (fixed.slope[0] * step, fixed.slope[1] * step) if fixed else None
    return np.float32(1) - _normalised(slope, limits)


@lru_cache
def sobel_kernels() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smoothing and first derivative of OpenCV's Sobel filter, (21,) each: binomial, not scaled."""
    n = SOBEL_PX - 1
    smooth = np.array([comb(n, k) for k in range(n + 1)], np.float64)
    shorter = np.array([0, *(comb(n - 1, k) for k in range(n)), 0], np.float64)
    return smooth, shorter[:-1] - shorter[1:]


@lru_cache
def full_step() -> float:
    """What the filter answers to a straight step from 0 to 1."""
    smooth, derive = sobel_kernels()
    return float(smooth.sum() * derive[derive > 0].sum())


def _normalised(values: NDArray[np.floating], limits: tuple[float, float] | None) -> Map:
    """To 0 .. 1, as OpenCV's min-max does it: one multiplication and one addition, in float32 for float32."""
    low, high = limits if limits else (float(values.min()), float(values.max()))
    scale = 1 / (high - low) if high - low > np.finfo(np.float64).eps else 0.0
    shift = -low * scale
    if values.dtype == np.float32:
        scale, shift = float(np.float32(scale)), float(np.float32(shift))
    return (values.astype(np.float64) * scale + shift).astype(np.float32)


def _blur(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """OpenCV's Gaussian of 3 x 3 pixels without a given sigma."""
    kernel = np.array([0.25, 0.5, 0.25])
    for axis in (1, 0):
        values = ndimage.correlate1d(values, kernel, axis=axis, mode="mirror")
    return values


def _label(mask: NDArray[np.bool_]) -> Labels:
    return np.asarray(ndimage.label(mask, output=np.int32)[0])


def _without_small(labels: Labels) -> Labels:
    """Labels of fewer than ten pixels become background; the others keep their numbers."""
    size = np.bincount(labels.ravel())
    number = np.arange(len(size), dtype=np.int32)
    number[size < SMALLEST] = 0
    return number[labels]


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask with its holes: background that does not reach the border through sides of pixels."""
    outside = _label(~mask)
    is_outside = np.zeros(int(outside.max()) + 1, bool)
    for border in (outside[0], outside[-1], outside[:, 0], outside[:, -1]):
        is_outside[border] = True
    is_outside[0] = False
    return ~is_outside[outside]


def _opened(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Opening with OpenCV's ellipse of 5 x 5 pixels: three full rows of five between two single pixels.

    The ellipse is a box of 3 x 5 joined with a column of 5: both are quick along one axis at a time. Beyond the
    image lies what changes nothing: 1 for erosion, 0 for dilation.
    """
    picture = mask.astype(np.uint8)
    low, high = ndimage.minimum_filter1d, ndimage.maximum_filter1d
    border = {"mode": "constant", "cval": 1}
    eroded = low(low(picture, 3, 0, **border), 5, 1, **border) & low(picture, 5, 0, **border)
    border = {"mode": "constant", "cval": 0}
    grown = high(high(eroded, 3, 0, **border), 5, 1, **border) | high(eroded, 5, 0, **border)
    return np.asarray(grown, bool)
