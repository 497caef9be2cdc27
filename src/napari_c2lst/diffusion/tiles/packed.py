"""Packed tiles on disk: one memory-mapped `.npy` array, and a JSON file that says what its rows are.

`numpy.load(mmap_mode="r")` reads rows at the speed of the disk, shared by all processes of a machine.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError, first_line
from napari_c2lst.common.files import atomic_file
from napari_c2lst.common.seeds import rng
from napari_c2lst.slides.patches.cutting import PatchSpec

TILES, FACTS = "tiles.npy", "tiles.json"
VERSION = 1
_PACK_AGAIN = "remove both: they are packed again"
HEADER = 128  # bytes; numpy pads the header of any such array to this


@dataclass(frozen=True, eq=False)
class PackedTiles:
    """Tiles that are ready to learn from.

    Attributes
    ----------
    pixels
        (N, px, px, 3) uint8, memory-mapped.
    slides
        (N,) which slide each tile comes from, as an index into `names`.
    names
        The slides' names; kept in the run folder only, never with a model.
    spec
        Size, pixels and stain reference of the tiles.
    skipped
        What could not be used, each with its reason.
    duplicates
        Tiles that were there twice and are kept once.
    """

    pixels: NDArray[np.uint8]
    slides: NDArray[np.int32]
    names: tuple[str, ...]
    spec: PatchSpec
    skipped: tuple[str, ...] = ()
    duplicates: int = 0

    def __len__(self) -> int:
        """Number of tiles."""
        return len(self.pixels)

    def split(self, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows to learn from and rows held out: whole slides, at least `share` of the tiles; all of one slide never.

        With one slide alone, single tiles are held out: the caller says so.
        """
        rows = np.arange(len(self))
        if share <= 0:
            return rows, rows[:0]
        draw = rng(seed, "held out")
        count = int(np.ceil(share * len(self)))
        if len(self.names) < 2:
            held = np.zeros(len(self), bool)
            held[draw.permutation(len(self))[:count]] = True
            return rows[~held], rows[held]
        order = draw.permutation(len(self.names))
        sizes = np.bincount(self.slides, minlength=len(self.names))[order]
        last = min(int(np.searchsorted(np.cumsum(sizes), count)), len(order) - 2)
        held = np.isin(self.slides, order[: last + 1])
        return rows[~held], rows[held]


class TileWriter:
    """Appends tiles to a file whose length is not known beforehand."""

    def __init__(self, stream: IO[bytes], px: int, count: int = 0) -> None:
        """Begin a file, or go on with one that holds `count` tiles."""
        self._stream = stream
        self._px = px
        self.count = count
        self._stream.seek(0)
        self._stream.write(self._header(count))
        self._stream.seek(0, os.SEEK_END)

    def append(self, tiles: NDArray[np.uint8]) -> None:
        """Write (n, px, px, 3) more tiles."""
        self._stream.write(np.ascontiguousarray(tiles).tobytes())
        self.count += len(tiles)

    def close(self) -> None:
        """Write how many there are."""
        self._stream.seek(0)
        self._stream.write(self._header(self.count))

    def _header(self, count: int) -> bytes:
        from io import BytesIO

        buffer = BytesIO()
        shape = (count, self._px, self._px, 3)
        np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
        header = buffer.getvalue()
        assert len(header) == HEADER, "numpy has another idea of its header than it had"
        return header


@contextmanager
def tile_writer(folder: Path, px: int) -> Iterator[TileWriter]:
    """A writer of `tiles.npy`, which is there whole or not at all."""
    with atomic_file(folder / TILES) as temporary, temporary.open("wb") as stream:
        writer = TileWriter(stream, px)
        yield writer
        writer.close()


def write_facts(
    folder: Path, spec: PatchSpec, slides: Sequence[int], names: Sequence[str], skipped: Sequence[str], duplicates: int
) -> None:
    """Write `tiles.json`, the last of the two files: where it is, the tiles are whole."""
    body = {
        "version": VERSION,
        "spec": spec.model_dump(mode="json"),
        "names": list(names),
        "slides": runs(slides),
        "skipped": list(skipped),
        "duplicates": duplicates,
    }
    with atomic_file(folder / FACTS) as temporary:
        temporary.write_text(json.dumps(body, indent=1), encoding="utf-8")


def read_packed(folder: Path) -> PackedTiles | None:
    """The packed tiles of a folder; None when they are not there, or not whole.

    Raises
    ------
    InputError
        If they were written by a later version, are damaged, or array and facts do not belong together.
    """
    if not (folder / FACTS).exists() or not (folder / TILES).exists():
        return None
    try:
        body: dict[str, Any] = dict(json.loads((folder / FACTS).read_text(encoding="utf-8")))
        if body.get("version") != VERSION:
            raise InputError(f"'{folder / FACTS}' has version {body.get('version')}", "update napari-c2lst")
        pixels = np.load(folder / TILES, mmap_mode="r")
        index, counts = np.array(body["slides"], dtype=np.int32).reshape(-1, 2).T
        slides = index.repeat(counts)
        spec = PatchSpec.model_validate(body["spec"])
        names, skipped, duplicates = tuple(body["names"]), tuple(body["skipped"]), int(body["duplicates"])
    except (EOFError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the tiles '{folder / TILES}' and '{FACTS}' are damaged: {first_line(error)}", _PACK_AGAIN
        ) from error
    if len(pixels) != len(slides):
        raise InputError(f"'{folder / TILES}' holds {len(pixels)} tiles, '{FACTS}' tells of {len(slides)}", _PACK_AGAIN)
    return PackedTiles(pixels, slides, names, spec, skipped, duplicates)


def runs(values: Sequence[int]) -> list[tuple[int, int]]:
    """[0, 0, 1] as [(0, 2), (1, 1)]."""
    array = np.asarray(values, dtype=np.int64)
    if len(array) == 0:
        return []
    starts = np.flatnonzero(np.r_[True, array[1:] != array[:-1]])
    lengths = np.diff(np.r_[starts, len(array)])
    return [(int(array[start]), int(length)) for start, length in zip(starts, lengths, strict=True)]
