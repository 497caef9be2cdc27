"""Which nuclei of two searches are the same."""

from typing import Any

import shapely
from numpy.typing import NDArray


def matched(one: NDArray[Any], other: NDArray[Any], least: float = 0.8) -> float:
    """Share of polygons of `one` that have their like in `other`: an intersection over union of at least `least`."""
    i, j = shapely.STRtree(other).query(one, predicate="intersects")
    shared = shapely.area(shapely.intersection(one[i], other[j]))
    union = shapely.area(one[i]) + shapely.area(other[j]) - shared
    return len(set(i[shared / union >= least].tolist())) / len(one)
