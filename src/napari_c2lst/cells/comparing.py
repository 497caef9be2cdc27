"""Real and synthetic patches by what they are composed of (the paper's Table 1): shares of types, and a distance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.seeds import rng

from .composition import proportions

HALVES = 200  # random divisions of the real patches behind a floor
FEWEST = 4  # patches with nuclei: below, two halves say nothing

Counts = NDArray[np.integer]
Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Composition:
    """What a set of patches is composed of.

    Attributes
    ----------
    mean, sd
        (types,) of the shares of the patches; every patch with nuclei counts the same.
    patches
        How many patches have nuclei.
    empty
        How many have none, and so no shares.
    """

    mean: Shares
    sd: Shares
    patches: int
    empty: int


@dataclass(frozen=True)
class Comparison:
    """Two sets of patches, and how far apart they are.

    Attributes
    ----------
    names
        Of the types.
    real, synthetic
        What they are composed of.
    distance
        Jensen-Shannon distance of their mean shares, 0 to 1.
    floor
        The same between two random halves of the real patches: mean over many divisions.
    floor_high
        The distance that one in twenty of these divisions exceeds.
    """

    names: tuple[str, ...]
    real: Composition
    synthetic: Composition
    distance: float
    floor: float
    floor_high: float

    def rows(self) -> list[dict[str, float | str]]:
        """One row for each type: `type`, `real`, `real_sd`, `synthetic`, `synthetic_sd`."""
        columns = (self.real.mean, self.real.sd, self.synthetic.mean, self.synthetic.sd)
        titles = ("real", "real_sd", "synthetic", "synthetic_sd")
        return [
            {"type": name, **{title: float(column[k]) for title, column in zip(titles, columns, strict=True)}}
            for k, name in enumerate(self.names)
        ]

    def lines(self) -> list[str]:
        """The table and the distance in words."""
        width = max(len(name) for name in self.names)
        table = [
            f"{name:<{width}}  {100 * r:5.1f} +- {100 * rs:4.1f} %  {100 * s:5.1f} +- {100 * ss:4.1f} %"
            for name, r, rs, s, ss in zip(
                self.names, self.real.mean, self.real.sd, self.synthetic.mean, self.synthetic.sd, strict=True
            )
        ]
        return [
            f"{'type':<{width}}  {'real':>15}  {'synthetic':>15}",
            *table,
            f"{self.real.patches} real and {self.synthetic.patches} synthetic patches with nuclei "
            f"({self.real.empty} and {self.synthetic.empty} without)",
            f"Jensen-Shannon distance {self.distance:.3f}; two random halves of the real patches: {self.floor:.3f}, "
            f"1 in 20 above {self.floor_high:.3f}",
        ]


def compose(counts: Counts) -> Composition:
    """What patches are composed of.

    Parameters
    ----------
    counts
        (patches, types) nuclei of each type in each patch.

    Raises
    ------
    InputError
        If no patch has nuclei.
    """
    shares = _shares(counts)
    if not len(shares):
        raise InputError(
            f"none of {len(counts)} patches has nuclei: there is no composition",
            "are the patches tissue, and fine enough for nuclei?",
        )
    sd = shares.std(0, ddof=1) if len(shares) > 1 else np.zeros(shares.shape[1])
    return Composition(shares.mean(0), sd, len(shares), len(counts) - len(shares))


def compare(real: Counts, synthetic: Counts, names: Sequence[str], seed: int = 0) -> Comparison:
    """Compare two sets of patches.

    Parameters
    ----------
    real, synthetic
        (patches, types) nuclei of each type in each patch.
    names
        Of the types.
    seed
        Of the random halves.

    Raises
    ------
    InputError
        If the numbers of types differ, or there are too few real patches with nuclei.
    """
    if real.shape[1] != len(names) or synthetic.shape[1] != len(names):
        raise InputError(
            f"counts of {real.shape[1]} and {synthetic.shape[1]} types, {len(names)} names",
            "use the same weights for real and synthetic patches",
        )
    ours, theirs = compose(real), compose(synthetic)
    if ours.patches < FEWEST:
        raise InputError(
            f"{ours.patches} real patches have nuclei, the distance of their halves needs {FEWEST}",
            "choose more spots",
        )
    halves = _halves(_shares(real), seed)
    return Comparison(
        tuple(names),
        ours,
        theirs,
        jensen_shannon(ours.mean, theirs.mean),
        float(halves.mean()),
        float(np.quantile(halves, 0.95)),
    )


def jensen_shannon(p: Shares, q: Shares) -> float:
    """Jensen-Shannon distance of two distributions, base 2: 0 for the same, 1 for those that share nothing.

    Parameters
    ----------
    p, q
        (types,) non-negative; each is scaled to a sum of 1.
    """
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    return float(np.sqrt(max(0.0, (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2)))


def _relative_entropy(p: Shares, q: Shares) -> float:
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())


def _shares(counts: Counts) -> Shares:
    """(patches with nuclei, types)."""
    shares = proportions(counts)
    return shares[~np.isnan(shares).any(1)]


def _halves(shares: Shares, seed: int) -> Shares:
    """(HALVES,) distances between the mean shares of two random halves."""
    draw, half = rng(seed, "halves"), len(shares) // 2
    out = []
    for _ in range(HALVES):
        order = draw.permutation(len(shares))
        out.append(jensen_shannon(shares[order[:half]].mean(0), shares[order[half:]].mean(0)))
    return np.array(out)
