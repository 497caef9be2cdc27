"""Opening a store without its cells: a million polygons take seconds and gigabytes, and few who open a slide want them.

They stay where they are on disk; whoever wants them reads them from there (`read_cells`, `spatialdata.read_zarr`).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_c2lst.slides.facts import CELLS, CELLS_TABLE, PREDICTIONS

from .values_aside import read_without_values

_READ_WHOLE = ("shapes", "tables")  # the other kinds stay on disk whatever their size
_LAZY = ("images", "labels", "points")
_METADATA = ("zarr.json", ".zgroup", ".zattrs")

Names = Mapping[str, Sequence[str]]


def cells_in(store: Path) -> dict[str, list[str]]:
    """Names of the polygons (`shapes`) and tables (`tables`) of cells in a store, in the order of a listing."""
    endings = {"shapes": "", "tables": CELLS_TABLE}
    return {
        kind: [name for name in _elements(store, kind) if name.startswith(CELLS) and name.endswith(ending)]
        for kind, ending in endings.items()
    }


def cell_tables(store: Path) -> list[str]:
    """Names of the tables of cells in a store, sorted: a listing of one folder, for those who ask often."""
    return sorted(path.name for path in (store / "tables").glob(f"{CELLS}*{CELLS_TABLE}"))


def read_without_cells(store: Path) -> Any:
    """What `spatialdata.read_zarr` gives for a store, less polygons and tables of cells, and values of predictions.

    Parameters
    ----------
    store
        A SpatialData store, zarr v2 or v3.
    """
    from spatialdata import SpatialData, read_zarr

    hidden = cells_in(store)
    names = {kind: [n for n in _elements(store, kind) if n not in hidden[kind]] for kind in _READ_WHOLE}
    predictions = [name for name in names["tables"] if name.startswith(PREDICTIONS)]
    if not any(hidden.values()) and not predictions:
        return read_zarr(store)
    lazy = read_zarr(store, selection=_LAZY)
    with _view(store, {**names, "tables": [n for n in names["tables"] if n not in predictions]}) as view:
        # without links (Windows, some network drives), all is read: slower, and as right
        part = read_zarr(store if view is None else view, selection=_READ_WHOLE)
    whole = {kind: dict(getattr(part, kind)) for kind in _READ_WHOLE}
    whole["tables"] |= {name: read_without_values(store / "tables" / name) for name in predictions}
    return _joined(SpatialData, store, lazy, whole, names)


def read_cells(store: Path) -> dict[str, dict[str, Any]]:
    """The polygons (`shapes`) and tables (`tables`) of cells of a store, whole."""
    from spatialdata import read_zarr

    names = cells_in(store)
    if not any(names.values()):
        return {kind: {} for kind in _READ_WHOLE}
    with _view(store, names) as view:
        part = read_zarr(store if view is None else view, selection=_READ_WHOLE)
    return {kind: {name: getattr(part, kind)[name] for name in names[kind]} for kind in _READ_WHOLE}


def _joined(make: Any, store: Path, lazy: Any, whole: Mapping[str, Any], names: Names) -> Any:
    """One SpatialData of elements that were read in two turns, in the order of the store."""
    sdata = make(
        **{kind: dict(getattr(lazy, kind)) for kind in _LAZY},
        **{kind: {name: whole[kind][name] for name in names[kind]} for kind in _READ_WHOLE},
        attrs=lazy.attrs,
    )
    sdata.path = lazy.path
    return sdata


def _elements(store: Path, kind: str) -> list[str]:
    """Names of elements in the order in which `read_zarr` lists them; the first table is the one that is used."""
    import zarr

    if not (store / kind).is_dir():
        return []
    group: Any = zarr.open_group(store, mode="r")
    return [] if kind not in group else [name for name in group[kind] if not Path(name).name.startswith(".")]


@contextmanager
def _view(store: Path, names: Names) -> Iterator[Path | None]:
    """A folder that looks like the store, but has these elements alone; None where links cannot be made.

    Tables and polygons are in memory once they are read, so that the folder need not outlive the reading.
    """
    folder = Path(tempfile.mkdtemp(prefix="c2lst-view-"))
    try:
        yield folder if _link(store.absolute(), folder, names) else None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link(store: Path, folder: Path, names: Names) -> bool:
    try:
        _copy_metadata(store, folder)
        for kind, chosen in names.items():
            if not (store / kind).is_dir():
                continue
            (folder / kind).mkdir()
            _copy_metadata(store / kind, folder / kind)
            for name in chosen:
                os.symlink(store / kind / name, folder / kind / name, target_is_directory=True)
    except OSError:
        return False
    return True


def _copy_metadata(old: Path, new: Path) -> None:
    """What a group says of itself, but not what it says of the elements below it: some are left out."""
    for name in _METADATA:
        if not (old / name).is_file():
            continue
        body = json.loads((old / name).read_text())
        body.pop("consolidated_metadata", None)
        (new / name).write_text(json.dumps(body))
