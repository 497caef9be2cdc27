"""Elements that are made and written some rows at a time, so that their memory does not grow with their rows.

Spatialdata writes the first rows as an element of its own, which settles formats and metadata; those that follow are
put below them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROWS = 2**14  # of a part: a slide of common size is one part, and zarr's chunks of them begin where parts do


@dataclass(frozen=True)
class InParts:
    """A table or shapes of many rows.

    Attributes
    ----------
    rows
        How many there are.
    make
        Called with `start` and `stop`: these rows as an element that the models of SpatialData parse. Parts differ in
        nothing but their rows: same columns, types and categories.
    """

    rows: int
    make: Callable[[int, int], Any]

    def parts(self, start: int = 0) -> Iterator[tuple[int, Any]]:
        """Parts from a row on, each with its first row."""
        for first in range(start, self.rows, ROWS):
            yield first, self.make(first, min(first + ROWS, self.rows))

    def first(self) -> Any:
        """The first part, which is all there is of few rows."""
        return self.make(0, min(ROWS, self.rows))


def parts_of(element: Any) -> Iterator[Any]:
    """The parts of an element; one that is not made in parts is all there is."""
    if isinstance(element, InParts):
        yield from (part for _, part in element.parts())
    else:
        yield element


def add_rest(folder: Path, element: InParts) -> None:
    """Put the other parts below the first one, which is written already.

    Parameters
    ----------
    folder
        Of the written table or shapes.
    element
        What it is the first part of.
    """
    if element.rows <= ROWS:
        return
    file = folder / "shapes.parquet"
    if file.is_file():
        _add_shapes(file, element)
    else:
        _add_rows(folder, element)


def _add_rows(folder: Path, element: InParts) -> None:
    import zarr

    group: Any = zarr.open_group(folder, mode="r+", use_consolidated=False)
    grown = False
    for start, part in element.parts(ROWS):
        for array, values in _columns(group, part):
            if not grown:
                array.resize((element.rows, *array.shape[1:]))
            _put(array, start, values)
        if hasattr(part.X, "indptr"):
            from anndata.io import sparse_dataset

            sparse_dataset(group["X"]).append(part.X)
        grown = True


def _columns(group: Any, part: Any) -> Iterator[tuple[Any, Any]]:
    """The arrays of a written AnnData that have a row for each observation, and what a part has for them."""
    if not hasattr(part.X, "indptr"):
        yield group["X"], part.X
    for kind in ("layers", "obsm"):
        for name, values in getattr(part, kind).items():
            yield group[kind][name], values
    obs = group["obs"]
    yield obs[obs.attrs["_index"]], part.obs_names.to_numpy(object)
    for name in obs.attrs["column-order"]:
        column, stored = part.obs[name], obs[name]
        if hasattr(column, "cat"):
            if stored["categories"][:].tolist() != column.cat.categories.tolist():
                raise ValueError(f"part '{part.obs_names[0]}' of column '{name}' has other categories than the first")
            yield stored["codes"], column.cat.codes.to_numpy()
        else:
            yield stored, column.to_numpy()


def _put(array: Any, start: int, values: Any) -> None:
    """Write rows from `start` on; those of a dask array a block at a time, since blocks may share a chunk on disk."""
    if not hasattr(values, "dask"):
        array[start : start + len(values)] = values
        return
    for block in values.blocks:
        array[start : start + len(block)] = block.compute()
        start += len(block)


def _add_shapes(file: Path, element: InParts) -> None:
    """All parts as row groups of one file; geopandas writes each of them first, since it knows columns and boxes."""
    import pyarrow.parquet as pq

    encoding = _geo(file)["columns"]["geometry"]["encoding"]
    files = [file]
    for start, part in element.parts(ROWS):
        files.append(file.with_name(f"{start}.parquet"))
        part.attrs = {}
        part.to_parquet(files[-1], geometry_encoding="WKB" if encoding == "WKB" else "geoarrow")
    joined = file.with_name("joined.parquet")
    schema = pq.read_schema(file)
    metadata = {**schema.metadata, b"geo": _joined_geo(files), b"pandas": _joined_index(files)}
    with pq.ParquetWriter(joined, schema.with_metadata(metadata)) as writer:
        for each in files:
            writer.write_table(pq.ParquetFile(each).read(use_threads=False).replace_schema_metadata(metadata))
    for each in files[1:]:
        each.unlink()
    joined.replace(file)


def _metadata(file: Path, key: bytes) -> Any:
    import pyarrow.parquet as pq

    return json.loads(pq.read_schema(file).metadata[key])


def _geo(file: Path) -> Any:
    return _metadata(file, b"geo")


def _joined_geo(files: list[Path]) -> bytes:
    """What geopandas notes of the geometries: their kinds, and the box around all of them."""
    body, *others = map(_geo, files)
    column = body["columns"]["geometry"]
    for other in (other["columns"]["geometry"] for other in others):
        column["geometry_types"] = sorted({*column["geometry_types"], *other["geometry_types"]})
        ends = list(zip(column["bbox"], other["bbox"], strict=True))
        column["bbox"] = [*(min(pair) for pair in ends[:2]), *(max(pair) for pair in ends[2:])]
    return json.dumps(body).encode()


def _joined_index(files: list[Path]) -> bytes:
    """What pandas notes of the index: one that counts rows has no column."""
    body = _metadata(files[0], b"pandas")
    for index in body["index_columns"]:
        if isinstance(index, dict):
            index["stop"] = next(i["stop"] for i in _metadata(files[-1], b"pandas")["index_columns"])
    return json.dumps(body).encode()
