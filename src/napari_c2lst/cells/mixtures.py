"""Compositions of many patches in numbers: mean and SD of proportions, and how far two groups of patches are apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .composition import proportions

Counts = NDArray[np.integer]
Vector = NDArray[np.float64]

REPEATS = 1000
_LEAST = 4  # patches with nuclei: fewer cannot be halved into two means
_HIGH = 95.0  # percentile of the floor


@dataclass(frozen=True, eq=False)
class Spread:
    """Proportions of a group of patches; a patch without nuclei has none and is counted apart.

    Attributes
    ----------
    mean, sd
        (T,) over the patches with nuclei; NaN where there is no such patch, or for the SD fewer than two.
    nuclei_mean, nuclei_sd
        Nuclei a patch, over all patches.
    patches, empty
        How many patches there are, and how many of them have no nuclei.
    """

    mean: Vector
    sd: Vector
    nuclei_mean: float
    nuclei_sd: float
    patches: int
    empty: int


@dataclass(frozen=True)
class Floor:
    """What two random halves of one group are apart.

    Attributes
    ----------
    median, high
        Median and 95th percentile over the repeats, in bits.
    repeats
        How often the group was halved.
    """

    median: float
    high: float
    repeats: int


def spread(counts: Counts) -> Spread:
    """Mean and SD (with n - 1) of per-patch proportions.

    Parameters
    ----------
    counts
        (n, T) nuclei of each type in each patch.
    """
    shares = with_nuclei(counts)
    totals = counts.sum(axis=1)
    return Spread(
        mean=_mean(shares),
        sd=_sd(shares),
        nuclei_mean=float(_mean(totals[:, None])[0]),
        nuclei_sd=float(_sd(totals[:, None])[0]),
        patches=len(counts),
        empty=len(counts) - len(shares),
    )


def with_nuclei(counts: Counts) -> Vector:
    """(m, T) proportions of the patches that have nuclei."""
    return np.asarray(proportions(counts)[counts.sum(axis=1) > 0])


def jensen_shannon(first: Vector, second: Vector) -> float:
    """Jensen-Shannon divergence of two distributions, in bits: 0 for the same ones, 1 for ones that share no type.

    Parameters
    ----------
    first, second
        (T,) not negative, each with a sum of 1.
    """
    middle = (first + second) / 2
    value = (_relative_entropy(first, middle) + _relative_entropy(second, middle)) / 2
    return float(np.clip(value, 0.0, 1.0))  # rounding


def divergence(first: Counts, second: Counts) -> float | None:
    """Jensen-Shannon divergence of the mean per-patch proportions of two groups, in bits.

    Parameters
    ----------
    first, second
        (n, T) and (m, T) nuclei of each type in each patch.

    Returns
    -------
    None where a group has no nuclei.
    """
    shares = with_nuclei(first), with_nuclei(second)
    if not all(map(len, shares)):
        return None
    return jensen_shannon(shares[0].mean(axis=0), shares[1].mean(axis=0))


def halves_apart(counts: Counts, rng: np.random.Generator, repeats: int = REPEATS) -> Floor | None:
    """How far two random halves of one group are apart: what chance alone gives.

    Halves are smaller samples than the whole, so that this is rather more than chance gives between whole groups.

    Parameters
    ----------
    counts
        (n, T) nuclei of each type in each patch.

    Returns
    -------
    None with fewer than four patches that have nuclei.
    """
    shares = with_nuclei(counts)
    half = len(shares) // 2
    if len(shares) < _LEAST:
        return None
    found = np.empty(repeats)
    for i in range(repeats):
        order = rng.permutation(len(shares))
        found[i] = jensen_shannon(shares[order[:half]].mean(axis=0), shares[order[half:]].mean(axis=0))
    median, high = np.percentile(found, [50, _HIGH])
    return Floor(float(median), float(high), repeats)


def _relative_entropy(p: Vector, q: Vector) -> float:
    there = p > 0  # 0 log 0 = 0
    return float((p[there] * np.log2(p[there] / q[there])).sum())


def _mean(values: NDArray[np.generic]) -> Vector:
    return np.asarray(values.mean(axis=0) if len(values) else np.full(values.shape[1], np.nan), np.float64)


def _sd(values: NDArray[np.generic]) -> Vector:
    if len(values) < 2:
        return np.full(values.shape[1], np.nan)
    return np.asarray(np.std(values.astype(np.float64), axis=0, ddof=1))
