"""Antialiased resampling of many squares at once.

Resampling along one axis is a banded matrix: an output pixel looks at a few neighbouring source pixels. Cut into blocks
of output pixels, each with the window of source pixels it needs, it becomes small dense products, which BLAS computes
for many squares in one call, without holding the interpreter's lock. The filter and its weights are those of Pillow's
`resize`; results differ by rounding only. Pillow itself does what is rare: very large patches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

PHASES = 4096  # parts of a pixel in which a square's place is given
# ... and those for which weights are kept: a place is rounded by 1/512 of a pixel, which changes a patch by half a grey
# level where black meets white, and by less than can be seen anywhere.
_KEPT = 256
_BLOCK = 16  # output pixels of one product
_LARGEST = 512  # side of the largest patch, in pixels, whose weights are worth keeping
_WORKING_BYTES = 2_000_000  # of what is at work at a time, so that it stays in the processor's cache


def as_it_is(side: float, px: int) -> bool:
    """Whether squares have the pixels of a patch already (within half a pixel over the whole side).

    These are cut out at whole pixels and not filtered: shifting them by a part of a pixel would blur them, each by
    another amount, and half a pixel is less than is known of where a spot lies.
    """
    return abs(side - px) <= 0.5


def reach_of(side: float, px: int) -> int:
    """Whole source pixels the filter looks at beyond a square: two when enlarging, those of a target pixel if not."""
    if as_it_is(side, px):
        return 0
    return 2 if side < px else int(np.ceil(side / px))


def resample(squares: Sequence[Pixels], phases: NDArray[np.int64], side: float, px: int) -> Pixels:
    """Resample squares with a filter as wide as the reduction needs, so that nothing aliases.

    The filter is a Hamming-windowed sinc when a square is made smaller, bicubic when it is made larger; squares that
    have the patch's pixels already are left `as_it_is`.

    Parameters
    ----------
    squares
        N arrays (3, h, w): each a square and, on every side, the `reach_of` pixels that the filter looks at.
    phases
        (N, 2) parts of a pixel, in units of 1 / PHASES, by which each square begins later along y and x.
    side
        Exact side of the squares in source pixels.
    px
        Pixels of a patch's side.

    Returns
    -------
    (N, px, px, 3) uint8.
    """
    if as_it_is(side, px):
        return _copied(squares, px)
    if px > _LARGEST:
        return _with_pillow(squares, phases, side, px)
    return _filter(side, px).resample(squares, phases)


@dataclass(frozen=True, eq=False)
class Filter:
    """Weights that take squares of `side` source pixels to `px` pixels along one axis.

    Attributes
    ----------
    side, px
        Side of the squares in source pixels (exact) and in output pixels.
    size
        Source pixels that are held of a square: its own and those the filter reaches.
    starts
        First source pixel that each block of output pixels needs.
    weights
        (phase, block, source pixel from its start, output pixel in the block) float32.
    """

    side: float
    px: int
    size: int
    starts: tuple[int, ...]
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, side: float, px: int) -> "Filter":
        """The filter for squares of a side, whatever part of a pixel they begin at."""
        reach = reach_of(side, px)
        first, taps = _taps(side, px, np.arange(_KEPT + 1) / _KEPT + reach)
        heads = first[0, ::_BLOCK]
        width = int((first + taps.shape[2] - np.repeat(heads, _BLOCK)[:px]).max())
        weights = np.zeros((_KEPT + 1, len(heads), width, _BLOCK), np.float32)
        phase, out, tap = np.ogrid[: _KEPT + 1, :px, : taps.shape[2]]
        block = out // _BLOCK
        weights[phase, block, first[phase, out] - heads[block] + tap, out % _BLOCK] = taps
        size = max(int(np.ceil(side)) + 1 + 2 * reach, int(heads[-1]) + width)
        return cls(side, px, size, tuple(heads.tolist()), weights)

    def resample(self, squares: Sequence[Pixels], phases: NDArray[np.int64]) -> Pixels:
        """As `resample`."""
        planes = np.empty((3, len(squares), self.px, self.px), np.uint8)
        step = max(1, min(len(squares), _WORKING_BYTES // (12 * self.size * (self.size + self.px))))
        width = len(self.starts) * _BLOCK
        # made once: the system takes as long to hand out fresh memory as the products take
        held = np.zeros((step, 3, self.size, self.size), np.float32)
        rows = np.empty((step, 3, self.size, width), np.float32)
        values = np.empty((step, 3, width, self.px), np.float32)
        kept = (phases * _KEPT + PHASES // 2) // PHASES
        for start in range(0, len(squares), step):
            some = squares[start : start + step]
            for place, square in zip(held, some, strict=False):
                place[:, : square.shape[1], : square.shape[2]] = square
            n, (y, x) = len(some), kept[start : start + step].T
            # along x first, as Pillow does: it matters where what overshoots is cut off
            self._along_x(held[:n], x, rows[:n])
            self._cut_off(rows[:n])
            self._along_y(rows[:n], y, values[:n])
            values[:n] += np.float32(0.5)
            self._cut_off(values[:n])
            np.copyto(planes[:, start : start + n], values[:n, :, : self.px].swapaxes(0, 1), casting="unsafe")
        return _interleaved(planes)

    def _along_x(self, held: NDArray[np.float32], phases: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        """(n, 3, size, size) to (n, 3, size, columns), columns padded to whole blocks."""
        flat, rows = held.reshape(len(held), -1, self.size), out.reshape(len(out), -1, out.shape[3])
        for block, start in enumerate(self.starts):
            weights = self.weights[phases, block]
            window = flat[:, :, start : start + weights.shape[1]]
            np.matmul(window, weights, out=rows[:, :, block * _BLOCK : (block + 1) * _BLOCK])

    def _along_y(self, rows: NDArray[np.float32], phases: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        """(n, 3, size, columns) to (n, 3, rows, px), rows padded to whole blocks."""
        for block, start in enumerate(self.starts):
            weights = self.weights[phases, block].swapaxes(1, 2)[:, None]
            window = rows[:, :, start : start + weights.shape[3], : self.px]
            np.matmul(weights, window, out=out[:, :, block * _BLOCK : (block + 1) * _BLOCK])

    def _cut_off(self, values: NDArray[np.float32]) -> None:
        if self.side < self.px:  # else weights are positive and sum to one: nothing overshoots
            np.clip(values, 0, 255, out=values)


@lru_cache(maxsize=4)
def _filter(side: float, px: int) -> Filter:
    return Filter.of(side, px)


def _taps(side: float, px: int, begins: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """First source pixel and weights of every output pixel, (phase, px) and (phase, px, taps)."""
    scale = side / px
    return taps_at(begins[:, None] + (np.arange(px) + 0.5) * scale, scale)


def taps_at(centre: NDArray[np.float64], scale: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What output pixels look at along one axis.

    Parameters
    ----------
    centre
        (...,) where they have their centres, in source pixels from the outer border of the first.
    scale
        Source pixels for one output pixel.

    Returns
    -------
    first
        (...,) first source pixel.
    weights
        (..., taps) of it and those after it; they sum to one.
    """
    reach, kernel, width = (2.0, _bicubic, 1.0) if scale < 1 else (scale, _hamming, scale)
    first = np.floor(centre - reach + 0.5).astype(np.int64)
    pixel = first[..., None] + np.arange(int(np.ceil(2 * reach)) + 1)
    weights = kernel((pixel - centre[..., None] + 0.5) / width)
    return first, weights / weights.sum(axis=-1, keepdims=True)


