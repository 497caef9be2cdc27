"""Nuclei as a store keeps them, read column by column: neither tables nor polygons are loaded whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.cells.facts import UNTYPED, CellFacts
from napari_c2lst.common.errors import InputError, first_line
from napari_c2lst.slides.facts import CELLS, CELLS_TABLE, COMPOSITION

_AT_ONCE = 20_000
_BUFFER = 2**20
_HEADER = 13
_HINT = "run 'cells' on the slide again"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class CellResult:
    """One result of `cells` in a store.

    Attributes
    ----------
    store
        The store.
    name
        What it is called there, without the prefix.
    facts
        Of the weights: types, their colours, licence.
    written
        When its polygons were written, in nanoseconds: a result that was made anew is another one.
    """

    store: Path
    name: str
    facts: CellFacts = field(compare=False)
    written: int = 0

    @property
    def region(self) -> str:
        """Name of the polygons in the store."""
        return CELLS + self.name


@dataclass(frozen=True, eq=False)
class CellColumns:
    """What is known of n nuclei without their outlines.

    Attributes
    ----------
    yx
        (n, 2) float32 centroids in level-0 pixels.
    kind
        (n,) uint8 index into `types`.
    types
        Names of the types; "untyped" last, where there are such nuclei.
    prob, area_um2
        (n,) probability of the type, and area.
    """

    yx: Floats
    kind: NDArray[np.uint8]
    types: tuple[str, ...]
    prob: Floats
    area_um2: Floats

    def __len__(self) -> int:
        """Number of nuclei."""
        return len(self.kind)


def list_results(store: Path | None) -> tuple[list[CellResult], list[str]]:
    """The results of `cells` in a store, the newest first, and in words what cannot be used.

    Parameters
    ----------
    store
        A SpatialData store; None has none.
    """
    found: list[CellResult] = []
    problems: list[str] = []
    for table in _tables(store):
        if not (table.startswith(CELLS) and table.endswith(CELLS_TABLE)):
            continue
        assert store is not None
        name = table.removeprefix(CELLS).removesuffix(CELLS_TABLE)
        try:
            written = _outline_file(store, CELLS + name).stat().st_mtime_ns
            found.append(CellResult(store, name, _facts(store, table), written))
        except (KeyError, ValueError, OSError, TypeError) as error:
            problems.append(f"the cells '{name}' are damaged: {first_line(error)}")
    return sorted(found, key=lambda each: -each.written), problems


def read_columns(result: CellResult) -> CellColumns:
    """Places, types, probabilities and areas.

    Raises
    ------
    InputError
        If the table is damaged.
    """
    from anndata.io import read_elem

    try:
        obs = _group(result.store)[f"tables/{result.region}{CELLS_TABLE}/obs"]
        codes = np.asarray(obs["type/codes"])
        names = tuple(str(name) for name in read_elem(obs["type/categories"]))
        yx = np.stack([np.asarray(obs["y"]), np.asarray(obs["x"])], axis=1).astype(np.float32)
        prob, area = (np.asarray(obs[column], dtype=np.float32) for column in ("type_prob", "area_um2"))
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"the cells '{result.name}' cannot be read: {first_line(error)}", _HINT) from error
    fit = len({len(codes), len(yx), len(prob), len(area)}) == 1 and np.isfinite(yx).all() and np.isfinite(area).all()
    if not fit or len(codes) == 0 or codes.min() < 0 or codes.max() >= len(names):
        raise InputError(f"the cells '{result.name}' are damaged: their columns do not fit together", _HINT)
    unused_last = names[-1] == UNTYPED and not (codes == len(names) - 1).any()
    return CellColumns(yx, codes.astype(np.uint8), names[:-1] if unused_last else names, prob, area)


def read_outlines(result: CellResult) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Outlines in the order of the table, some ten thousand at a time.

    Yields
    ------
    corners (m, 2) as (x, y) in level-0 pixels, one outline after the other, and how many each of them has.

    Raises
    ------
    InputError
        If the polygons are damaged.
    """
    import pyarrow.parquet as pq
    import shapely

    file = _outline_file(result.store, result.region)
    try:
        # a store may hold all polygons in one group: it is streamed, not read whole
        with pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER) as parquet:
            for batch in parquet.iter_batches(_AT_ONCE, columns=["geometry"]):
                yield _plain_polygons(batch.column(0)) or _any_polygons(batch.column(0))
    except (OSError, ValueError, KeyError, shapely.errors.ShapelyError) as error:
        raise InputError(
            f"the outlines of the cells '{result.name}' cannot be read: {first_line(error)}", _HINT
        ) from error


