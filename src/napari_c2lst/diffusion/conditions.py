"""What synthetic patches are drawn for: the expression of training spots, as it is or mixed between pairs of them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.seeds import rng

Interpolate = Literal["none", "pairs"]
Partners = Literal["neighbours", "any"]


@dataclass(frozen=True)
class Conditions:
    """M conditions; row k * n + i is the k-th one of spot i.

    So the first n * r rows are the conditions of ratio r: pairs sampled at 10x hold those at 5x in their first half.

    Attributes
    ----------
    targets
        (M, d) float32 on the scale of targets: (1 - weight) * source_a + weight * source_b.
    source_a, source_b
        (M,) ids of the training spots; the same id twice where nothing was mixed.
    weight
        (M,) float32 share of `source_b`, in [0, 0.5].
    """

    targets: NDArray[np.float32]
    source_a: NDArray[np.str_]
    source_b: NDArray[np.str_]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.targets)


def plan_conditions(
    targets: NDArray[np.float32],
    ids: NDArray[np.str_],
    *,
    ratio: int,
    interpolate: Interpolate = "none",
    partners: Partners = "neighbours",
    neighbours: int = 5,
    seed: int = 0,
) -> Conditions:
    """The conditions of a sampling run: `ratio` for each training spot.

    Parameters
    ----------
    targets
        (n, d) expression of the training spots on the scale of targets.
    ids
        (n,) their ids.
    ratio
        Conditions for each spot.
    interpolate
        "none" = the spot's own expression each time; "pairs" = mixed with that of another training spot, on the
        scale of targets, with a weight drawn evenly from 0 to 0.5 (the spot itself stays the larger part).
    partners
        "neighbours" = one of the nearest spots in expression; "any" = any other spot.
    neighbours
        How many nearest spots.
    seed
        Of partners and weights.

    Raises
    ------
    InputError
        If spots are to be mixed and there is only one.
    """
    n = len(targets)
    a = np.tile(np.arange(n), ratio)
    if interpolate == "none":
        b, weight = a, np.zeros(len(a), dtype=np.float32)
    else:
        b, weight = _partners(targets, ratio, partners, neighbours, seed)
    mixed = (1 - weight[:, None]) * targets[a] + weight[:, None] * targets[b]
    names = np.asarray(ids).astype(np.str_)
    return Conditions(mixed.astype(np.float32), names[a], names[b], weight)


def _partners(
    targets: NDArray[np.float32], ratio: int, partners: Partners, neighbours: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    n = len(targets)
    if n < 2:
        raise InputError(
            "one training spot cannot be mixed with another", "use --interpolate none, or select more spots"
        )
    count = min(neighbours, n - 1) if partners == "neighbours" else n - 1
    order = np.argsort(_distances(targets), axis=1, kind="stable")[:, 1 : count + 1]  # (n, count); first is the spot
    draw = rng(seed, "partners")
    chosen = draw.integers(count, size=(ratio, n))
    b = order[np.arange(n)[None, :], chosen].reshape(-1)
    return b, draw.uniform(0, 0.5, size=ratio * n).astype(np.float32)


def _distances(targets: NDArray[np.float32]) -> NDArray[np.float64]:
    """Squared distances between all spots, (n, n), the spot itself before any twin of it."""
    x = targets.astype(np.float64)
    square = (x**2).sum(1)
    distances: NDArray[np.float64] = np.maximum(square[:, None] + square[None, :] - 2 * x @ x.T, 0)
    np.fill_diagonal(distances, -1)
    return distances
