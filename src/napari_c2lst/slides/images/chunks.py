"""Chunks of a pyramid level: which ones a set of regions needs, and decoding each of them once, in parallel."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import dask
import numpy as np
from dask.core import get_dependencies
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

from .stored_chunks import StoredChunks

T = TypeVar("T")
Item = TypeVar("Item")


class ChunkReader:
    """Decode single chunks of a dask array (3, h, w).

    Parameters
    ----------
    level
        The array; its chunks are those of the storage.
    where
        What to call it in an error, e.g. "slide B4, level 2".

    Notes
    -----
    `level.blocks[...].compute()` costs 1-2 ms of graph work for each chunk, several times the decoding of a small one.
    Here the graph is optimised once for all chunks that are needed; chunks of a zarr array on disk need no graph.
    """

    def __init__(self, level: Any, where: str) -> None:
        self.level, self.where = level, where
        self.top = np.concatenate([[0], np.cumsum(level.chunks[1])])
        self.left = np.concatenate([[0], np.cumsum(level.chunks[2])])
        self._graph: Mapping[Any, Any] = {}
        self._stored = StoredChunks.of(level)

    @property
    def columns(self) -> int:
        """Number of chunks side by side."""
        return len(self.left) - 1

    def expect(self, chunks: NDArray[np.int64]) -> None:
        """Prepare to read these chunks (row * columns + column)."""
        if self._stored is not None:
            return
        keys = [key for chunk in chunks for key in self._keys(int(chunk))]
        self._graph = dict(self.level.__dask_optimize__(self.level.__dask_graph__(), keys))

    def read(self, chunk: int) -> NDArray[np.uint8]:
        """Pixels of one chunk, (3, h, w).

        Raises
        ------
        InputError
            When the storage cannot be read there; names the place.
        """
        try:
            if self._stored is not None:
                return self._stored.read(*divmod(chunk, self.columns))
            parts = [np.asarray(dask.get(self._needed(key), key)) for key in self._keys(chunk)]  # type: ignore[attr-defined]
        except Exception as error:
            raise InputError(
                f"{self.where}: {self._place(chunk)} cannot be read ({_short(error)})", hint=_DAMAGED
            ) from error
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def corner(self, chunk: int) -> tuple[int, int]:
        """Top and left of a chunk in pixels of the level."""
        row, column = divmod(chunk, self.columns)
        return int(self.top[row]), int(self.left[column])

    def _keys(self, chunk: int) -> list[tuple[Any, ...]]:
        row, column = divmod(chunk, self.columns)
        return [(self.level.name, channel, row, column) for channel in range(len(self.level.chunks[0]))]

    def _needed(self, key: tuple[Any, ...]) -> dict[Any, Any]:
        """The part of the graph behind one chunk; the scheduler looks at every task it is given."""
        needed: dict[Any, Any] = {}
        todo: list[Any] = [key]
        while todo:
            name = todo.pop()
            if name not in needed:
                needed[name] = self._graph[name]
                todo.extend(get_dependencies(self._graph, name))
        return needed

    def _place(self, chunk: int) -> str:
        row, column = divmod(chunk, self.columns)
        return (
            f"the stored chunk of rows {self.top[row]} to {self.top[row + 1]}, "
            f"columns {self.left[column]} to {self.left[column + 1]}"
        )


_DAMAGED = "the file may be damaged or cut short: copy or convert it again"


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:160]}" if lines[0] else type(error).__name__


def in_order(
    pool: ThreadPoolExecutor, work: Callable[[Item], T], items: Sequence[Item], ahead: int
) -> Iterator[tuple[Item, T]]:
    """Results in the order of the items, computed by the pool at most `ahead` items in advance."""
    waiting: deque[tuple[Item, Future[T]]] = deque()
    for item in items:
        waiting.append((item, pool.submit(work, item)))
        if len(waiting) > ahead:
            first, future = waiting.popleft()
            yield first, future.result()
            del future
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()
        del future


def worker_count(workers: int | None) -> int:
    """Threads to use: as asked, else one for each core this process may use, at most 16."""
    if workers is not None:
        return max(1, workers)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(16, cores)
