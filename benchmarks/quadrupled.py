"""A store four times as large as another, in a minute and hardly any disk: chunks of the fine levels are linked."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import zarr

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.images.pyramid import Pyramid, halved
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.store.storing import CHUNK, write_store

_LINKED = 2  # levels: half of an even number of chunks are whole chunks


def quadrupled(store: Path, out: Path) -> Path:
    """The whole chunks of a store of ours, laid side by side twice in both directions.

    Parameters
    ----------
    store
        With at least two chunks in each direction; what is beyond an even number of chunks is left out.
    out
        The store to make, on the same disk.
    """
    slide = open_slide(store)
    rows, columns = (side // CHUNK // 2 * 2 for side in slide.pyramid.shape)
    zeros: Any = da
    blank = zeros.zeros((3, 2 * rows * CHUNK, 2 * columns * CHUNK), chunks=(3, CHUNK, CHUNK), dtype=np.uint8)
    write_store(dataclasses.replace(slide, pyramid=Pyramid([blank], [1.0])), out, Reporter())
    old, new = (_levels(folder / "images" / slide.image_name) for folder in (store, out))
    for level in range(len(new)):
        if level < _LINKED:
            _link(old[level], new[level], rows >> level, columns >> level)
        elif level == _LINKED:
            part = old[level][:, : rows * CHUNK >> level, : columns * CHUNK >> level]
            new[level][:] = np.tile(part, (1, 2, 2))
        else:
            new[level][:] = halved(new[level - 1][:])
    return out


def _levels(image: Path) -> list[Any]:
    """The arrays of a multiscale image, finest first."""
    group: Any = zarr.open_group(image, mode="r+", use_consolidated=False)
    return sorted((array for _, array in group.arrays()), key=lambda array: -array.shape[1])


def _link(old: Any, new: Any, rows: int, columns: int) -> None:
    for row in range(2 * rows):
        for column in range(2 * columns):
            source, target = (
                Path(array.store.root) / array.path / array.metadata.encode_chunk_key((0, *place))
                for array, place in ((old, (row % rows, column % columns)), (new, (row, column)))
            )
            target.unlink(missing_ok=True)
            os.link(source, target)
