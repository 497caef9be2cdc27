"""One pass over the stored chunks that a set of regions needs, giving patches as soon as they are complete."""

from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

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
        self.alone: dict[int, list[int]] = defaultdict(list)  # chunk -> regions that lie in it wholly
        self.shared: dict[int, list[int]] = defaultdict(list)  # chunk -> regions it has a part of
        self.ends: dict[int, list[int]] = defaultdict(list)  # chunk -> shared regions it is the last one of
        self.nowhere: list[int] = []  # regions beside the image
        self._plan()

    @property
    def chunks(self) -> list[int]:
        """The chunks that will be decoded, in order."""
        return sorted(self.alone.keys() | self.shared.keys())

    def _plan(self) -> None:
        height, width = int(self.reader.top[-1]), int(self.reader.left[-1])
        inside = (self.regions.first >= 0).all(axis=1) & (self.regions.last <= (height, width)).all(axis=1)
        first = np.maximum(self.regions.first, 0)
        last = np.minimum(self.regions.last, (height, width)) - 1
        beside = (last < first).any(axis=1)
        r0, r1 = (np.searchsorted(self.reader.top, edge[:, 0], "right") - 1 for edge in (first, last))
        c0, c1 = (np.searchsorted(self.reader.left, edge[:, 1], "right") - 1 for edge in (first, last))
        table = np.stack([beside, inside, r0, r1, c0, c1], axis=1).tolist()
        for i, (outside, whole, top, bottom, left, right) in enumerate(table):
            final = bottom * self.reader.columns + right
            if outside:
                self.nowhere.append(i)
            elif whole and top == bottom and left == right:
                self.alone[final].append(i)
            else:
                for row in range(top, bottom + 1):
                    for column in range(left, right + 1):
                        self.shared[row * self.reader.columns + column].append(i)
                self.ends[final].append(i)

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


def _groups(indices: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(indices), _TOGETHER):
        yield indices[start : start + _TOGETHER]
