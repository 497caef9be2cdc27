"""Pixels of tiles on one lattice for the whole slide: what a place looks like does not depend on the tile it is in.

Patches of `slides.patches` are resampled each from its own corner, with places rounded to a part of a pixel, and for
large ones the filter rounds twice; a grey level of difference is nothing to see, but nuclei on dark slides, which are
lightened, come out with other outlines in another tile. Here a pixel is computed from its place on the slide alone.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from napari_c2lst.slides.images.chunks import ChunkReader, worker_count
from napari_c2lst.slides.patches.regions import Regions
from napari_c2lst.slides.patches.resampling import taps_at
from napari_c2lst.slides.patches.stream import PatchStream

# Pixels so nearly of the wanted size are taken as they are, the nearest one each: filtering would only blur them.
_AS_THEY_ARE = 0.001

Pixels = NDArray[np.uint8]


def read_on_lattice(slide: Any, corner: NDArray[np.int64], side: int, mpp: float, workers: int | None = None) -> Pixels:
    """Read squares of a slide at other microns per pixel.

    Parameters
    ----------
    slide
        An open `Slide` with known microns per pixel.
    corner
        (k, 2) row and column of each square's first pixel, on the lattice of pixels of `mpp` that begins at the image's
        corner; may lie outside.
    side
        Of the squares, in those pixels.
    mpp
        Microns per pixel of the lattice.
    workers
        Threads; None: one for each core.

    Returns
    -------
    (k, side, side, 3) uint8, white beyond the image.

    Raises
    ------
    InputError
        When a stored chunk cannot be read.
    """
    out = np.empty((len(corner), side, side, 3), np.uint8)
    if len(corner) == 0:
        return out
    level = slide.pyramid.level_for(mpp, slide.mpp)
    scale = mpp / slide.mpp / slide.pyramid.downsample[level]  # pixels of the level for one of the lattice
    first, weights = _taps(corner[..., None] + np.arange(side), scale)
    begin = first[..., 0]
    held = int((first[..., -1] - begin).max()) + weights.shape[-1]
    where = f"image of slide '{slide.name}' ({slide.path}), level {level}"
    regions = Regions(float(held), held, np.zeros_like(begin), begin, begin + held)
    reader, threads = ChunkReader(slide.pyramid.levels[level], where), worker_count(workers)

    def work(square: int, pixels: Pixels) -> None:
        (y, x), (along_y, along_x) = first[square] - begin[square, :, None], weights[square]
        out[square] = _filtered(pixels, y, along_y, x, along_x)

    with ThreadPoolExecutor(threads, thread_name_prefix="lattice") as pool:
        jobs = [
            pool.submit(work, square, pixels)
            for squares, patches in PatchStream(reader, regions, threads)
            for square, pixels in zip(squares, patches, strict=True)
        ]
        for job in jobs:
            job.result()
    return out


def _taps(place: NDArray[np.int64], scale: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """First pixel of the level that each pixel of the lattice looks at, (...,), and its weights (..., taps)."""
    centre = np.asarray((place + 0.5) * scale, np.float64)
    if abs(scale - 1) <= _AS_THEY_ARE:
        return np.floor(centre).astype(np.int64), np.ones((*place.shape, 1), np.float32)
    first, weights = taps_at(centre, scale)
    return first, weights.astype(np.float32)


def _filtered(
    pixels: Pixels,
    y: NDArray[np.int64],
    along_y: NDArray[np.float32],
    x: NDArray[np.int64],
    along_x: NDArray[np.float32],
) -> Pixels:
    """Filter along x, then along y."""
    columns = _summed(pixels.swapaxes(0, 1), x, along_x)
    values = _summed(columns.swapaxes(0, 1), y, along_y)
    return (values + np.float32(0.5)).astype(np.uint8)


def _summed(source: NDArray[Any], first: NDArray[np.int64], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weighted sums of rows (n, ...); tap after tap, so that a pixel is added up alike wherever it lies."""
    taps = weights.shape[1]
    steps = np.arange(len(first) + 1) * taps
    band = csr_array((weights.ravel(), (first[:, None] + np.arange(taps)).ravel(), steps), (len(first), len(source)))
    total = band @ np.ascontiguousarray(source, np.float32).reshape(len(source), -1)
    # a filter that enlarges overshoots
    return np.asarray(np.clip(total, 0, 255, out=total)).reshape(len(first), *source.shape[1:])
