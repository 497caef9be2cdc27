"""Percentiles and medians of more numbers than one wants in memory, as NumPy gives them."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float32]
Parts: TypeAlias = Callable[[], Iterable[Values]]
_HALF = 2**16


def quantile(parts: Parts, share: float) -> np.float32:
    """`numpy.quantile` of the numbers in all parts together, up to rounding.

    Parameters
    ----------
    parts
        Gives them anew each time it is called; none is negative, and there is at least one.
    share
        0..1.
    """
    place = np.float32(0)

    def ranks(count: int) -> list[int]:
        nonlocal place
        place = np.float32(share) * np.float32(count - 1)
        return [int(place), min(int(place) + 1, count - 1)]

    low, high = _ranked(parts, ranks)
    part = place - np.floor(place)  # between two numbers NumPy counts from the nearer one
    return np.float32(low + (high - low) * part if part < 0.5 else high - (high - low) * (np.float32(1) - part))


def median(parts: Parts) -> np.float32:
    """`numpy.median` of the numbers in all parts together, which are as in `quantile`."""
    return np.float32(np.mean(_ranked(parts, lambda count: [(count - 1) // 2, count // 2])))


def _ranked(parts: Parts, ranks: Callable[[int], Sequence[int]]) -> Values:
    """The numbers of some ranks: as bits they sort as they do as numbers, so two counts of 16 bits each find them."""
    counts = np.zeros(_HALF, np.int64)
    for part in parts():
        counts += np.bincount(_bits(part) >> 16, minlength=_HALF)
    wanted = np.array(ranks(int(counts.sum())))
    ends = np.cumsum(counts)
    upper = np.searchsorted(ends, wanted, side="right")
    lower = {int(half): np.zeros(_HALF, np.int64) for half in upper}
    for part in parts():
        bits = _bits(part)
        for half, found in lower.items():
            found += np.bincount(bits[bits >> 16 == half] & (_HALF - 1), minlength=_HALF)
    rest = wanted - (ends - counts)[upper]
    low = [np.searchsorted(np.cumsum(lower[int(h)]), r, side="right") for h, r in zip(upper, rest, strict=True)]
    numbers: Values = (upper * _HALF + np.array(low)).astype(np.uint32).view(np.float32)
    return numbers


def _bits(part: Values) -> NDArray[np.uint32]:
    # -0.0 would sort above all: adding zero makes it 0.0
    return (np.ascontiguousarray(part, np.float32) + np.float32(0)).view(np.uint32)
