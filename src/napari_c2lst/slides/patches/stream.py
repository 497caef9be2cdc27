"""One pass over the stored chunks that a set of regions needs, giving patches as soon as they are complete."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.slides.images.chunks import ChunkReader, in_order

from .regions import WHITE, Pixels, Regions
from .resampling import resample

_TOGETHER = 32  # patches that one thread resamples at a time

Some = tuple[list[int], Pixels]


class PatchStream:
    """Patches of regions in the order of the last chunk that each of them needs.

    Every chunk is decoded once and let go when the last patch that lies in it is cut. A region that several chunks
    share waits on a canvas of its own. The order does not depend on the number of threads.

    Parameters
    ----------
    reader
        Of the level that the regions are in.
    regions
        What to read.
    workers
        Threads.
    """

    def __init__(self, reader: ChunkReader, regions: Regions, workers: int) -> None:
        self.reader, self.regions, self.workers = reader, regions, workers
        height, width = int(reader.top[-1]), int(reader.left[-1])
        inside = (regions.first >= 0).all(axis=1) & (regions.last <= (height, width)).all(axis=1)
        first, last = np.maximum(regions.first, 0), np.minimum(regions.last, (height, width)) - 1
        beside = (last < first).any(axis=1)
        (top, bottom), (left, right) = (
            (np.searchsorted(edges, first[:, axis], "right") - 1, np.searchsorted(edges, last[:, axis], "right") - 1)
            for axis, edges in enumerate((reader.top, reader.left))
        )
        whole = inside & (top == bottom) & (left == right) & ~beside
        parts = np.flatnonzero(~whole & ~beside)
        final = bottom * reader.columns + right
        self.nowhere = np.flatnonzero(beside).tolist()  # regions beside the image
        self.alone = _Lists(final[whole], np.flatnonzero(whole))  # chunk -> regions that lie in it wholly
        self.ends = _Lists(final[parts], parts)  # chunk -> regions it has the last part of
        # chunk -> regions it has a part of
        self.shared = _Lists(*_covered(top[parts], bottom[parts], left[parts], right[parts], parts, reader.columns))

    @property
    def chunks(self) -> list[int]:
        """The chunks that will be decoded, in order."""
        keys: list[int] = np.union1d(self.alone.keys, self.shared.keys).tolist()
        return keys

    def __iter__(self) -> Iterator[Some]:
        """Some regions and their patches (n, px, px, 3) at a time."""
        if self.nowhere:
            yield self.nowhere, np.full((len(self.nowhere), self.regions.px, self.regions.px, 3), WHITE, np.uint8)
        chunks = self.chunks
        if not chunks:
            return
        self.reader.expect(np.array(chunks))
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="patches")
        try:
            yield from self._run(pool, chunks)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, pool: ThreadPoolExecutor, chunks: list[int]) -> Iterator[Some]:
        canvases: dict[int, Pixels] = {}
        waiting: deque[tuple[list[int], Future[Pixels]]] = deque()
        for chunk, pixels in in_order(pool, self.reader.read, chunks, ahead=2 * self.workers):
            top, left = self.reader.corner(chunk)
            for i in self.shared[chunk]:
                if i not in canvases:
                    canvases[i] = self.regions.blank(i)
                self.regions.paste(canvases[i], i, pixels, top, left)
            squares = {i: self.regions.cut(i, pixels, top, left) for i in self.alone[chunk]}
            squares.update((i, canvases.pop(i)) for i in self.ends[chunk])
            for job in _groups(list(squares)):
                waiting.append((job, pool.submit(self._patches, job, [squares[i] for i in job])))
                yield from self._ready(waiting)
        yield from self._ready(waiting, most=0)

    def _ready(self, waiting: deque[tuple[list[int], Future[Pixels]]], most: int | None = None) -> Iterator[Some]:
        while len(waiting) > (2 * self.workers if most is None else most):
            job, future = waiting.popleft()
            yield job, future.result()

    def _patches(self, job: list[int], squares: list[Pixels]) -> Pixels:
        return resample(squares, self.regions.phases[job], self.regions.side, self.regions.px)


class _Lists:
    """For each number a list of indices in rising order, in a few bytes an index."""

    def __init__(self, keys: NDArray[np.int64], indices: NDArray[np.int64]) -> None:
        order = np.lexsort((indices, keys))
        self.keys, starts = np.unique(keys[order], return_index=True)
        self._indices = np.split(indices[order].astype(np.int32), starts[1:])
        self._place = {key: place for place, key in enumerate(self.keys.tolist())}

    def __getitem__(self, key: int) -> list[int]:
        place = self._place.get(key)
        indices: list[int] = [] if place is None else self._indices[place].tolist()
        return indices


def _covered(
    top: NDArray[np.int64],
    bottom: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    indices: NDArray[np.int64],
    columns: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every chunk of rectangles of chunks (n,), and the index each of them is for."""
    wide = right - left + 1
    count = (bottom - top + 1) * wide
    which = np.repeat(np.arange(len(count)), count)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    return (top[which] + nth // wide[which]) * columns + left[which] + nth % wide[which], indices[which]


def _groups(indices: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(indices), _TOGETHER):
        yield indices[start : start + _TOGETHER]
