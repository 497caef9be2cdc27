"""A small picture of a whole slide, as exact means of squares of pixels, one stored chunk at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .chunks import ChunkReader, in_order, worker_count
from .scratch import Scratch

_ROWS = 64  # means are taken of so many rows of squares at a time


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
    reader, side, px = _squares(slide, um)
    return block_means(reader, side, worker_count(workers)), px


def shrunk_on_disk(slide: Any, um: float, workers: int | None = None) -> tuple[Scratch, float]:
    """`shrunk` with a picture that takes hardly any memory, however large the slide is; to be closed after use."""
    reader, side, px = _squares(slide, um)
    picture = Scratch((*_shape(reader, side), 3))
    try:
        for rows in mean_rows(reader, side, worker_count(workers)):
            picture.append(rows)
    except BaseException:
        picture.close()
        raise
    return picture, px


def block_means(reader: ChunkReader, side: int, workers: int) -> NDArray[np.float32]:
    """Means of side x side squares of a level, (ceil(h / side), ceil(w / side), 3); those at far borders are cut."""
    return np.concatenate(list(mean_rows(reader, side, workers)))


def mean_rows(reader: ChunkReader, side: int, workers: int) -> Iterator[NDArray[np.float32]]:
    """`block_means` from the top to the bottom, some rows of squares at a time."""
    chunks = list(range((len(reader.top) - 1) * reader.columns))
    reader.expect(np.array(chunks))
    height, width = int(reader.top[-1]), int(reader.left[-1])
    columns, heights = _sizes(width, side), _sizes(height, side)
    # what holds the sum of a square exactly
    number = np.uint8 if side == 1 else np.uint32 if side < 4096 else np.uint64

    def add_up(chunk: int) -> NDArray[Any]:
        pixels, (top, left) = reader.read(chunk), reader.corner(chunk)
        if side == 1:
            return pixels
        rows = np.add.reduceat(pixels, _starts(top, pixels.shape[1], side), axis=1, dtype=number)
        return np.add.reduceat(rows, _starts(left, pixels.shape[2], side), axis=2, dtype=number)

    first = 0  # the first row of squares that is not complete
    total = np.zeros((3, 0, len(columns)), number)  # sums from there on
    with ThreadPoolExecutor(workers, thread_name_prefix="shrink") as pool:
        for chunk, sums in in_order(pool, add_up, chunks, ahead=workers + 1):
            row, column = divmod(chunk, reader.columns)
            if column == 0:
                missing = -(-int(reader.top[row + 1]) // side) - first - total.shape[1]
                total = np.pad(total, ((0, 0), (0, missing), (0, 0)))
            y, x = int(reader.top[row]) // side - first, int(reader.left[column]) // side
            total[:, y : y + sums.shape[1], x : x + sums.shape[2]] += sums
            if column == reader.columns - 1:
                bottom = int(reader.top[row + 1])
                done = (len(heights) if bottom == height else bottom // side) - first
                for start in range(0, done, _ROWS):
                    some = slice(start, min(start + _ROWS, done))
                    count = np.outer(heights[first:][some], columns)
                    yield np.moveaxis(total[:, some] / count, 0, -1).astype(np.float32)
                first, total = first + done, total[:, done:]


def _squares(slide: Any, um: float) -> tuple[ChunkReader, int, float]:
    """The level to read, pixels of a square's side in it, and the same in level-0 pixels."""
    index = slide.pyramid.level_for(um, slide.mpp)
    level, factor = slide.pyramid.levels[index], slide.pyramid.downsample[index]
    side = max(1, round(um / (slide.mpp * factor)))
    where = f"image of slide '{slide.name}' ({slide.path}), level {index}"
    return ChunkReader(level, where), side, side * factor


def _shape(reader: ChunkReader, side: int) -> tuple[int, int]:
    return -(-int(reader.top[-1]) // side), -(-int(reader.left[-1]) // side)


def _starts(offset: int, length: int, side: int) -> NDArray[np.intp]:
    """Where squares of the whole level begin inside a chunk, the first one possibly cut."""
    first = -offset % side
    return np.unique(np.concatenate([[0], np.arange(first, length, side)])).astype(np.intp)


def _sizes(length: int, side: int) -> NDArray[np.float64]:
    edges = np.append(np.arange(0, length, side), length)
    return np.diff(edges).astype(np.float64)
