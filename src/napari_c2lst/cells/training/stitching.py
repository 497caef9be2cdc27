"""CoNSeP's patches put back into the tiles they were cut from.

The 1000 px tiles of CoNSeP were cut into 16 patches of 256 px: nine in rows at 0, 256 and 512, three along the bottom,
three along the right side, and the corner. The instance maps agree on every pixel of the overlaps: ids are the tile's.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

TILE_PX, PATCH_PX = 1000, 256
_STEPS, _LAST = (0, 256, 512), 744
OFFSETS: tuple[tuple[int, int], ...] = (
    *((y, x) for y in _STEPS for x in _STEPS),
    *((_LAST, x) for x in _STEPS),
    *((y, _LAST) for y in _STEPS),
    (_LAST, _LAST),
)
"""(y, x) of the upper left corner of each of the 16 patches in its tile."""

_NAME = re.compile(r"(?P<tile>.+)_(?P<part>\d{3})")


def stitch(patches: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    """A tile from its 16 patches.

    Parameters
    ----------
    patches
        16 arrays (256, 256, ...), in the order of `OFFSETS`; where they overlap they say the same (but for JPEG noise).

    Returns
    -------
    NDArray
        (1000, 1000, ...).
    """
    if len(patches) != len(OFFSETS) or any(p.shape[:2] != (PATCH_PX, PATCH_PX) for p in patches):
        raise ValueError(f"a tile has {len(OFFSETS)} patches of {PATCH_PX} px")
    tile = np.zeros((TILE_PX, TILE_PX, *patches[0].shape[2:]), patches[0].dtype)
    for (y, x), patch in zip(OFFSETS, patches, strict=True):
        tile[y : y + PATCH_PX, x : x + PATCH_PX] = patch
    return tile


def agreement(patches: Sequence[NDArray[np.generic]]) -> float:
    """Share of the pixels in overlaps of two patches that say the same: 1.0 for maps of one tile in the right order."""
    same = total = 0
    for second, (y2, x2) in enumerate(OFFSETS):
        for first, (y1, x1) in enumerate(OFFSETS[:second]):
            top, left = max(y1, y2), max(x1, x2)
            bottom, right = min(y1, y2) + PATCH_PX, min(x1, x2) + PATCH_PX
            if top >= bottom or left >= right:
                continue
            a = patches[first][top - y1 : bottom - y1, left - x1 : right - x1]
            b = patches[second][top - y2 : bottom - y2, left - x2 : right - x2]
            same, total = same + int((a == b).sum()), total + a.size
    return same / total


def tiles_of(names: Iterable[str]) -> Mapping[str, list[str]]:
    """Which names are the 16 parts of a tile: 'test_3_000' to 'test_3_015' give {'test_3': [...]}.

    Empty unless all names are parts of whole tiles.
    """
    tiles: dict[str, dict[int, str]] = {}
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            return {}
        tiles.setdefault(match["tile"], {})[int(match["part"])] = name
    if any(sorted(parts) != list(range(len(OFFSETS))) for parts in tiles.values()):
        return {}
    return {tile: [parts[k] for k in range(len(OFFSETS))] for tile, parts in tiles.items()}
