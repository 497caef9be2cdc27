"""The whole image as one small picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pyramid import Pyramid


def overview(pyramid: Pyramid, longest_px: int = 1400) -> tuple[NDArray[np.uint8], float]:
    """A coarse picture of the whole image; memory stays bounded by the chunks of the storage.

    Parameters
    ----------
    longest_px
        About how many pixels its longer side is to have; an image that is smaller stays as it is.

    Returns
    -------
    picture
        (h, w, 3) uint8.
    downsample
        Level-0 pixels per pixel of the picture.
    """
    import dask.array as da

    wanted = max(pyramid.shape) / longest_px
    index = pyramid.level_for(wanted, 1.0)
    level, downsample = pyramid.levels[index], pyramid.downsample[index]
    factor = max(1, min(round(wanted / downsample), *level.shape[1:]))  # a sliver keeps a pixel
    if factor > 1:
        level = da.coarsen(np.mean, level, {1: factor, 2: factor}, trim_excess=True)
    image = np.moveaxis(np.asarray(level.compute()), 0, -1)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), downsample * factor
