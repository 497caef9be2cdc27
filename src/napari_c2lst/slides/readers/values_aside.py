"""Predictions whose values stay on disk: places times genes are gigabytes, and few who open a slide look at them.

All else of such a table is in memory: places, genes, what it says of itself. `X` and `layers` are dask arrays.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError


def read_without_values(folder: Path) -> Any:
    """An AnnData of a store whose dense matrices are read when they are computed, some rows at a time.

    Parameters
    ----------
    folder
        Of the table.
    """
    import zarr
    from anndata.experimental import read_dispatched

    def read(usual: Any, name: str, element: Any, iospec: Any) -> Any:
        parts = Path(name).parts
        is_value = parts[-1:] == ("X",) or "layers" in parts[-2:-1]
        return _Values(folder, element).lazy() if is_value and isinstance(element, zarr.Array) else usual(element)

    return read_dispatched(zarr.open_group(folder, mode="r"), read)


def in_memory(table: Any) -> Any:
    """A table with its values: a copy where they were on disk, else the table itself."""
    matrices = [table.X, *table.layers.values()]
    if not any(hasattr(matrix, "dask") for matrix in matrices):
        return table
    table = table.copy()
    table.X = _computed(table.X)
    for name in list(table.layers):
        table.layers[name] = _computed(table.layers[name])
    return table


def _computed(matrix: Any) -> Any:
    return matrix.compute() if hasattr(matrix, "dask") else matrix


class _Values:
    """A matrix on disk. Once its table was replaced or taken out it cannot be read any more.

    Zarr would read zeros for chunks that are gone, and another table's rows are of other places.
    """

    def __init__(self, folder: Path, array: Any) -> None:
        self._folder, self._array = folder, array
        self._stamp = self._now()

    def lazy(self) -> Any:
        import dask.array

        da: Any = dask.array
        array = self._array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        # without a name of its own it would be named after its content, which is on disk
        return da.from_array(self, chunks=array.chunks, name=False, asarray=False)

    def __getitem__(self, part: Any) -> Any:
        values = self._array[part]
        if self._now() != self._stamp:
            raise InputError(
                f"the predictions '{self._folder.name}' were replaced or removed since the slide was opened",
                "open the slide again",
            )
        return values

    def _now(self) -> tuple[int, int] | None:
        """What tells one table of a name from a later one: a table is written whole, as new files."""
        for name in ("zarr.json", ".zgroup"):
            try:
                found = os.stat(self._folder / name)
            except OSError:
                continue
            return found.st_ino, found.st_mtime_ns
        return None
