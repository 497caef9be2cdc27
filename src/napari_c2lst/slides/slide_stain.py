"""The stain of a whole slide: estimated once from a sample of its tissue, and kept with the slide."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.seeds import rng
from napari_c2lst.slides.stain import Method, StainNormalizer, StainValues
from napari_c2lst.slides.tissue import grid_positions, tissue_mask

_SAMPLE = 200  # patches: the second decimal of the values no longer moves
_MOST_TISSUE = 0.5  # only patches that are mostly tissue


class _Size(Protocol):
    @property
    def patch_um(self) -> float: ...
    @property
    def patch_px(self) -> int: ...


def slide_stain(
    slide: Any, method: Method, read: Callable[[NDArray[np.float64]], NDArray[np.uint8]], size: _Size
) -> StainValues | None:
    """Stain values of a slide, the same in every run.

    Parameters
    ----------
    slide
        An open `Slide`; the values are kept on it.
    method
        How to estimate them.
    read
        Reads patches at (n, 2) positions.
    size
        Side of those patches, in microns and pixels.

    Returns
    -------
    The values, or None when the slide has no stained tissue (its patches are then left as they are).
    """
    kept: dict[tuple[str, float, int], StainValues | None] = slide.__dict__.setdefault("_stain_values", {})
    key = (method, size.patch_um, size.patch_px)
    if key not in kept:
        kept[key] = _estimate(method, read(sample_positions(slide, size.patch_um)))
    return kept[key]


def sample_positions(slide: Any, patch_um: float, count: int = _SAMPLE) -> NDArray[np.float64]:
    """At most `count` positions (y, x) on tissue, spread at random over the slide but always the same ones."""
    mask = tissue_mask(slide)
    positions = grid_positions(slide, mask, patch_um, patch_um)
    share = mask.fraction(positions, patch_um / slide.mpp)
    full = positions[share >= _MOST_TISSUE]
    positions = full if len(full) else positions
    if len(positions) > count:
        chosen = rng(0, "slide stain").choice(len(positions), count, replace=False)
        positions = positions[np.sort(chosen)]
    return positions


def _estimate(method: Method, patches: NDArray[np.uint8]) -> StainValues | None:
    if len(patches) == 0:
        return None
    try:
        return StainNormalizer(method).estimate(patches)
    except InputError:
        return None
