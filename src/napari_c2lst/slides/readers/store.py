"""SpatialData stores (zarr v2 and v3), ours or anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import OURS, SlideFacts

from .hd_tables import with_squares
from .reading import Reading, Wanted, unreadable

ROOT_FILES = ("zarr.json", ".zgroup", ".zattrs")


def is_store(path: Path) -> bool:
    """Whether a folder is, or is called, a zarr store."""
    return path.is_dir() and (path.suffix == ".zarr" or any((path / name).is_file() for name in ROOT_FILES))


def read_store(path: Path, wanted: Wanted) -> Reading:
    """Read a SpatialData store; images stay on disk.

    Raises
    ------
    InputError
        If the store is cut off, or not one of SpatialData.
    """
    from spatialdata import read_zarr

    if not any((path / name).is_file() for name in ROOT_FILES):
        raise InputError(f"the store '{path}' is cut off: it has no zarr.json", "copy it again")
    with unreadable(path):
        sdata = read_zarr(path)
    if not sdata.images and wanted.image is None:
        raise InputError(f"the store '{path}' has no image", "pass --image FILE, or open another store")
    _refuse_cut_off(path, sdata)
    facts = SlideFacts.of_attrs(sdata.attrs)
    known = f", {facts.kind}" if facts.kind else ""
    name = path.name.removesuffix(".zarr").removesuffix(".spatialdata")
    facts = facts.model_copy(update={"name": name, "kind": f"SpatialData store{known}"})
    return with_squares(Reading(sdata, facts, is_zarr=True), wanted)


def _refuse_cut_off(path: Path, sdata: Any) -> None:
    """Raise an InputError if an image has no pixels on disk, or empty chunks; missing chunks alone mean background."""
    for name in sdata.images:
        if name.startswith(OURS):
            continue
        files = [p for p in (path / "images" / name).rglob("*") if p.is_file() and not _is_metadata(p)]
        empty = [p for p in files if p.stat().st_size == 0]
        if not files or empty:
            fault = (
                "has no pixels" if not files else f"has {len(empty)} empty chunks, first '{empty[0].relative_to(path)}'"
            )
            raise InputError(f"the store '{path}' is cut off: image '{name}' {fault}", "copy it again")


def _is_metadata(path: Path) -> bool:
    return path.name in ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
