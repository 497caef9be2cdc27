"""An array of rows on disk that is filled in any order: results of any size without their memory."""

import os
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.files import check_free_space, disk_errors

_CHUNK_ROWS, _CHUNK_BYTES = 4096, 2**23  # of a part, at most


class RowsOnDisk:
    """A float32 array (N, d) on disk; in a file without a name it is gone when it is closed, also after a crash.

    Not a memory map: the pages of one count as memory of the process until the system takes them back.

    Parameters
    ----------
    beside
        The file takes its room on the disk of this path, where the result will go, not in a /tmp that may be memory.
    shape
        (N, d).
    file
        A file of that name instead, which stays when it is closed; what is in it already is kept.

    Raises
    ------
    InputError
        If the disk has no room for it.
    """

    dtype = np.dtype(np.float32)
    ndim = 2

    def __init__(self, beside: Path, shape: tuple[int, int], file: Path | None = None) -> None:
        self.shape = shape
        self._row = shape[1] * self.dtype.itemsize
        self._where = beside
        self._lock = threading.Lock()
        check_free_space(beside, shape[0] * self._row)
        with disk_errors(beside):
            self._file = _opened(beside, file)
            self._file.truncate(shape[0] * self._row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def flush(self) -> None:
        """Have what was written on the disk."""
        with disk_errors(self._where):
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Give the disk its room back."""
        self._file.close()

    def write(self, index: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        """Write `values` (n, d) to the rows `index` (n,)."""
        values = np.ascontiguousarray(values, self.dtype)
        assert values.shape == (len(index), self.shape[1])
        with disk_errors(self._where):
            for row, value in zip(index.tolist(), values, strict=True):
                self._file.seek(row * self._row)
                self._file.write(value.tobytes())

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Rows `start` to `stop`."""
        with self._lock:  # dask reads from several threads
            self._file.seek(start * self._row)
            data = self._file.read((stop - start) * self._row)
        return np.frombuffer(data, self.dtype).reshape(stop - start, self.shape[1])

    def column(self, index: int) -> NDArray[np.float32]:
        """One column (N,)."""
        parts = [self.read(a, b)[:, index] for a, b in self.parts()]
        return np.concatenate([np.zeros(0, np.float32), *parts])

    def parts(self, start: int = 0, stop: int | None = None) -> list[tuple[int, int]]:
        """`(start, stop)` of parts of the rows, or of some of them."""
        end, rows = self.shape[0] if stop is None else stop, _CHUNK_ROWS
        while rows > 1 and rows * self._row > _CHUNK_BYTES:
            rows //= 2  # powers of two: chunks on disk begin where parts do
        return [(a, min(a + rows, end)) for a in range(start, end, rows)]

    def lazy(self, start: int = 0, stop: int | None = None) -> Any:
        """The rows, or some of them, as a dask array that reads a part at a time."""
        import dask.array
        from dask.delayed import delayed

        da: Any = dask.array
        blocks = [
            da.from_delayed(delayed(self.read, pure=False)(a, b), (b - a, self.shape[1]), self.dtype)
            for a, b in self.parts(start, stop)
        ]
        return da.concatenate(blocks) if blocks else da.zeros((0, self.shape[1]), dtype=self.dtype)


def _opened(beside: Path, file: Path | None) -> IO[bytes]:
    if file is None:
        return tempfile.TemporaryFile(dir=beside if beside.is_dir() else beside.parent)
    return file.open("r+b" if file.exists() else "w+b")
