"""Reinhard's colour transfer: mean and standard deviation of each Lab channel are made those of a reference.

Source: Reinhard et al., IEEE CG&A 2001.
"""

import numpy as np
from numpy.typing import NDArray

from .colour import Floats, Pixels, lab_to_rgb, rgb_to_lab

LEAST_SPREAD = 1e-2  # of a channel, in units of Lab; less is a blank image


def lab_statistics(pixels: Pixels) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean and standard deviation of L*, a*, b* of each image.

    Parameters
    ----------
    pixels
        (n, P, 3) uint8.

    Returns
    -------
    statistics
        (n, 2, 3): means, then standard deviations.
    found
        (n,) bool, False for an image of one colour.
    """
    lab = rgb_to_lab(pixels)
    mean, spread = lab.mean(axis=1, dtype=np.float64), lab.std(axis=1, dtype=np.float64)
    found = (spread > LEAST_SPREAD).all(axis=1)
    return np.stack([mean, np.maximum(spread, LEAST_SPREAD)], axis=1).astype(np.float32), found


def transfer(pixels: Pixels, source: Floats, target: Floats) -> Pixels:
    """Shift and stretch each Lab channel from the source's statistics to the target's.

    Parameters
    ----------
    pixels
        (n, P, 3) uint8.
    source
        (n, 2, 3) or (1, 2, 3), as from `lab_statistics`.
    target
        (2, 3).

    Returns
    -------
    (n, P, 3) uint8.
    """
    scale = target[1] / source[:, 1]
    shift = target[0] - source[:, 0] * scale
    return lab_to_rgb(rgb_to_lab(pixels) * scale[:, None] + shift[:, None])
