"""Image files as lazy pyramids: nothing is decoded before it is asked for.

A file is opened by reading its header; whether it is cut off is seen from its last bytes or its table of tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_c2lst.common.errors import InputError

from .pyramid import Pyramid

TIFF_ENDINGS = (".svs", ".tif", ".tiff", ".btf", ".ndpi", ".scn")
WHOLE_ENDINGS = (".jpg", ".jpeg", ".png")
IMAGE_ENDINGS = (*TIFF_ENDINGS, *WHOLE_ENDINGS)


@dataclass(frozen=True, eq=False)
class ImageFile:
    """What an image file holds.

    Parameters
    ----------
    pyramid
        Its levels, lazy.
    mpp
        Microns per level-0 pixel by its own tags; None when it has none.
    mpp_detail
        Which tag that was.
    notes
        What the user should know about it.
    """

    pyramid: Pyramid
    mpp: float | None = None
    mpp_detail: str = ""
    notes: tuple[str, ...] = ()


def is_image_file(path: Path) -> bool:
    """Whether the name ends like an image we read."""
    return path.suffix.lower() in IMAGE_ENDINGS


def open_image(path: Path) -> ImageFile:
    """Open an image file lazily.

    Raises
    ------
    InputError
        If it is not there, of another kind, cut off, or not an RGB image.
    """
    if not path.is_file():
        raise InputError(f"there is no image file '{path}'", "check the path")
    if path.stat().st_size == 0:
        raise InputError(f"the image '{path}' is empty", "copy it again")
    if path.suffix.lower() in TIFF_ENDINGS:
        from .tiff_files import open_tiff

        return open_tiff(path)
    if path.suffix.lower() in WHOLE_ENDINGS:
        from .whole_images import open_whole

        return open_whole(path)
    raise InputError(f"'{path}' is not an image this program reads", f"use one of {', '.join(IMAGE_ENDINGS)}")


def _span(index: Any, length: int) -> tuple[int, int, Any]:
    """First and last + 1 place that an index touches, and the index into that span."""
    places = np.arange(length)[index]
    if places.size == 0:
        return 0, 0, slice(0, 0)
    low, high = int(places.min()), int(places.max()) + 1
    if isinstance(index, slice) and (index.step or 1) == 1:
        return low, high, slice(None)
    return low, high, places - low


class LazyPixels:
    """Pixels behind a dask array (3, h, w): subclasses read a rectangle.

    Dask only needs a shape, a dtype and indexing; going through zarr instead would decode every tile in one thread.
    """

    dtype: Any
    ndim = 3

    def __init__(self, shape: tuple[int, int, int], dtype: Any) -> None:
        self.shape = shape
        self.dtype = dtype

    def __getitem__(self, key: tuple[Any, Any, Any]) -> Any:
        """Pixels (c, y, x) at slices, numbers or lists of numbers, as dask asks for them after fusing slices."""
        channel, y, x = key
        (y0, y1, rows), (x0, x1, columns) = _span(y, self.shape[1]), _span(x, self.shape[2])
        pixels = self.read(y0, y1, x0, x1).transpose(2, 0, 1)
        return pixels[:, :, columns][:, rows][channel]

    def read(self, y0: int, y1: int, x0: int, x1: int) -> Any:
        """Pixels (y1 - y0, x1 - x0, c)."""
        raise NotImplementedError

    def as_dask(self, chunk: tuple[int, int]) -> Any:
        """The dask array, in chunks of so many rows and columns."""
        import uuid

        import dask.array as da

        # a name of its own and a meta: dask would otherwise read pixels to find both
        return da.from_array(  # type: ignore[no-untyped-call]
            self,
            chunks=(self.shape[0], *chunk),
            name=f"pixels-{uuid.uuid4().hex}",
            meta=np.empty((0, 0, 0), dtype=self.dtype),
            lock=False,
        )
