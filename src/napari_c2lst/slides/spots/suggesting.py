"""Suggest spots: the few that cover the morphology of a slide best.

K-centre by greedy farthest points (Gonzalez 1985): no spot is much farther, in features of its patch, from a suggested
one than it must be. So rare morphology is covered too, not only what there is most of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import Reporter

_FEATURE_PX = 64  # pixels of a patch that features are computed on
_BATCH = 256


def k_centre(features: NDArray[np.floating[Any]], number: int) -> NDArray[np.int64]:
    """Choose `number` points, each the farthest from those chosen before it; the first is nearest to the mean.

    Parameters
    ----------
    features
        (N, F) points; distances are Euclidean.
    number
        How many, at most N.

    Returns
    -------
    (number,) indices in the order of choice; ties go to the lower index, so the result is a function of the input.

    Raises
    ------
    InputError
        If there are not so many points.
    """
    points = np.asarray(features, dtype=np.float64)
    if not 1 <= number <= len(points):
        raise InputError(f"{number} spots of {len(points)}", f"ask for 1 to {len(points)}")
    chosen = [int(_squared(points, points.mean(axis=0)).argmin())]
    nearest = _squared(points, points[chosen[0]])
    nearest[chosen[0]] = -1  # never again, also among equal points
    while len(chosen) < number:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _squared(points, points[chosen[-1]]))
        nearest[chosen[-1]] = -1
    return np.asarray(chosen, dtype=np.int64)


def standardised(features: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Every column to mean 0 and deviation 1; a constant column to 0."""
    values = np.asarray(features, dtype=np.float64)
    std = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(std > 1e-9, std, 1.0), dtype=np.float64)


def suggest_spots(
    slide: Any,
    number: int,
    *,
    allowed: NDArray[np.bool_] | None = None,
    patch_um: float = 112.0,
    workers: int | None = None,
    reporter: Reporter | None = None,
) -> NDArray[np.bool_]:
    """The spots that cover a slide's morphology best.

    Parameters
    ----------
    slide
        An open slide with spots and microns per pixel.
    number
        How many.
    allowed
        (N,) spots to choose from; all by default.
    patch_um
        Side of the patch around a spot.
    workers, reporter
        Threads for reading; where progress goes.

    Returns
    -------
    (N,) True for suggested spots.

    Raises
    ------
    InputError
        If there are not so many spots.
    Stopped
        If the user asked to stop.
    """
    yx = slide.require_spots().yx
    candidates = np.arange(len(yx)) if allowed is None else np.flatnonzero(allowed)
    if number > len(candidates):
        raise InputError(
            f"{number} spots are asked for, slide '{slide.name}' has {len(candidates)} to choose from",
            "ask for fewer, or lower the thresholds",
        )
    features = _patch_features(slide, yx[candidates], patch_um, workers, reporter or Reporter())
    mask = np.zeros(len(yx), dtype=bool)
    mask[candidates[k_centre(standardised(features), number)]] = True
    return mask


def _patch_features(
    slide: Any, yx: NDArray[np.float64], patch_um: float, workers: int | None, reporter: Reporter
) -> NDArray[np.float32]:
    from napari_c2lst.slides.patches.cutting import iter_patches
    from napari_c2lst.slides.patches.features import colour_features

    features: NDArray[np.float32] | None = None
    done = 0
    for indices, patches in iter_patches(
        slide, yx, patch_um=patch_um, patch_px=_FEATURE_PX, batch=_BATCH, workers=workers
    ):
        values = colour_features(patches)
        features = np.empty((len(yx), values.shape[1]), dtype=np.float32) if features is None else features
        features[indices] = values
        done += len(indices)
        reporter.progress(done, len(yx), "patches")
        if reporter.stop_requested():
            raise Stopped("stopped while reading patches", "run the same command again")
    return np.empty((0, 1), dtype=np.float32) if features is None else features


def _squared(points: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(((points - centre) ** 2).sum(axis=1), dtype=np.float64)
