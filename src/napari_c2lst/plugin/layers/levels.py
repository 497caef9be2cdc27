"""The levels of a slide's image for napari: lazy, but for a small picture of the whole, which is read beforehand.

Napari reads the coarsest level in the window's thread and whole: a JPEG is decoded from end to end for it, and of
a large image without coarser levels more is read than fits into memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_c2lst.slides.images.pyramid import Pyramid

_LONGEST_PX = 2048  # more than a window shows
_READ: WeakKeyDictionary[Pyramid, tuple[NDArray[np.uint8], float]] = WeakKeyDictionary()


def read_overview(pyramid: Pyramid) -> None:
    """Read the small picture of an image, for `shown_levels`; to be called in a thread."""
    from napari_c2lst.slides.images.overview import overview

    if pyramid not in _READ:
        _READ[pyramid] = overview(pyramid, _LONGEST_PX)


def shown_levels(pyramid: Pyramid) -> list[Any]:
    """Levels (h, w, 3), finest first; the last one is in memory if it was read beforehand."""
    levels = [np.moveaxis(level, 0, -1) for level in pyramid.levels]  # (3, h, w) -> (h, w, 3), lazy
    if pyramid not in _READ:
        return levels
    picture, downsample = _READ[pyramid]
    finer = [level for level, each in zip(levels, pyramid.downsample, strict=True) if each < downsample * 0.99]
    return [*finer, picture]
