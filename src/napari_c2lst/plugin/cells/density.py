"""Cells seen from far away: for each pixel the most frequent of the visible types, and how densely nuclei lie there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .styles import DENSITY, CellCodes

Counts = NDArray[np.uint8] | NDArray[np.uint16]
_MOST = 255
_FINE = 2


class Density:
    """Numbers of nuclei by type in the pixels of several levels, each half as fine as the one before.

    Parameters
    ----------
    yx
        (n, 2) places in pixels of the finest of these levels.
    kind
        (n,) type of each.
    types
        How many types there are.
    shapes
        Height and width of each level.
    nucleus_px2
        Median area of a nucleus in pixels of the finest of these levels.
    codes
        What is drawn.
    """

    def __init__(
        self,
        yx: NDArray[np.floating],
        kind: NDArray[np.uint8],
        types: int,
        shapes: list[tuple[int, int]],
        nucleus_px2: float,
        codes: CellCodes,
    ) -> None:
        self._codes = codes
        self._counts: list[Counts] = []
        self._steps: list[list[int]] = []
        counts = _counted(yx, kind, types, shapes[0]) if shapes else np.zeros((types, 0, 0), np.uint8)
        for i, shape in enumerate(shapes):
            if i:
                counts = _halved(counts, shape)
            sums = np.stack([_of_neighbours(each) for each in counts])
            # small numbers where there are many pixels
            self._counts.append(np.minimum(sums, _MOST).astype(np.uint8) if i < _FINE else sums)
            self._steps.append(_fewest(nucleus_px2 / 4**i))

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return sum(each.nbytes for each in self._counts)

    def render(
        self, level: int, rows: slice, columns: slice, visible: NDArray[np.bool_]
    ) -> NDArray[np.unsignedinteger]:
        """A part of a level.

        Parameters
        ----------
        level
            0 for the finest of these levels.
        visible
            (T,) which types are counted.
        """
        counts, dtype = self._counts[level][:, rows, columns], self._codes.dtype
        total = np.zeros(counts.shape[1:], np.uint16)
        most = np.zeros(counts.shape[1:], counts.dtype)
        picture = np.zeros(counts.shape[1:], dtype)
        for t in np.flatnonzero(visible):
            total += counts[t]
            np.copyto(picture, self._codes.density[t, 0].astype(dtype), where=counts[t] > most)
            np.maximum(most, counts[t], out=most)
        # the numbers of a type's steps follow each other; a table of steps would take three times as long
        for fewest in self._steps[level]:
            picture += total >= fewest
        return picture


def _counted(yx: NDArray[np.floating], kind: NDArray[np.uint8], types: int, shape: tuple[int, int]) -> Counts:
    """(T, height, width) numbers of nuclei, one type after the other: memory is bounded."""
    height, width = shape
    at = np.clip(yx, 0, np.array([height - 1, width - 1])).astype(np.int64)
    flat = at[:, 0] * width + at[:, 1]
    counts = np.empty((types, height, width), np.uint8)
    for t in range(types):
        each = np.bincount(flat[kind == t], minlength=height * width)
        counts[t] = np.minimum(each, _MOST).reshape(shape)
    return counts


def _halved(counts: Counts, shape: tuple[int, int]) -> Counts:
    """Sums of two by two pixels."""
    padded = np.zeros((len(counts), 2 * shape[0], 2 * shape[1]), np.uint16)
    padded[:, : counts.shape[1], : counts.shape[2]] = counts
    sums = padded[:, 0::2, 0::2] + padded[:, 1::2, 0::2] + padded[:, 0::2, 1::2] + padded[:, 1::2, 1::2]
    return sums.astype(np.uint16)


def _of_neighbours(counts: Counts) -> NDArray[np.uint16]:
    """Sums over three by three pixels: a single nucleus is not yet a density."""
    tall = np.zeros((counts.shape[0] + 2, counts.shape[1]), np.uint16)
    tall[1:-1] = counts
    rows = tall[:-2] + tall[1:-1] + tall[2:]
    wide = np.zeros((counts.shape[0], counts.shape[1] + 2), np.uint16)
    wide[:, 1:-1] = rows
    return wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]


def _fewest(nucleus_px2: float) -> list[int]:
    """How many nuclei in nine pixels it takes for each step of density after the first."""
    return [max(int(np.ceil(each * 9 / nucleus_px2)), 1) for each in DENSITY[1:]]
