"""Colours of stained tissue: optical density, CIE Lab and the pixels that count as stained."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]

BRIGHT = ((0.8 * 100 + 16) / 116) ** 3  # relative luminance at L* = 80: brighter is glass
BLACK = 16  # all channels below: painted background, shadow of a fold, missing pixels
LEAST_TISSUE = 0.01  # share of a patch; with less there is nothing to estimate stains from

_LEVELS = np.arange(256) / 255
_DENSITY = np.maximum(-np.log(np.maximum(np.arange(256), 1) / 255), 1e-6).astype(np.float32)
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(np.float32)
LUMINANCE = np.array([0.212671, 0.715160, 0.072169], np.float32)
RGB_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]], np.float64
)
WHITE = RGB_TO_XYZ.sum(axis=1)  # D65

# Roots and gammas are looked up on a 16-bit scale: the error stays under a tenth of a grey level.
_STEPS = 1 << 16
_UNIT = np.arange(_STEPS + 1) / _STEPS
_ROOT = np.where(_UNIT > 216 / 24389, np.cbrt(_UNIT), (24389 / 27 * _UNIT + 16) / 116).astype(np.float32)
_GAMMA = np.rint(255 * np.where(_UNIT <= 0.0031308, 12.92 * _UNIT, 1.055 * _UNIT ** (1 / 2.4) - 0.055)).astype(np.uint8)


def optical_density(pixels: Pixels) -> Floats:
    """Optical density -ln(I / 255) per channel, black taken as 1 / 255.

    Parameters
    ----------
    pixels
        (..., 3) uint8 RGB.

    Returns
    -------
    (..., 3) float32, from 0 (white) to 5.54 (black).
    """
    return _DENSITY[pixels]


def stained(pixels: Pixels) -> NDArray[np.bool_]:
    """Pixels that are neither glass (L* of 80 and more) nor black.

    Parameters
    ----------
    pixels
        (..., 3) uint8 RGB.

    Returns
    -------
    (...) bool.
    """
    luminance = _LINEAR[pixels] @ LUMINANCE
    red, green, blue = np.moveaxis(pixels, -1, 0)
    brightest = np.maximum(np.maximum(red, green), blue)  # thirty times faster than .max(axis=-1)
    return np.asarray((luminance < BRIGHT) & (brightest >= BLACK))


def rgb_to_lab(pixels: Pixels) -> Floats:
    """CIE Lab under D65: L* in 0..100, a* and b* around 0.

    Parameters
    ----------
    pixels
        (..., 3) uint8 RGB.

    Returns
    -------
    (..., 3) float32.
    """
    xyz = _LINEAR[pixels] @ (RGB_TO_XYZ / WHITE[:, None]).T.astype(np.float32)
    root = _ROOT[np.clip(xyz * _STEPS + 0.5, 0, _STEPS).astype(np.int32)]
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lab_to_rgb(lab: Floats) -> Pixels:
    """The nearest RGB colours of CIE Lab values; colours outside RGB are clipped.

    Parameters
    ----------
    lab
        (..., 3) float, as from `rgb_to_lab`.

    Returns
    -------
    (..., 3) uint8.
    """
    y = (lab[..., 0] + 16) / 116
    root = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = np.where(root > 6 / 29, root**3, (116 * root - 16) * (27 / 24389)).astype(np.float32)
    linear = xyz @ np.linalg.inv(RGB_TO_XYZ / WHITE[:, None]).T.astype(np.float32)
    rgb: Pixels = _GAMMA[np.clip(linear * _STEPS + 0.5, 0, _STEPS).astype(np.int32)]
    return rgb