def _plain_polygons(column: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """Corners of polygons without holes, straight from their bytes (WKB, little-endian); None for anything else.

    Each is a byte for the order, numbers of four bytes for kind, rings and corners, then the corners.
    """
    begin = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(column.buffers()[2], np.uint8)[begin[0] : begin[-1]]
    start, size = (begin[:-1] - begin[0]).astype(np.int64), np.diff(begin).astype(np.int64)
    if column.null_count or len(size) == 0 or (size < _HEADER).any():
        return None
    header = data[start[:, None] + np.arange(_HEADER)]
    numbers = np.ascontiguousarray(header[:, 1:]).view("<u4")
    corners = numbers[:, 2].astype(np.int64)
    if not ((header[:, 0] == 1).all() and (numbers[:, :2] == (3, 1)).all() and (size == _HEADER + 16 * corners).all()):
        return None
    kept = np.ones(len(data), bool)
    kept[(start[:, None] + np.arange(_HEADER)).ravel()] = False
    kept[((start + size)[:, None] - np.arange(1, 17)).ravel()] = False  # the last corner is the first again
    return data[kept].view("<f8").reshape(-1, 2), corners - 1


def _any_polygons(column: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Corners of the outer rings of polygons."""
    import shapely

    rings = shapely.get_exterior_ring(shapely.from_wkb(column.to_numpy(zero_copy_only=False)))
    if shapely.is_missing(rings).any():
        raise ValueError("a nucleus is no single polygon")
    length = shapely.get_num_points(rings).astype(np.int64) - 1
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    return corners[~np.append(ring[1:] != ring[:-1], True)], length


def read_composition(result: CellResult) -> tuple[NDArray[np.str_], NDArray[np.float32]] | None:
    """Ids of the spots, (N,), and how many nuclei of each type lie in each, (N, T); None where that was not counted.

    Raises
    ------
    InputError
        If the table is damaged.
    """
    from anndata.io import read_elem

    if COMPOSITION + result.name not in _tables(result.store):
        return None
    try:
        group, name = _group(result.store), f"tables/{COMPOSITION}{result.name}"
        ids = np.asarray(read_elem(group[f"{name}/obs"]).index, dtype=str)
        counts = np.asarray(read_elem(group[f"{name}/X"]), dtype=np.float32)
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise InputError(
            f"the composition of spots '{result.name}' cannot be read: {first_line(error)}", _HINT
        ) from error
    if not np.isfinite(counts).all() or counts.min(initial=0) < 0:
        raise InputError(f"the composition of spots '{result.name}' is damaged: it has numbers that cannot be", _HINT)
    if counts.shape != (len(ids), len(result.facts.type_names)):
        raise InputError(
            f"the composition of spots '{result.name}' is damaged: its types are not those of the cells", _HINT
        )
    return ids, counts


def _group(store: Path) -> Any:
    import zarr

    return zarr.open_group(store, mode="r", use_consolidated=False)


def _outline_file(store: Path, region: str) -> Path:
    return store / "shapes" / region / "shapes.parquet"


def _tables(store: Path | None) -> list[str]:
    folder = None if store is None else store / "tables"
    if folder is None or not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if each.is_dir())


def _facts(store: Path, table: str) -> CellFacts:
    from anndata.io import read_elem

    said = read_elem(_group(store)[f"tables/{table}/uns/c2lst/weights"])
    return CellFacts.model_validate(json.loads(str(said)))
