"""An image pyramid: lazy levels of one image, finest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

# A level this little coarser than asked still counts as fine enough (stored sizes are rounded to whole pixels).
_ROUNDING = 1.01


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Lazy levels of an RGB image.

    Parameters
    ----------
    levels
        Dask arrays (3, h, w) uint8, finest first; their chunks are the chunks of the storage.
    downsample
        Level-0 pixels per pixel of each level (1.0 for the first).
    """

    levels: list[Any]
    downsample: list[float]

    @classmethod
    def of_levels(cls, levels: Sequence[Any], where: str = "the image") -> Pyramid:
        """Make a pyramid of arrays (channels, h, w) of any depth of colour.

        Parameters
        ----------
        levels
            Dask arrays, finest first.
        where
            What to call the image in an error.

        Raises
        ------
        InputError
            If the image has another number of channels than 1 (grey), 3 (RGB) or 4 (RGBA).
        """
        rgb = sorted((as_rgb(level, where) for level in levels), key=lambda level: -level.shape[1] * level.shape[2])
        height, width = rgb[0].shape[1:]
        return cls(rgb, [float(np.sqrt(height / level.shape[1] * width / level.shape[2])) for level in rgb])

    @classmethod
    def of_element(cls, element: Any, where: str = "the image") -> Pyramid:
        """Make a pyramid of an image element of a SpatialData, multiscale or not."""
        return cls.of_levels(element_levels(element), where)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of level 0 in pixels."""
        height, width = self.levels[0].shape[1:]
        return int(height), int(width)

    def level_for(self, target_mpp: float, mpp: float) -> int:
        """Index of the coarsest level that is at least as fine as wanted; 0 when none is.

        Parameters
        ----------
        target_mpp
            Wanted microns per pixel.
        mpp
            Microns per level-0 pixel.
        """
        fine = [i for i, d in enumerate(self.downsample) if d * mpp <= target_mpp * _ROUNDING]
        return fine[-1] if fine else 0


def element_levels(element: Any) -> list[Any]:
    """Dask arrays (c, h, w) of an image element of a SpatialData, in the stored order."""
    from xarray import DataTree

    if not isinstance(element, DataTree):
        return [element.transpose("c", "y", "x").data]
    return [next(iter(element[name].data_vars.values())).transpose("c", "y", "x").data for name in element.children]


def as_rgb(array: Any, where: str = "the image") -> Any:
    """Lazy (3, h, w) uint8 of an image of 1, 3 or 4 channels.

    Floats are taken as 0..1, 16-bit numbers by their upper byte, transparent pixels become white.

    Raises
    ------
    InputError
        If the number of channels is another one.
    """
    channels = array.shape[0]
    if channels not in (1, 3, 4):
        raise InputError(
            f"{where} has {channels} channels, not the three of an H&E image",
            "choose another image, or export it as RGB",
        )
    if channels == 3 and array.dtype == np.uint8 and array.numblocks[0] == 1:
        return array
    whole = array.rechunk({0: -1})
    return da.map_blocks(  # type: ignore[no-untyped-call]
        rgb_block, whole, dtype=np.uint8, chunks=((3,), *whole.chunks[1:])
    )


def rgb_block(block: NDArray[Any]) -> NDArray[np.uint8]:
    """The numbers of `as_rgb`: (c, h, w) of any type to (3, h, w) uint8."""
    if block.dtype == np.bool_:
        block = block.astype(np.uint8) * np.uint8(255)
    elif block.dtype.kind == "f":
        block = np.rint(np.nan_to_num(np.clip(block, 0, 1)) * 255)
    elif block.dtype.itemsize == 2:
        block = block.astype(np.uint16) >> 8
    block = block.astype(np.uint8, copy=False)
    if len(block) == 4:
        opacity = block[3:].astype(np.float32) / 255
        return np.rint(block[:3] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    return np.repeat(block, 3, axis=0) if len(block) == 1 else block


def halved(block: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mean of 2 x 2 pixels: (3, h, w) to (3, ceil(h/2), ceil(w/2)); an odd last row or column is repeated."""
    _, height, width = block.shape
    if height % 2 or width % 2:
        block = np.pad(block, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    wide = block.astype(np.uint16)
    total = wide[:, ::2, ::2] + wide[:, 1::2, ::2] + wide[:, ::2, 1::2] + wide[:, 1::2, 1::2]
    return ((total + 2) >> 2).astype(np.uint8)
