"""Outlines of a million nuclei in little memory: corners as small numbers around each nucleus's centroid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

from .stored import CellResult, read_outlines

_PER_PX = 16  # steps in a level-0 pixel
_FURTHEST = 32_767 // _PER_PX


class Outlines:
    """Outlines of n nuclei.

    Parameters
    ----------
    corners
        (m, 2) int16 (y, x) from the centroid, in sixteenths of a level-0 pixel.
    length
        (n,) corners of each.
    """

    def __init__(self, corners: NDArray[np.int16], length: NDArray[np.int64]) -> None:
        self._corners = corners
        self._length = length.astype(np.int32)
        self._start = np.cumsum(length) - length

    @property
    def nbytes(self) -> int:
        """Memory they take."""
        return self._corners.nbytes + self._length.nbytes + self._start.nbytes

    def of(self, cells: NDArray[np.integer], yx: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Corners (m, 2) as (y, x) in level-0 pixels of some nuclei, and how many each of them has.

        Parameters
        ----------
        cells
            Which.
        yx
            Their centroids.
        """
        length = self._length[cells].astype(np.int64)
        first = self._start[cells] - (np.cumsum(length) - length)
        rows = np.repeat(first, length) + np.arange(length.sum())
        return self._corners[rows] / _PER_PX + np.repeat(yx, length, axis=0), length


def load_outlines(result: CellResult, yx: NDArray[np.float32]) -> Outlines:
    """Read them; some ten thousand polygons are in memory at a time.

    Parameters
    ----------
    yx
        (n, 2) centroids in level-0 pixels, in the order of the store.

    Raises
    ------
    InputError
        If they are damaged, or there are more or fewer than centroids.
    """
    parts, lengths, done = [], [], 0
    for corners, length in read_outlines(result):
        centre = yx[done : done + len(length)]
        if len(centre) < len(length):
            raise _misfit(result)
        offset = (corners[:, ::-1] - np.repeat(centre, length, axis=0)).clip(-_FURTHEST, _FURTHEST)
        parts.append(np.rint(offset * _PER_PX).astype(np.int16))
        lengths.append(length)
        done += len(length)
    if done != len(yx):
        raise _misfit(result)
    return Outlines(
        np.concatenate([np.zeros((0, 2), np.int16), *parts]), np.concatenate([np.zeros(0, np.int64), *lengths])
    )


def _misfit(result: CellResult) -> InputError:
    return InputError(
        f"the outlines of the cells '{result.name}' do not belong to their table", "run 'cells' on the slide again"
    )
