"""Nuclei of all tiles as one: each counted once, in an order and with outlines that know nothing of tiles."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from napari_c2lst.slides.images.tissue import TissueMask

from .found import Found

_SAME = 0.5  # of the smaller of two that overlap: then they are one nucleus, seen from two tiles
_AT_ONCE = 10_000


def stitched(found: Found) -> Found:
    """Drop what was found twice and put the rest in the order of their places.

    A nucleus belongs to the tile in whose core its centroid lies. Two tiles see its centroid a little differently, so
    those just beside a core were kept as well; of two that cover each other the one in its own tile stays, else that
    of the earlier tile.
    """
    kept = found.keep(~_twice(found))
    # without a second one, those beside their tile's core are the only sight of a nucleus, and stay
    x, y = kept.centroid.T
    return kept.take(np.lexsort((x, y)))


def _twice(found: Found) -> NDArray[np.bool_]:
    """(n,) which are another's second sight."""
    drop = np.zeros(len(found), bool)
    rows = np.flatnonzero(found.rim)
    if len(rows) == 0:
        return drop
    some = found.take(rows)
    areas = polygons(some)
    one, other = shapely.STRtree(areas).query(areas, predicate="intersects")
    pairs = (one < other) & (some.tile[one] != some.tile[other])
    one, other = one[pairs], other[pairs]
    shared = shapely.area(shapely.intersection(areas[one], areas[other]))
    size = shapely.area(areas)
    same = shared > _SAME * np.minimum(size[one], size[other])
    # better first: in its own tile, then of the earlier tile
    rank = np.lexsort((np.arange(len(rows)), some.tile, ~some.own))
    place = np.empty(len(rows), np.int64)
    place[rank] = np.arange(len(rows))
    better = np.where(place[one] < place[other], one, other)[same]
    worse = np.where(place[one] < place[other], other, one)[same]
    gone = np.zeros(len(rows), bool)
    for pair in np.argsort(place[better], kind="stable"):
        if not gone[better[pair]]:
            gone[worse[pair]] = True
    drop[rows] = gone
    return drop


def on_tissue(found: Found, tissue: TissueMask, px: float) -> Found:
    """Those whose centroid lies on tissue.

    Parameters
    ----------
    px
        Level-0 pixels per network pixel.
    """
    return found.keep(tissue.at((found.centroid[:, ::-1] + 0.5) * px))


def polygons(found: Found, px: float = 1.0) -> NDArray[Any]:
    """(n,) polygons (x, y) around whole pixels, in level-0 pixels.

    Parameters
    ----------
    px
        Level-0 pixels per network pixel.
    """
    # some at a time: on the way to its polygon a nucleus takes several times the memory
    rows = np.arange(len(found))
    parts = [_some_polygons(found.take(rows[i : i + _AT_ONCE]), px) for i in range(0, len(found), _AT_ONCE)]
    return np.concatenate([np.empty(0, object), *parts])


def _some_polygons(found: Found, px: float) -> NDArray[Any]:
    which = np.repeat(np.arange(len(found)), found.length)
    rings = shapely.linearrings(found.corners + 0.5, indices=which)
    # outlines run through the centres of border pixels: half a pixel is added all around
    whole = shapely.buffer(shapely.polygons(rings), 0.5, join_style="mitre", mitre_limit=1.5)
    whole = shapely.transform(whole, lambda xy: xy * px)
    return np.asarray(_largest_part(whole), object)


def _largest_part(shapes: NDArray[Any]) -> NDArray[Any]:
    """One polygon each, without holes."""
    several = shapely.get_num_geometries(shapes) != 1
    for i in np.flatnonzero(several):
        parts = shapely.get_parts(shapes[i])
        shapes[i] = parts[np.argmax(shapely.area(parts))]
    return np.asarray(shapely.polygons(shapely.get_exterior_ring(shapes)))
