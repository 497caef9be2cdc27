"""A small picture of a whole slide, as exact means of squares of pixels, one stored chunk at a time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .chunks import ChunkReader, in_order, worker_count


def shrunk(slide: Any, um: float, workers: int | None = None) -> tuple[NDArray[np.float32], float]:
    """Mean colour of squares of about `um` microns.

    Parameters
    ----------
    slide
        An open `Slide` with a known size of its pixels.
    um
        Wanted side of a square in microns; a coarser slide keeps its own pixels.
    workers
        Threads; None: one for each core.

    Returns
    -------
    picture
        (h, w, 3) float32, 0..255.
    px
        Level-0 pixels per pixel of the picture.

    Raises
    ------
    InputError
        When the slide has no microns per pixel or cannot be read somewhere.
    """
    index = slide.pyramid.level_for(um, slide.mpp)
    level, factor = slide.pyramid.levels[index], slide.pyramid.downsample[index]
    side = max(1, round(um / (slide.mpp * factor)))
    where = f"image of slide '{slide.name}' ({slide.path}), level {index}"
    return block_means(ChunkReader(level, where), side, worker_count(workers)), side * factor


def block_means(reader: ChunkReader, side: int, workers: int) -> NDArray[np.float32]:
    """Means of side x side squares of a level, (ceil(h / side), ceil(w / side), 3); those at far borders are cut."""
    height, width = int(reader.top[-1]), int(reader.left[-1])
    total = np.zeros((3, -(-height // side), -(-width // side)))
    chunks = list(range((len(reader.top) - 1) * reader.columns))
    reader.expect(np.array(chunks))

    def add_up(chunk: int) -> tuple[int, int, NDArray[np.float64]]:
        pixels, (top, left) = reader.read(chunk), reader.corner(chunk)
        rows = np.add.reduceat(pixels, _starts(top, pixels.shape[1], side), axis=1, dtype=np.uint32)
        sums = np.add.reduceat(rows, _starts(left, pixels.shape[2], side), axis=2, dtype=np.float64)
        return top // side, left // side, sums

    with ThreadPoolExecutor(workers, thread_name_prefix="shrink") as pool:
        for _, (y, x, sums) in in_order(pool, add_up, chunks, ahead=workers + 1):
            total[:, y : y + sums.shape[1], x : x + sums.shape[2]] += sums
    count = np.outer(_sizes(height, side), _sizes(width, side))
    return np.moveaxis(total / count, 0, -1).astype(np.float32)


def _starts(offset: int, length: int, side: int) -> NDArray[np.intp]:
    """Where squares of the whole level begin inside a chunk, the first one possibly cut."""
    first = -offset % side
    return np.unique(np.concatenate([[0], np.arange(first, length, side)])).astype(np.intp)


def _sizes(length: int, side: int) -> NDArray[np.float64]:
    edges = np.append(np.arange(0, length, side), length)
    return np.diff(edges).astype(np.float64)
