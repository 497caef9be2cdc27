"""Standard brightness: the luminosity of each patch is stretched until a share of its pixels is fully bright.

As staintools does before it normalises stains. The pipelines of this package bring the glass of the whole slide to
white instead (`of_slide`): a patch full of tissue holds no glass, and by itself would come out too bright.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

from .batches import is_tensor, part_by_part
from .colour import Pixels, lab_to_rgb, rgb_to_lab

if TYPE_CHECKING:
    from torch import Tensor


@overload
def standardize_luminosity(patches: Pixels, percentile: float = ...) -> Pixels: ...


@overload
def standardize_luminosity(
    patches: Pixels, percentile: float = ..., *, return_flags: Literal[True]
) -> tuple[Pixels, NDArray[np.bool_]]: ...


@overload
def standardize_luminosity(patches: "Tensor", percentile: float = ...) -> "Tensor": ...


@overload
def standardize_luminosity(
    patches: "Tensor", percentile: float = ..., *, return_flags: Literal[True]
) -> "tuple[Tensor, Tensor]": ...


def standardize_luminosity(patches: Any, percentile: float = 95.0, *, return_flags: bool = False) -> Any:
    """Bring patches to standard brightness; the input is left as it is.

    Parameters
    ----------
    patches
        (N, H, W, 3) or (H, W, 3) uint8: an array, or a torch tensor on any device.
    percentile
        Of a patch's luminosity L*, above 0 and at most 100, that becomes full brightness.
    return_flags
        Also return which patches passed through unchanged.

    Returns
    -------
    patches
        uint8 of the same shape; a tensor lies where the input lay.
    unchanged
        (N,) bool: white, black or blank patches.

    Raises
    ------
    InputError
        When they are no 8-bit RGB, or there is no such percentile.
    """
    if not 0 < percentile <= 100:
        raise InputError(f"there is no percentile {percentile:g}", hint="give a number above 0, at most 100")
    if is_tensor(patches):
        from . import tensors

        result: Any = tensors.standardized(patches, percentile / 100)
    else:
        result = part_by_part(patches, partial(_brightened, percentile=percentile))
    return result if return_flags else result[0]


def _brightened(pixels: Pixels, percentile: float) -> tuple[Pixels, NDArray[np.bool_]]:
    lab = rgb_to_lab(pixels)
    bright = np.percentile(lab[..., 0], percentile, axis=1).astype(np.float32)
    lab[..., 0] = np.minimum(100 * lab[..., 0] / np.maximum(bright, 1e-6)[:, None], 100)
    return lab_to_rgb(lab), bright > 0
