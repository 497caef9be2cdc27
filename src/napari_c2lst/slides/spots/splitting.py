"""Which spots train and which are held out: at random, or in whole spatial blocks.

Patches of 112 um at a 100 um pitch overlap, and neighbours resemble each other, so a random split flatters every model.
The blocked split keeps whole regions of tissue apart and sets aside the held-out spots whose patch reaches into a
training patch.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.seeds import rng

BLOCK_UM = 1000.0
"""About how wide a block of a blocked split is."""

_BLOCKS_A_SIDE = 3  # at least so many blocks train, and so many are held out, when the slide has the spots for it
_SPOTS_A_BLOCK = 6  # but no block is made of fewer spots than this

Mask = NDArray[np.bool_]


def training_number(n: int, fraction: float) -> int:
    """How many of `n` spots a fraction stands for: rounded, at least one.

    Raises
    ------
    InputError
        If the fraction is not above 0 and at most 1.
    """
    if not 0 < fraction <= 1:
        raise InputError(f"a fraction of {fraction:g}", "give a fraction above 0 and at most 1, such as 0.25")
    return min(n, max(1, math.floor(fraction * n + 0.5)))


def random_split(n: int, fraction: float, seed: int) -> Mask:
    """Choose training spots at random.

    Returns
    -------
    (n,) True for training spots; a function of the arguments alone.
    """
    mask = np.zeros(n, dtype=bool)
    mask[rng(seed, "random split").permutation(n)[: training_number(n, fraction)]] = True
    return mask


def blocked_split(
    yx_um: NDArray[np.float64], fraction: float, seed: int, *, patch_um: float = 112.0, block_um: float = BLOCK_UM
) -> tuple[Mask, Mask]:
    """Choose training spots in whole spatial blocks of equal size, as many spots as `random_split` would choose.

    Blocks are chosen at random. What rounding to whole blocks leaves over is cut from the far side of the last block,
    or added from the spots next to it.

    Parameters
    ----------
    yx_um
        (N, 2) spot centres in um.
    fraction
        Share of the spots to train on.
    seed
        Another seed chooses other blocks.
    patch_um
        Side of a spot's patch.
    block_um
        About how wide a block is; narrower where few blocks would fit.

    Returns
    -------
    training, buffer
        (N,) each. Buffer spots are held-out spots whose patch overlaps a training patch: leave them out of the score.
    """
    yx_um = np.asarray(yx_um, dtype=np.float64)
    n = len(yx_um)
    wanted = training_number(n, fraction)
    labels = spatial_blocks(yx_um, block_number(yx_um, fraction, block_um))
    blocks = int(labels.max()) + 1
    order = rng(seed, "blocked split").permutation(blocks)
    chosen = order[: min(blocks, max(1, math.floor(wanted * blocks / n + 0.5)))]
    training = np.isin(labels, chosen)
    last = labels == chosen[-1]
    difference = int(training.sum()) - wanted
    if difference > 0:
        training[_far_side(yx_um, last, training & ~last, difference)] = False
    elif difference < 0:
        training[_nearest(yx_um, last, ~training, -difference)] = True
    return training, overlapping_spots(yx_um, training, patch_um)


def overlapping_spots(yx_um: NDArray[np.float64], training: Mask, patch_um: float) -> Mask:
    """The held-out spots whose square patch shares area with a training spot's patch, (N,)."""
    overlapping = np.zeros(len(yx_um), dtype=bool)
    held_out = np.flatnonzero(~training)
    if not training.any() or not len(held_out):
        return overlapping
    # squares of one size overlap where the centres are nearer than a side in both x and y
    distance, _ = cKDTree(yx_um[training]).query(yx_um[held_out], p=np.inf)
    overlapping[held_out] = distance < patch_um - 1e-6
    return overlapping


def block_number(yx_um: NDArray[np.float64], fraction: float, block_um: float = BLOCK_UM) -> int:
    """Into how many blocks a slide is cut: blocks about `block_um` wide, at least three on either side of the split.

    Among about equally good numbers the one is taken that the fraction divides best, so that few blocks are cut.
    """
    n = len(yx_um)
    by_size = _area(yx_um) / block_um**2
    smaller_share = min(fraction, 1 - fraction) or 1.0
    fewest = max(by_size, _BLOCKS_A_SIDE / smaller_share, 2)
    fewest = int(max(1, min(math.ceil(fewest), n // _SPOTS_A_BLOCK)))
    candidates = range(fewest, max(fewest, min(math.ceil(1.34 * fewest), n // _SPOTS_A_BLOCK)) + 1)
    return min(candidates, key=lambda k: (round(abs(k * fraction - max(1, round(k * fraction))), 2), k))


def spatial_blocks(yx_um: NDArray[np.float64], blocks: int) -> NDArray[np.int64]:
    """Cut the spots into compact blocks of equal numbers, halving along the longer side again and again.

    Parameters
    ----------
    yx_um
        (N, 2) spot centres.
    blocks
        How many blocks, at most N.

    Returns
    -------
    (N,) block of each spot, 0 to `blocks` - 1; the numbers of spots differ by one or two.
    """
    labels = np.zeros(len(yx_um), dtype=np.int64)
    pending = [(np.arange(len(yx_um)), 0, blocks)]
    while pending:
        members, first, parts = pending.pop()
        if parts <= 1:
            labels[members] = first
            continue
        extent = np.ptp(yx_um[members], axis=0)
        axis = int(extent[1] > extent[0])
        # ties in one coordinate (a row of the array) are cut along the other one
        order = members[np.lexsort((yx_um[members, 1 - axis], np.round(yx_um[members, axis], 3)))]
        left = parts // 2
        cut = round(len(order) * left / parts)
        pending += [(order[:cut], first, left), (order[cut:], first + left, parts - left)]
    return labels


def _area(yx_um: NDArray[np.float64]) -> float:
    """Tissue area that the spots stand for, in um2: their number times the square of the usual spacing."""
    if len(yx_um) < 2:
        return 0.0
    distance, _ = cKDTree(yx_um).query(yx_um, k=2)
    return float(len(yx_um) * np.median(distance[:, 1]) ** 2)


def _far_side(yx_um: NDArray[np.float64], last: Mask, others: Mask, count: int) -> NDArray[np.int64]:
    """The `count` spots of the last block that lie farthest away from the nearest other training spots."""
    members = np.flatnonzero(last)
    if others.any():
        centre = yx_um[members].mean(axis=0)
        _, nearest = cKDTree(yx_um[others]).query(centre)
        direction = centre - yx_um[others][nearest]
    else:
        direction = (np.ptp(yx_um[members], axis=0) >= np.ptp(yx_um[members], axis=0).max()).astype(np.float64)
    along = np.round(yx_um[members] @ direction, 3)
    return members[np.argsort(-along, kind="stable")[:count]]


def _nearest(yx_um: NDArray[np.float64], last: Mask, free: Mask, count: int) -> NDArray[np.int64]:
    """The `count` free spots next to the last block."""
    members = np.flatnonzero(free)
    distance, _ = cKDTree(yx_um[last]).query(yx_um[members])
    return members[np.argsort(np.round(distance, 3), kind="stable")[:count]]