def _hamming(x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Sinc in a Hamming window of one output pixel to each side."""
    return np.where(np.abs(x) < 1, np.sinc(x) * (0.54 + 0.46 * np.cos(np.pi * x)), 0.0)


def _bicubic(x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Keys' cubic convolution with a = -1/2, two pixels to each side."""
    x = np.abs(x)
    near, far = 1 + x**2 * (1.5 * x - 2.5), 2 - x * (4 - x * (2.5 - 0.5 * x))
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _copied(squares: Sequence[Pixels], px: int) -> Pixels:
    out = np.empty((len(squares), px, px, 3), np.uint8)
    for patch, square in zip(out, squares, strict=True):
        for channel in range(3):  # three plain copies are several times faster than a transposed one
            patch[..., channel] = square[channel]
    return out


def _with_pillow(squares: Sequence[Pixels], phases: NDArray[np.int64], side: float, px: int) -> Pixels:
    kind = Image.Resampling.BICUBIC if side < px else Image.Resampling.HAMMING
    column = Image.new("RGB", (px, px * len(squares)))  # one conversion for all
    for place, (square, (y, x)) in enumerate(zip(squares, phases / PHASES + reach_of(side, px), strict=True)):
        patch = _picture(square).resize((px, px), kind, box=(x, y, x + side, y + side))
        column.paste(patch, (0, place * px))
    return np.asarray(column).reshape(len(squares), px, px, 3)


def _interleaved(planes: Pixels) -> Pixels:
    """(3, n, h, w) to (n, h, w, 3), several times faster than a strided copy of the whole."""
    out = np.empty((*planes.shape[1:], 3), np.uint8)
    for channel, plane in enumerate(planes):
        out[..., channel] = plane
    return out


def _picture(planes: Pixels) -> Image.Image:
    return Image.merge("RGB", [Image.fromarray(plane) for plane in planes])
