"""Which chunks of the images of a zarr store (v2 or v3) are on disk, by listing folders; no chunk is opened."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

from napari_c2lst.common.errors import InputError

_METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")


def missing_chunks(store: Path, name: str) -> tuple[int, int]:
    """How many chunks of the finest level of an image are not on disk, and how many it has.

    Zarr leaves out chunks that are blank all over, so a complete store may lack some; they read as blank.

    Raises
    ------
    InputError
        If the image has no pixels on disk at its finest level, or empty files in place of chunks.
    """
    expected, found = 0, 0
    largest = -1.0
    for array in _arrays(store / "images" / name):
        files, empty = 0, None
        for entry in _files(array):
            files += 1
            if empty is None and entry.stat().st_size == 0:
                empty = Path(entry.path).relative_to(store)
        if empty is not None:
            raise _cut_off(store, name, f"has empty chunks, first '{empty}'")
        pixels, chunks = _size(array)
        if pixels > largest:
            largest, expected, found = pixels, chunks, files
    if not found:
        raise _cut_off(store, name, "has no pixels")
    return max(expected - found, 0), expected


def _cut_off(store: Path, name: str, fault: str) -> InputError:
    return InputError(f"the store '{store}' is cut off: image '{name}' {fault}", "copy it again")


def _arrays(group: Path) -> Iterator[Path]:
    """Folders of the arrays of an image: its levels."""
    for folder in sorted(group.iterdir()):
        if folder.is_dir():
            if _metadata(folder).get("shape"):
                yield folder
            else:
                yield from _arrays(folder)


def _metadata(array: Path) -> dict[str, object]:
    """What the store says of an array; empty for what is none."""
    for name in ("zarr.json", ".zarray"):
        if (array / name).is_file():
            body: dict[str, object] = json.loads((array / name).read_text())
            return body
    return {}


def _size(array: Path) -> tuple[float, int]:
    """Number of pixels of an array, and of the files its chunks make."""
    body = _metadata(array)
    shape = body["shape"]
    chunks = body.get("chunks") or body["chunk_grid"]["configuration"]["chunk_shape"]  # type: ignore[index]
    assert isinstance(shape, list)
    assert isinstance(chunks, list)
    pairs = list(zip(shape, chunks, strict=True))
    return math.prod(shape), math.prod(-(-side // chunk) for side, chunk in pairs)


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Chunks below a folder; each folder is listed once."""
    folders: list[str | Path] = [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                elif entry.name not in _METADATA:
                    yield entry
