"""Outlines of all nuclei of an image at once.

Every outline is followed from pixel to pixel (Suzuki and Abe 1985), all of them in step: what is done in Python is as
long as the longest outline, not as all of them together.
"""

import numpy as np
from numpy.typing import NDArray

# counter-clockwise on the screen, from the right: (y, x)
_STEPS = np.array([(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)])
_LEFT = 4


def outlines(labels: NDArray[np.int32], ids: NDArray[np.int64]) -> list[NDArray[np.int32]]:
    """Outer outlines, through the centres of border pixels; only corners are kept.

    Parameters
    ----------
    labels
        (H, W); each nucleus is one connected part.
    ids
        (n,) which nuclei; all of them are in `labels`.

    Returns
    -------
    list of (k, 2) int32 (x, y), from the uppermost pixel's left end downwards: what OpenCV gives with
    `CHAIN_APPROX_SIMPLE`. Of a single pixel it has one corner, of a straight line two.
    """
    if len(ids) == 0:
        return []
    width = labels.shape[1]
    padded = np.pad(labels, 1)
    flat = padded.ravel()
    offsets = _STEPS[:, 0] * (width + 2) + _STEPS[:, 1]
    start = _first_pixels(labels, ids)
    start = (start // width + 1) * (width + 2) + start % width + 1
    which, place = _follow(flat, offsets, start, flat[start])
    corners = np.stack([place % (width + 2) - 1, place // (width + 2) - 1], axis=1).astype(np.int32)
    ends = np.cumsum(np.bincount(which, minlength=len(ids)))[:-1]
    return np.split(corners, ends)


def _first_pixels(labels: NDArray[np.int32], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first pixel of each nucleus in reading order."""
    inside = np.flatnonzero(labels)
    first = np.zeros(int(labels.max()) + 1, np.int64)
    first[labels.ravel()[inside][::-1]] = inside[::-1]  # the last that is written stays
    return first[ids]


def _follow(
    flat: NDArray[np.int32], offsets: NDArray[np.int64], start: NDArray[np.int64], own: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Corners of all outlines, one after the other: which outline, and the place in the padded image."""
    before = _turn(flat, offsets, start, own, np.full(len(start), _LEFT), -1)
    alone = before < 0
    parts = [(np.flatnonzero(alone), start[alone])]
    # the pixel an outline comes back from, by which its end is known
    last = start + offsets[before]
    at, came = start.copy(), (before + 4) % 8
    heading = before
    active = np.flatnonzero(~alone)
    while len(active):
        here = at[active]
        ahead = _turn(flat, offsets, here, own[active], heading[active], 1)
        corner = ahead != came[active]
        parts.append((active[corner], here[corner]))
        there = here + offsets[ahead]
        closed = (there == start[active]) & (here == last[active])
        at[active], came[active], heading[active] = there, ahead, (ahead + 4) % 8
        active = active[~closed]
    which = np.concatenate([index for index, _ in parts])
    place = np.concatenate([places for _, places in parts])
    order = np.argsort(which, kind="stable")
    return which[order], place[order]


def _turn(
    flat: NDArray[np.int32],
    offsets: NDArray[np.int64],
    here: NDArray[np.int64],
    own: NDArray[np.int32],
    since: NDArray[np.int64],
    sense: int,
) -> NDArray[np.int64]:
    """The first direction after `since` in which the same nucleus goes on; -1 where it does nowhere.

    `sense` is 1 for counter-clockwise on the screen, -1 for clockwise.
    """
    directions = (since[:, None] + sense * np.arange(1, 9)) % 8
    same = flat[here[:, None] + offsets[directions]] == own[:, None]
    first = same.argmax(axis=1)
    rows = np.arange(len(here))
    return np.where(same[rows, first], directions[rows, first], -1)
