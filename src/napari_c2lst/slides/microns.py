"""Microns per pixel from the array the spots sit on.

The pitch of every array is known, so a least-squares fit of pixel positions on array coordinates gives the size of a
pixel. The spot diameter in Space Ranger's scale factors never does: it stands for 65 um in one version, 70 in another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Array:
    """A printed array of spots.

    Parameters
    ----------
    name
        What it is called.
    row_um, column_um
        Microns from one array row (column) to the next; half the way to the next spot on a checkerboard or
        hexagonal array.
    spot_um
        Diameter of a spot (side of a square bin) in microns.
    """

    name: str
    row_um: float
    column_um: float
    spot_um: float


VISIUM = Array("Visium", 100 * np.sqrt(3) / 2, 50, 55)
ST_1K = Array("ST 1k array", 200, 200, 100)
# neighbours on the diagonals of the checkerboard are 141 um apart
ST_2K = Array("ST 2k array", 100, 100, 100)
# Squares that Visium HD bins were summed into; their pitch is their side.
SQUARES = "squares"
ARRAYS = {array.name: array for array in (VISIUM, ST_1K, ST_2K)}

# The ratio of row step to column step is 1.73 on Visium's hexagons and 1 on the square arrays.
_HEXAGONAL_RATIO = 1.4
# Legacy arrays have 33 x 35 (1k) or 64 x 66 (2k) places.
_LARGEST_1K, _LARGEST_2K = 40, 80
# Root mean square of the residuals beyond which the spots do not sit on that array, in units of the pitch.
_LARGEST_RESIDUAL = 0.3


@dataclass(frozen=True)
class Fit:
    """How array coordinates map to pixels: `yx = rc @ matrix.T + offset` (pixels).

    Parameters
    ----------
    matrix
        (2, 2); columns are the pixel steps of one array row and one array column.
    offset
        (2,) pixels.
    residual
        Root mean square distance between fit and spots in pixels.
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    residual: float


def fit_array(array_rc: NDArray[np.integer], yx: NDArray[np.floating]) -> Fit | None:
    """Least squares of pixel positions on array coordinates; None for fewer than four spots or all in a line.

    Parameters
    ----------
    array_rc
        (N, 2) array row and column.
    yx
        (N, 2) pixels.
    """
    if len(yx) < 4:
        return None
    design = np.column_stack([array_rc, np.ones(len(array_rc))]).astype(float)
    solution, _, rank, _ = np.linalg.lstsq(design, yx, rcond=None)
    if rank < 3:
        return None
    residual = float(np.sqrt(((design @ solution - yx) ** 2).sum(axis=1).mean()))
    return Fit(matrix=solution[:2].T, offset=solution[2], residual=residual)


def recognise_array(array_rc: NDArray[np.integer], yx: NDArray[np.floating]) -> Array | None:
    """Which array the spots sit on, by its checkerboard, the ratio of its steps and its size; None when none fits."""
    fit = fit_array(array_rc, yx)
    if fit is None:
        return None
    checkerboard = bool((array_rc.sum(axis=1) % 2 == 0).all() or (array_rc.sum(axis=1) % 2 == 1).all())
    row_step, column_step = np.linalg.norm(fit.matrix, axis=0)
    if checkerboard and row_step / column_step > _HEXAGONAL_RATIO:
        return VISIUM
    if checkerboard and array_rc.max() <= _LARGEST_2K:
        return ST_2K
    return ST_1K if array_rc.max() <= _LARGEST_1K else None


def fit_microns(array: Array, array_rc: NDArray[np.integer], yx: NDArray[np.floating]) -> float | None:
    """Microns per pixel by least squares on an array of known pitch.

    Returns
    -------
    Microns per pixel, or None when there are too few spots or they do not sit on that array.
    """
    fit = fit_array(array_rc, yx)
    if fit is None:
        return None
    area = abs(float(np.linalg.det(fit.matrix)))
    if area == 0 or fit.residual > _LARGEST_RESIDUAL * np.sqrt(area):
        return None
    return float(np.sqrt(array.row_um * array.column_um / area))
