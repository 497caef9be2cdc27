"""Rows of pixels, worked on strip by strip: in memory while they are few, in a file without a name otherwise."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.files import disk_errors

_IN_MEMORY = 2**20  # bytes
_STRIP = 2**18  # pixels


class Scratch:
    """A float32 array (h, w) or (h, w, c) whose rows are appended from the top and read again in any order.

    Parameters
    ----------
    shape
        Of the whole array.
    in_memory
        Bytes from which on a file in the system's folder for temporary files is used.

    Raises
    ------
    InputError
        If the disk of temporary files is full; when rows are appended.
    """

    def __init__(self, shape: tuple[int, ...], in_memory: int = _IN_MEMORY) -> None:
        self.shape = shape
        self._row = 4 * int(np.prod(shape[1:]))
        self._file = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 - closed with the array

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give memory and disk back."""
        self._file.close()

    def append(self, rows: NDArray[np.float32]) -> None:
        """Add rows below those there are."""
        with disk_errors(Path(tempfile.gettempdir())):
            self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(rows, np.float32).data)

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        """Rows `start` to `stop`, a copy."""
        start, stop, _ = rows.indices(self.shape[0])
        self._file.seek(start * self._row)
        data = self._file.read((stop - start) * self._row)
        return np.frombuffer(data, np.float32).reshape(stop - start, *self.shape[1:])


@dataclass(frozen=True)
class Strip:
    """Rows `start` to `stop` of an image of `height` rows."""

    start: int
    stop: int
    height: int

    @property
    def rows(self) -> slice:
        """Its rows."""
        return slice(self.start, self.stop)

    def around(self, reach: int) -> tuple[slice, slice]:
        """Rows with `reach` more on each side, as far as there are, and where the strip lies in them."""
        first, last = max(0, self.start - reach), min(self.height, self.stop + reach)
        return slice(first, last), slice(self.start - first, self.stop - first)


def strips(shape: tuple[int, ...], pixels: int = _STRIP) -> list[Strip]:
    """Strips of about so many pixels that make up an image (h, w, ...)."""
    height, width = shape[:2]
    rows = max(1, pixels // max(1, width))
    return [Strip(start, min(start + rows, height), height) for start in range(0, height, rows)]


def parts_of(values: Any, chosen: Any, among: list[Strip]) -> Iterator[NDArray[Any]]:
    """`values[chosen]` of an array or a `Scratch` (h, w, ...) and an array or `Bits` (h, w), a strip at a time."""
    for strip in among:
        yield np.asarray(values[strip.rows], np.float32)[chosen[strip.rows]]
