"""Nuclei of tiles as plain arrays: what travels from workers, lies on disk, and is joined at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.files import atomic_file

from .postprocess import Nuclei


@dataclass(frozen=True, eq=False)
class Found:
    """Nuclei, n of them, on the lattice of network pixels of the whole slide.

    Attributes
    ----------
    tile
        (n,) the tile each was found in.
    own
        (n,) whether its centroid lies in the part that tile answers for; else just beside it.
    rim
        (n,) whether it reaches that part's border, so that another tile may have found it too.
    type, type_prob, area
        (n,) as in `Nuclei`.
    centroid
        (n, 2) float64 (x, y).
    corners
        (m, 2) int32 (x, y) of all outlines, one after the other.
    length
        (n,) corners of each outline.
    """

    tile: NDArray[np.int64]
    own: NDArray[np.bool_]
    rim: NDArray[np.bool_]
    type: NDArray[np.uint8]
    type_prob: NDArray[np.float32]
    area: NDArray[np.int32]
    centroid: NDArray[np.float64]
    corners: NDArray[np.int32]
    length: NDArray[np.int32]

    def __len__(self) -> int:
        """Number of nuclei."""
        return len(self.tile)

    @classmethod
    def none(cls) -> "Found":
        """No nuclei."""
        whole, number = np.zeros(0, np.int64), np.zeros(0)
        return cls.of(Nuclei(whole, whole, number, np.zeros((0, 2)), whole, []), 0, (0, 0), 1)

    @classmethod
    def of(cls, nuclei: Nuclei, tile: int, origin: tuple[int, int], core: int, reach: int = 3) -> "Found":
        """Nuclei of one tile that it answers for, or nearly so.

        Parameters
        ----------
        nuclei
            In pixels of the tile's core: (0, 0) is its corner.
        origin
            Top and left of that core on the slide.
        core
            Its side.
        reach
            Those so many pixels beside it are kept too: seen from two tiles a centroid may differ a little, and would
            else be left out by both.
        """
        centre = nuclei.centroid + 0.5  # the centroid is in pixel centres
        near = np.all((centre >= -reach) & (centre < core + reach), axis=1)
        nuclei, centre = nuclei.keep(near), centre[near]
        bounds = np.array([[*c.min(axis=0), *c.max(axis=0)] for c in nuclei.contours]).reshape(-1, 4)
        corner = np.array(origin[::-1])
        return cls(
            tile=np.full(len(nuclei), tile, np.int64),
            own=np.all((centre >= 0) & (centre < core), axis=1),
            rim=np.any(bounds[:, :2] < reach, axis=1) | np.any(bounds[:, 2:] >= core - reach, axis=1),
            type=nuclei.type.astype(np.uint8),
            type_prob=nuclei.type_prob.astype(np.float32),
            area=nuclei.area.astype(np.int32),
            centroid=nuclei.centroid + corner,
            corners=(np.concatenate([np.zeros((0, 2), np.int32), *nuclei.contours]) + corner).astype(np.int32),
            length=np.array([len(c) for c in nuclei.contours], np.int32),
        )

    def keep(self, chosen: NDArray[np.bool_]) -> "Found":
        """Those where `chosen` (n,) is True."""
        return self.take(np.flatnonzero(chosen))

    def take(self, rows: NDArray[np.int64]) -> "Found":
        """Some of them, in the order of `rows`."""
        start = np.cumsum(self.length) - self.length
        length = self.length[rows]
        inner = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
        corners = self.corners[np.repeat(start[rows], length) + inner]
        single = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in ("corners", "length")}
        return Found(**single, corners=corners, length=length)

    def part(self, start: int, stop: int) -> "Found":
        """Those from `start` to `stop`, without a copy."""
        first, last = (int(self.length[:row].sum(dtype=np.int64)) for row in (start, stop))
        single = {f.name: getattr(self, f.name)[start:stop] for f in fields(self) if f.name != "corners"}
        return Found(**single, corners=self.corners[first:last])

    def renamed(self, number: NDArray[np.int64]) -> "Found":
        """With other numbers of the tiles: tile i becomes `number[i]`."""
        return replace(self, tile=number[self.tile])

    def outlines(self) -> list[NDArray[np.int32]]:
        """The outline of each nucleus."""
        return np.split(self.corners, np.cumsum(self.length)[:-1]) if len(self) else []

    def in_tiles(self) -> "Found":
        """In the order of their tiles; those of one tile keep theirs."""
        return self.take(np.argsort(self.tile, kind="stable"))

    def save(self, file: Path, note: str = "") -> None:
        """Write them, whole or not at all, and a note with them."""
        with atomic_file(file) as temporary, temporary.open("wb") as opened:
            arrays: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
            np.savez(opened, note=np.array(note), **arrays)


def load_found(file: Path) -> Found:
    """Read what `Found.save` wrote."""
    with np.load(file, allow_pickle=False) as arrays:
        return Found(**{f.name: arrays[f.name] for f in fields(Found)})


def load_note(file: Path) -> str:
    """The note of `Found.save`, without the nuclei."""
    with np.load(file, allow_pickle=False) as arrays:
        return str(arrays["note"])


def joined(parts: Sequence[Found]) -> Found:
    """All of them, one after the other."""
    parts = parts or [Found.none()]
    return Found(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Found)})
