"""Tiles that are being packed: they outlive a stop or a kill, and packing goes on after the last whole part."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.files import atomic_file, disk_errors

from .packed import HEADER, TILES, TileWriter

PART, NOTES = ".tiles.npy.part", ".tiles.json.part"
_BATCH = 1024


class UnfinishedTiles:
    """A file of tiles that grows, and beside it what is known up to the last whole part.

    Parameters
    ----------
    folder
        Where the tiles go.
    px
        Side of a tile in pixels.
    basis
        What the tiles depend on, JSON-able: tiles of another basis are thrown away.

    Attributes
    ----------
    notes
        What `keep` was given last; empty when packing begins.
    """

    def __init__(self, folder: Path, px: int, basis: Mapping[str, Any]) -> None:
        self.folder, self._px = folder, px
        self._basis = json.loads(json.dumps(dict(basis)))
        folder.mkdir(parents=True, exist_ok=True)
        kept = self._kept()
        self.notes: dict[str, Any] = {} if kept is None else kept["notes"]
        count = 0 if kept is None else int(kept["count"])
        with disk_errors(folder):
            self._stream: BufferedRandom = (folder / PART).open("r+b" if count else "w+b")
            # what was written after the last whole part is written again
            self._stream.truncate(HEADER + count * self._bytes if count else 0)
            self._writer = TileWriter(self._stream, px, count)

    @property
    def count(self) -> int:
        """Tiles there are."""
        return self._writer.count

    @property
    def _bytes(self) -> int:
        return self._px**2 * 3

    def tiles(self) -> Iterator[NDArray[np.uint8]]:
        """All tiles there are, some at a time."""
        for start in range(0, self.count, _BATCH):
            n = min(_BATCH, self.count - start)
            self._stream.seek(HEADER + start * self._bytes)
            yield np.frombuffer(self._stream.read(n * self._bytes), np.uint8).reshape(n, self._px, self._px, 3)
        self._stream.seek(0, os.SEEK_END)

    def append(self, tiles: NDArray[np.uint8]) -> None:
        """Add (n, px, px, 3) tiles."""
        self._writer.append(tiles)

    def keep(self, notes: Mapping[str, Any]) -> None:
        """Note that the tiles up to here are a whole part; a run that is killed goes on from here."""
        with disk_errors(self.folder):
            self._stream.flush()
            os.fsync(self._stream.fileno())
        body = {"basis": self._basis, "count": self.count, "notes": dict(notes)}
        with atomic_file(self.folder / NOTES) as file:
            file.write_text(json.dumps(body), encoding="utf-8")

    def whole(self) -> Path:
        """Complete the file and close it; where it is."""
        with disk_errors(self.folder):
            self._writer.close()
            self._stream.flush()
            os.fsync(self._stream.fileno())
        self.close()
        return self.folder / PART

    def close(self) -> None:
        """Close the file; what was kept stays."""
        self._stream.close()

    def discard(self) -> None:
        """Close and remove everything."""
        self.close()
        for name in (PART, NOTES):
            (self.folder / name).unlink(missing_ok=True)

    def _kept(self) -> dict[str, Any] | None:
        try:
            body: dict[str, Any] = json.loads((self.folder / NOTES).read_text(encoding="utf-8"))
            size = (self.folder / PART).stat().st_size
            fits = size >= HEADER + int(body["count"]) * self._bytes
            usable = fits and body["basis"] == self._basis and isinstance(body["notes"], dict)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return body if usable else None


@contextmanager
def unfinished_tiles(folder: Path, px: int, basis: Mapping[str, Any]) -> Iterator[UnfinishedTiles]:
    """Tiles to be packed; after an error nothing is left of them, after a stop what was kept."""
    from napari_c2lst.common.errors import Stopped

    unfinished = UnfinishedTiles(folder, px, basis)
    try:
        with disk_errors(folder / TILES):
            yield unfinished
    except (Stopped, KeyboardInterrupt):
        unfinished.close()
        raise
    except BaseException:
        unfinished.discard()
        raise
    unfinished.close()
