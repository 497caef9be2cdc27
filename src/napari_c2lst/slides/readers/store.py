"""SpatialData stores (zarr v2 and v3), ours or anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import OURS, SlideFacts

from .cells_aside import read_without_cells
from .hd_tables import with_squares
from .reading import Reading, Wanted, unreadable
from .zarr_chunks import missing_chunks

ROOT_FILES = ("zarr.json", ".zgroup", ".zattrs")


def is_store(path: Path) -> bool:
    """Whether a folder is, or is called, a zarr store."""
    return path.is_dir() and (path.suffix == ".zarr" or any((path / name).is_file() for name in ROOT_FILES))


def read_store(path: Path, wanted: Wanted) -> Reading:
    """Read a SpatialData store; images, polygons and tables of cells and values of predictions stay on disk.

    Raises
    ------
    InputError
        If the store is cut off, or not one of SpatialData.
    """
    if not any((path / name).is_file() for name in ROOT_FILES):
        raise InputError(f"the store '{path}' is cut off: it has no zarr.json", "copy it again")
    with unreadable(path):
        sdata = read_without_cells(path)
    if not sdata.images and wanted.image is None:
        raise InputError(f"the store '{path}' has no image", "pass --image FILE, or open another store")
    notes = _missing_pixels(path, sdata)
    facts = SlideFacts.of_attrs(sdata.attrs)
    known = f", {facts.kind}" if facts.kind else ""
    name = path.name.removesuffix(".zarr").removesuffix(".spatialdata")
    facts = facts.model_copy(update={"name": name, "kind": f"SpatialData store{known}"})
    return with_squares(Reading(sdata, facts, notes, is_zarr=True), wanted)


def _missing_pixels(path: Path, sdata: Any) -> tuple[str, ...]:
    """Notes on images of the user that lack chunks; an InputError for one without any."""
    notes = []
    for name in sdata.images:
        if name.startswith(OURS):
            continue
        with unreadable(path):
            missing, chunks = missing_chunks(path, name)
        if missing:
            text = f"{missing} of {chunks} chunks of image '{name}' are missing: they read as blank"
            notes.append(f"{text}; was the copy complete?")
    return tuple(notes)
