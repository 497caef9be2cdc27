"""Connected parts of a mask that are too small, strip by strip: labels of a whole slide take 12 times its mask."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .bits import Bits
from .scratch import Strip

Labels = NDArray[np.int64]


def drop_small(mask: Bits, pixels: float, among: list[Strip], holes: bool = False) -> None:
    """Drop connected parts of fewer pixels; with `holes`, of what is not in the mask (at the border they stay).

    Parameters
    ----------
    mask
        (h, w), changed in place.
    pixels
        What a part must have to stay.
    among
        Strips that make up the mask; the result does not depend on them.
    """
    parts = _Parts(mask, among, holes)
    small = parts.sizes < pixels
    if holes:
        small[parts.at_border] = False
    small = np.concatenate([[False], small[parts.whole]])  # label 0 is what is not looked at
    for strip, labels in parts.labelled():
        # a hole is filled, a speck is taken out; strips below are labelled after, and know nothing of it
        mask[strip.rows] = mask[strip.rows] ^ small[labels]


class _Parts:
    """Parts of strips, numbered from 1 from top to bottom, and which of them belong together.

    Attributes
    ----------
    whole
        (n,) for each part of a strip the connected part of the mask that it belongs to.
    sizes
        Pixels of each connected part.
    at_border
        Connected parts that touch the border.
    """

    def __init__(self, mask: Bits, among: list[Strip], holes: bool) -> None:
        self.mask, self.among, self.holes = mask, among, holes
        sizes, pairs, border, above = [np.zeros(0, np.int64)], [], [], None
        for strip, labels in self.labelled():
            first = sum(map(len, sizes)) + 1
            sizes.append(np.bincount(labels[labels > 0] - first))
            if above is not None:
                pairs.append(_touching(above, labels[0]))
            # copies: a view would hold the numbers of the whole strip
            border += [labels[:, 0].copy(), labels[:, -1].copy(), *([labels[0].copy()] if strip.start == 0 else [])]
            above = labels[-1].copy()
        pieces = np.concatenate(sizes)
        joined = np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1) - 1
        graph = coo_array((np.ones(joined.shape[1], bool), (joined[0], joined[1])), shape=(len(pieces),) * 2)
        self.whole: Labels = pieces
        count = 0
        if len(pieces):
            count, self.whole = connected_components(graph, directed=False)
        self.sizes = np.zeros(count, np.int64)
        np.add.at(self.sizes, self.whole, pieces)
        edge = np.unique(np.concatenate([*border, above])) if above is not None else pieces
        self.at_border = self.whole[edge[edge > 0] - 1]

    def labelled(self) -> Iterator[tuple[Strip, Labels]]:
        """Each strip with the numbers of its parts, 0 where there is none."""
        before = 0
        for strip in self.among:
            rows = self.mask[strip.rows]
            labels, count = ndimage.label(~rows if self.holes else rows)
            yield strip, np.where(labels > 0, labels.astype(np.int64) + before, 0)
            before += count


def _touching(above: Labels, below: Labels) -> Labels:
    """(2, n) numbers of parts that touch across the border of two strips."""
    both = (above > 0) & (below > 0)
    return np.unique(np.stack([above[both], below[both]]), axis=1)
