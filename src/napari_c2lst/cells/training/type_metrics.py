"""Scores of the types of nuclei, over all images of a data set, as HoVer-Net's authors compute them.

Nuclei are paired by their centres: the pairing of least total distance, without pairs further than 12 px apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

RADIUS_PX = 12.0
# weights of a wrong type, a missed type, a nucleus that is not there, one that was missed
_WRONG, _MISSED, _EXTRA, _LOST = 2, 2, 1, 1


@dataclass(frozen=True)
class TypedPoints:
    """Nuclei of one image as points.

    Attributes
    ----------
    centroids
        (n, 2).
    types
        (n,) int, from 1; 0 for none.
    """

    centroids: NDArray[np.float64]
    types: NDArray[np.int64]


@dataclass(frozen=True)
class Pairing:
    """Types of nuclei that were paired, and of those that were not.

    Attributes
    ----------
    paired
        (k, 2) true and predicted type.
    lost
        (m,) types of true nuclei without a partner.
    extra
        (e,) types of predicted nuclei without a partner.
    """

    paired: NDArray[np.int64]
    lost: NDArray[np.int64]
    extra: NDArray[np.int64]


def pair(true: TypedPoints, pred: TypedPoints, radius: float = RADIUS_PX) -> Pairing:
    """Pair the nuclei of one image.

    Parameters
    ----------
    radius
        Largest distance of a pair in pixels.
    """
    if not len(true.types) or not len(pred.types):
        return Pairing(np.zeros((0, 2), np.int64), true.types, pred.types)
    # as HoVer-Net's code: whole pixels
    distance = cdist(np.trunc(true.centroids), np.trunc(pred.centroids))
    rows, columns = linear_sum_assignment(distance)
    near = distance[rows, columns] <= radius
    rows, columns = rows[near], columns[near]
    return Pairing(
        np.stack([true.types[rows], pred.types[columns]], axis=1),
        np.delete(true.types, rows),
        np.delete(pred.types, columns),
    )


def joined(pairings: Sequence[Pairing]) -> Pairing:
    """The pairings of several images as one."""
    return Pairing(
        np.concatenate([np.zeros((0, 2), np.int64), *(p.paired for p in pairings)]),
        np.concatenate([np.zeros(0, np.int64), *(p.lost for p in pairings)]),
        np.concatenate([np.zeros(0, np.int64), *(p.extra for p in pairings)]),
    )


def detection_f1(pairing: Pairing) -> float:
    """F1 of finding nuclei, whatever their type; 0 where there are none."""
    found = len(pairing.paired)
    counted = 2 * found + len(pairing.extra) + len(pairing.lost)
    return 2 * found / counted if counted else 0.0


def type_accuracy(pairing: Pairing) -> float:
    """Share of paired nuclei of the right type; 0 where there are none."""
    return float((pairing.paired[:, 0] == pairing.paired[:, 1]).mean()) if len(pairing.paired) else 0.0


def type_f1(pairing: Pairing, kind: int) -> float:
    """F1 of one type: a pair of two types counts twice, a nucleus without a partner once; 0 where there are none.

    Notes
    -----
    The paper also counts pairs of which neither is of this type; its code leaves them out, and so does this.
    """
    true, pred = pairing.paired[:, 0] == kind, pairing.paired[:, 1] == kind
    right = int((true & pred).sum())
    errors = _WRONG * int((~true & pred).sum()) + _MISSED * int((true & ~pred).sum())
    alone = _EXTRA * int((pairing.extra == kind).sum()) + _LOST * int((pairing.lost == kind).sum())
    counted = 2 * right + errors + alone
    return 2 * right / counted if counted else 0.0


def type_scores(pairing: Pairing, names: Sequence[str]) -> dict[str, float]:
    """`f1_detection`, `type_accuracy` and `f1_<name>` of the types 1, 2, ... called `names`."""
    return {
        "f1_detection": detection_f1(pairing),
        "type_accuracy": type_accuracy(pairing),
        **{f"f1_{name}": type_f1(pairing, kind) for kind, name in enumerate(names, 1)},
    }
