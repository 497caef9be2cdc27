"""Predicted rows that outlive a stop or a kill: a hidden folder beside the store, gone once the result is written."""

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.files import atomic_file

from .rows import RowsOnDisk

_SECONDS_BETWEEN = 30.0  # what a kill loses at most


class PartialRows:
    """Rows that are predicted bit by bit, and which of them are there.

    Parameters
    ----------
    folder
        Where they are kept until the result is written.
    basis
        What they depend on (predictor, positions, ...), JSON-able; rows of another basis are thrown away.
    shape
        (N, d).
    spread
        Whether each row has a second one, its spread.
    resume
        Whether rows that are there already are used.

    Attributes
    ----------
    mean, spread
        The rows; `spread` is None where there is none.
    """

    def __init__(
        self, folder: Path, basis: Mapping[str, Any], shape: tuple[int, int], *, spread: bool, resume: bool
    ) -> None:
        self.folder = folder
        self._files = ExitStack()
        done = _done(folder, basis, shape[0]) if resume else None
        if done is None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        self._done = np.zeros(shape[0], bool) if done is None else done
        self._basis = dict(basis)
        self._kept = time.monotonic()
        try:
            self.mean = self._rows("mean", shape)
            self.spread = self._rows("spread", shape) if spread else None
        except BaseException:
            self.discard()
            raise

    def _rows(self, name: str, shape: tuple[int, int]) -> RowsOnDisk:
        return self._files.enter_context(RowsOnDisk(self.folder.parent, shape, self.folder / f"{name}.f32"))

    @property
    def todo(self) -> NDArray[np.int64]:
        """The rows that are not there yet."""
        return np.flatnonzero(~self._done)

    def write(
        self, index: NDArray[np.int64], mean: NDArray[np.float32], spread: NDArray[np.float32] | None = None
    ) -> None:
        """Write rows `index` (n,); from time to time what is there is kept for a run that is killed."""
        self.mean.write(index, mean)
        if self.spread is not None and spread is not None:
            self.spread.write(index, spread)
        self._done[index] = True
        if time.monotonic() - self._kept > _SECONDS_BETWEEN:
            self.keep()

    def keep(self) -> None:
        """Note which rows are there, after they are on the disk."""
        for rows in (self.mean, self.spread):
            if rows is not None:
                rows.flush()
        with atomic_file(self.folder / "done.npy") as file, file.open("wb") as open_file:
            np.save(open_file, self._done, allow_pickle=False)
        with atomic_file(self.folder / "basis.json") as file:
            file.write_text(json.dumps(self._basis))
        self._kept = time.monotonic()

    def close(self) -> None:
        """Close the files; what was kept stays."""
        self._files.close()

    def discard(self) -> None:
        """Close and remove everything."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _done(folder: Path, basis: Mapping[str, Any], n: int) -> NDArray[np.bool_] | None:
    """Which rows of that basis are there; None if there are none that can be used."""
    try:
        if json.loads((folder / "basis.json").read_text()) != dict(basis):
            return None
        done: NDArray[np.bool_] = np.load(folder / "done.npy", allow_pickle=False)
    except (OSError, ValueError):
        return None
    return done if done.shape == (n,) and done.dtype == bool else None
