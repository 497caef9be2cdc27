"""Batches of patches: which can be normalised, which are blank, and work that is done on a part of them at a time."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

from .colour import LEAST_TISSUE, Pixels, stained

if TYPE_CHECKING:
    from torch import Tensor

# (n, P, 3) pixels of n images to the same, changed, and to which of them (n,) could be changed
Work: TypeAlias = Callable[[Pixels], tuple[Pixels, NDArray[np.bool_]]]

_CHUNK_PIXELS = 1 << 18  # at a time: what the caches hold
_LOOK = 8  # every so many pixels are looked at first, to tell whether a patch is blank


def part_by_part(patches: Any, work: Work) -> tuple[Pixels, NDArray[np.bool_]]:
    """Patches after some work, and which of them passed through unchanged: blank ones, and those it could not change.

    Parameters
    ----------
    patches
        (N, H, W, 3) or (H, W, 3) uint8; left as they are.
    work
        Is given the pixels of some patches that are not blank.

    Returns
    -------
    patches
        uint8, of the same shape.
    unchanged
        (N,) bool.
    """
    batch = checked(patches)
    flat = batch.reshape(len(batch), batch.shape[1] * batch.shape[2], 3)
    out, unchanged = flat.copy(), blank(flat)
    todo = np.flatnonzero(~unchanged)
    step = max(1, _CHUNK_PIXELS // max(1, flat.shape[1]))
    for start in range(0, len(todo), step):
        part = todo[start : start + step]
        changed, found = work(flat[part])
        out[part[found]] = changed[found]
        unchanged[part] = ~found
    return out.reshape(np.shape(patches)), unchanged


def is_tensor(patches: Any) -> "TypeGuard[Tensor]":
    """Whether it is a torch tensor; without torch there are none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(patches, torch.Tensor)


def checked(patches: Any) -> Pixels:
    """Patches as (N, H, W, 3), a tensor as an array; an InputError if they are no 8-bit RGB."""
    array = np.asarray(patches.cpu() if is_tensor(patches) else patches)
    _refuse_no_rgb(array)
    return array if array.ndim == 4 else array[None]


def checked_tensor(patches: "Tensor") -> "Tensor":
    """Patches as (N, H, W, 3); an InputError if they are no 8-bit RGB."""
    _refuse_no_rgb(patches)
    return patches if patches.ndim == 4 else patches[None]


def _refuse_no_rgb(patches: "Pixels | Tensor") -> None:
    if str(patches.dtype).rpartition(".")[2] != "uint8" or patches.ndim not in (3, 4) or patches.shape[-1] != 3:
        raise InputError(
            "stain normalisation takes uint8 RGB (N, H, W, 3) or (H, W, 3), "
            f"not {patches.dtype} {tuple(patches.shape)}",
            hint="convert the image to 8-bit RGB",
        )


def blank(flat: Pixels) -> NDArray[np.bool_]:
    """(n, P, 3) -> (n,): too little stained to say anything, or one colour all over."""
    found = np.empty(len(flat), bool)
    step = max(1, _CHUNK_PIXELS // max(1, flat.shape[1]))
    for start in range(0, len(flat), step):
        found[start : start + step] = _blank_part(flat[start : start + step])
    return found


def _blank_part(flat: Pixels) -> NDArray[np.bool_]:
    needed = LEAST_TISSUE * flat.shape[1]
    # a look at some of the pixels nearly always shows enough that is stained and differs: the rest need not be seen
    few = flat[:, ::_LOOK]
    blank: NDArray[np.bool_] = (stained(few).sum(axis=1) < needed) | _flat_coloured(few)
    doubtful = flat[blank]
    blank[blank] = (stained(doubtful).sum(axis=1) < needed) | _flat_coloured(doubtful)
    return blank


def _flat_coloured(pixels: Pixels) -> NDArray[np.bool_]:
    channels = np.moveaxis(pixels, -1, 0)  # one after the other: several times faster than together
    alike: NDArray[np.bool_] = np.all([c.max(axis=1).astype(np.int16) - c.min(axis=1) <= 2 for c in channels], axis=0)
    return alike
