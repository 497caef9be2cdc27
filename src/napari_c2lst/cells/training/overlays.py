"""Outlines of nuclei drawn on their image, in the colours of their types."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_c2lst.cells.facts import Colour
from napari_c2lst.cells.postprocess import Nuclei

Found = tuple[NDArray[np.int32], Nuclei]
"""Label map (H, W) and what is known of its nuclei."""

UNTYPED: Colour = (255, 255, 0)
_GAP_PX = 8


def beside(image: NDArray[np.uint8], found: Found, true: Found, colours: Sequence[Colour]) -> Image.Image:
    """Found nuclei on the left, true ones on the right, a white gap between them."""
    left, right = (outlined(image, *nuclei, colours) for nuclei in (found, true))
    gap = np.full((image.shape[0], _GAP_PX, 3), 255, np.uint8)
    return Image.fromarray(np.concatenate([left, gap, right], axis=1))


def outlined(
    image: NDArray[np.uint8], labels: NDArray[np.int32], nuclei: Nuclei, colours: Sequence[Colour]
) -> NDArray[np.uint8]:
    """(H, W, 3) with the outline of each nucleus painted, two pixels wide where two of them touch.

    Parameters
    ----------
    colours
        Of the types, background first; those beyond, and all without types, are yellow.
    """
    table = np.array([UNTYPED] * (int(labels.max(initial=0)) + 1), np.uint8)
    for place, kind in zip(nuclei.ids, nuclei.type, strict=True):
        if 0 < kind < len(colours):
            table[place] = colours[kind]
    edge = border(labels)
    out = image.copy()
    out[edge] = table[labels[edge]]
    return out


def border(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(H, W): pixels of a nucleus next to one that is not of it."""
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        differs = np.diff(labels, axis=axis) != 0
        before = [slice(None), slice(None)]
        after = [slice(None), slice(None)]
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        edge[tuple(before)] |= differs
        edge[tuple(after)] |= differs
    return edge & (labels > 0)
