"""What a HoVer-Net learns to say of each pixel: nucleus or not, how far from the nucleus's centre, which type."""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

T = TypeVar("T", bound=np.generic)

MIN_PIXELS = 30  # a nucleus that the crop has left less of gets no distances


class Targets(NamedTuple):
    """Targets of one patch, cropped to what the network gives.

    Attributes
    ----------
    nucleus
        (out, out) uint8, 1 inside nuclei.
    distances
        (2, out, out) float32: horizontal, then vertical; -1 at the left (upper) edge of a nucleus, 0 at its centre of
        mass, 1 at the right (lower) edge, 0 outside.
    types
        (out, out) uint8, 0 outside nuclei; None without types.
    """

    nucleus: NDArray[np.uint8]
    distances: NDArray[np.float32]
    types: NDArray[np.uint8] | None


def make_targets(instances: NDArray[np.int32], types: NDArray[np.uint8] | None, output_px: int) -> Targets:
    """Targets of a patch.

    Parameters
    ----------
    instances, types
        (px, px) of the whole input, so that nuclei which the crop cuts keep their centre.
    output_px
        Side of the network's output, in the middle of the input.
    """
    single = split_pieces(instances)
    distances = distance_maps(single)
    inside = centre(single, output_px)
    pixels = np.bincount(inside.ravel())
    too_small = (pixels < MIN_PIXELS)[inside] | (inside == 0)
    cropped = centre(distances, output_px)
    return Targets(
        (inside > 0).astype(np.uint8),
        np.where(too_small, np.float32(0), cropped),
        None if types is None else np.where(inside > 0, centre(types, output_px), 0).astype(np.uint8),
    )


def split_pieces(instances: NDArray[np.int32]) -> NDArray[np.int32]:
    """Ids 1, 2, ... with another one for each separate piece: mirroring at an image's edge shows a nucleus twice."""
    pieces, _ = ndimage.label(instances > 0)
    key = instances.astype(np.int64) * (int(pieces.max(initial=0)) + 1) + pieces
    ids, compact = np.unique(np.where(instances > 0, key, 0), return_inverse=True)
    shift = 0 if ids[0] == 0 else 1  # no background at all
    return (compact.reshape(instances.shape) + shift).astype(np.int32)


def distance_maps(instances: NDArray[np.int32]) -> NDArray[np.float32]:
    """Horizontal and vertical distance to the centre of mass, each side scaled to 1.

    Parameters
    ----------
    instances
        (H, W) with ids 1, 2, ...

    Returns
    -------
    NDArray
        (2, H, W).
    """
    y, x = np.nonzero(instances)
    ids = instances[y, x]
    out = np.zeros((2, *instances.shape), np.float32)
    if not len(ids):
        return out
    counts = np.maximum(np.bincount(ids), 1)
    for channel, places in enumerate((x, y)):
        middle = np.floor(np.bincount(ids, places) / counts + 0.5)
        out[channel, y, x] = _scaled(places.astype(np.float64) - middle[ids], ids)
    return out


def _scaled(offsets: NDArray[np.float64], ids: NDArray[np.int32]) -> NDArray[np.float32]:
    """Offsets of each nucleus divided by its largest on the same side."""
    lowest, highest = np.zeros(ids.max() + 1), np.zeros(ids.max() + 1)
    np.minimum.at(lowest, ids, offsets)
    np.maximum.at(highest, ids, offsets)
    reach = np.where(offsets < 0, -lowest[ids], highest[ids])
    return (offsets / np.where(reach > 0, reach, 1)).astype(np.float32)


def centre(array: NDArray[T], px: int) -> NDArray[T]:
    """The middle `px` x `px` of (..., H, W); the far side loses the odd pixel."""
    top, left = (array.shape[-2] - px) // 2, (array.shape[-1] - px) // 2
    return array[..., top : top + px, left : left + px]
