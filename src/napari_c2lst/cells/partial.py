"""What is found outlives a stop or a kill: one file a group in a hidden folder, gone once the result is there."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.files import atomic_file

from .found import Found, joined, load_found, load_note

_LAYOUT = 2  # of a group's file; those of another one are thrown away
Fault = tuple[int, str]  # a tile, and why it could not be read


class Partial:
    """Groups of tiles or patches that are done.

    Parameters
    ----------
    folder
        Where they are kept until the result is written.
    basis
        What they depend on (weights, tiling, number format, ...), JSON-able; those of another basis are thrown away.
    groups
        How many groups there are.
    resume
        Whether groups that are there already are used.
    """

    def __init__(self, folder: Path, basis: Mapping[str, Any], groups: int, *, resume: bool) -> None:
        self.folder, self.groups = folder, groups
        if not (resume and _basis(folder) == dict(basis)):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            with atomic_file(folder / "basis.json") as file:
                file.write_text(json.dumps(dict(basis)))
        self._done = {int(p.stem) for p in folder.glob("*.npz") if not p.name.startswith(".")}

    @property
    def todo(self) -> list[int]:
        """Groups that are not there yet."""
        return [group for group in range(self.groups) if group not in self._done]

    def discard(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, group: int) -> Path:
        return self.folder / f"{group:07d}.npz"


class PartialCells(Partial):
    """Nuclei of groups of tiles, and the tiles that could not be read.

    A group is one file, nuclei and faults together: whenever a kill comes, both are those of the same moment.
    """

    def __init__(self, folder: Path, basis: Mapping[str, Any], groups: int, *, resume: bool) -> None:
        super().__init__(folder, {**basis, "layout": _LAYOUT}, groups, resume=resume)
        self._bad = {group: faults for group in sorted(self._done) if (faults := self._faults(group))}

    @property
    def bad_groups(self) -> dict[int, NDArray[np.int64]]:
        """Tiles that could not be read, of each group that has such."""
        return {group: np.array([tile for tile, _ in faults], np.int64) for group, faults in self._bad.items()}

    def write(self, group: int, found: Found, bad: Sequence[Fault] = ()) -> None:
        """Keep the nuclei of a group; once this returns, no kill loses them."""
        found.save(self._file(group), json.dumps(list(bad)))
        self._done.add(group)
        self._bad.pop(group, None)
        if bad:
            self._bad[group] = list(bad)

    def mend(self, group: int, found: Found, bad: Sequence[Fault] = ()) -> None:
        """Keep what a second try at the bad tiles of a group gave; what was found on its other tiles stays.

        Parameters
        ----------
        found, bad
            Of those tiles alone.
        """
        kept = load_found(self._file(group))  # holds none of those tiles: they could not be read
        self.write(group, joined([kept, found]).in_tiles(), bad)

    def read(self) -> Found:
        """The nuclei of all groups."""
        return joined([load_found(self._file(group)) for group in sorted(self._done)])

    def bad(self) -> list[Fault]:
        """All tiles that could not be read."""
        return [fault for group in sorted(self._bad) for fault in self._bad[group]]

    def _faults(self, group: int) -> list[Fault]:
        return [(int(tile), str(why)) for tile, why in json.loads(load_note(self._file(group)))]


class PartialCounts(Partial):
    """Numbers of nuclei in groups of patches."""

    def write(self, group: int, counts: NDArray[np.int64]) -> None:
        """Keep the (n, T) numbers of a group; once this returns, no kill loses them."""
        with atomic_file(self._file(group)) as temporary, temporary.open("wb") as opened:
            np.savez(opened, counts=counts)
        self._done.add(group)

    def read(self) -> NDArray[np.int64]:
        """The numbers of all groups, one below the other."""
        parts = []
        for group in sorted(self._done):
            with np.load(self._file(group), allow_pickle=False) as arrays:
                parts.append(arrays["counts"])
        return np.concatenate(parts)


def _basis(folder: Path) -> Any:
    try:
        return json.loads((folder / "basis.json").read_text())
    except (OSError, ValueError):
        return None
