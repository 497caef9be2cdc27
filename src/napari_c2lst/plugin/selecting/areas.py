"""Shapes that were drawn, as areas in pixels of the slide; one that is empty or crosses itself is refused."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from napari_c2lst.common.errors import InputError

Area = Polygon | MultiPolygon

# A lasso that overshoots its start makes a small loop; the loop is cut off if the rest is at least this much.
_MOST = 0.95
_CORNERS = 64  # of a circle

MOST_OUTLINES = 500
"""More of them take a viewer seconds: they are not shown."""

# corners that are shown of one outline, and of all: the time they take grows with the square of the first
_FEWEST, _MOST_EACH, _MOST_TOGETHER = 24, 600, 3000


def area_of(corners: NDArray[np.floating], kind: str = "polygon") -> Polygon:
    """The area a drawn shape encloses.

    Parameters
    ----------
    corners
        (N, 2) corners (y, x) in level-0 pixels, as napari keeps them; of an ellipse the corners of its frame.
    kind
        "polygon", "rectangle" or "ellipse".

    Returns
    -------
    Polygon in (x, y).

    Raises
    ------
    InputError
        If it is no closed shape, has fewer than 3 corners, encloses no area or crosses itself.
    """
    if kind not in ("polygon", "rectangle", "ellipse"):
        raise InputError(f"a {kind} encloses no spots", "draw a closed shape: a lasso or a rectangle")
    yx = np.asarray(corners, dtype=float)
    ring = (_ellipse(yx) if kind == "ellipse" else yx)[:, ::-1]
    if len(np.unique(ring, axis=0)) < 3:
        raise InputError("the shape is empty: it has fewer than 3 corners", "hold the button and draw around the spots")
    polygon = Polygon(ring)
    if not polygon.is_valid:
        polygon = _without_small_loops(ring)
    if polygon.area < 1e-6:
        raise InputError("the shape is empty: it encloses no area", "hold the button and draw around the spots")
    return polygon


def outlines(area: Area) -> list[NDArray[np.float64]]:
    """(N, 2) corners (y, x) of every ring of an area, holes included, not closed."""
    polygons: Iterable[Polygon] = area.geoms if isinstance(area, MultiPolygon) else [area]
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return [np.asarray(ring.coords, dtype=float)[:-1, 1::-1] for ring in rings]


def seen_outlines(area: Area) -> list[NDArray[np.float64]]:
    """The outlines as a viewer shows them at once: with fewer corners where there are many of them.

    Returns
    -------
    As `outlines`; empty where there are more than `MOST_OUTLINES`.
    """
    polygons = shapely.get_parts(area)
    number = len(polygons) + int(shapely.get_num_interior_rings(polygons).sum())
    if number > MOST_OUTLINES:
        return []
    most = int(np.clip(_MOST_TOGETHER // max(number, 1), _FEWEST, _MOST_EACH))
    return [_with_fewer_corners(ring, most) for ring in outlines(area)]


def _with_fewer_corners(ring: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """A ring that stays within some pixels of one that has too many corners."""
    simple, line = ring, shapely.LinearRing(ring[:, ::-1])
    for tolerance in 2.0 ** np.arange(-2, 12):
        if len(simple) <= most:
            break
        simple = shapely.get_coordinates(shapely.simplify(line, tolerance))[:-1, ::-1]
    return simple


def _without_small_loops(ring: NDArray[np.float64]) -> Polygon:
    """The main part of a ring that crosses itself, if the other parts are small beside it."""
    line = shapely.LineString([*ring, ring[0]])
    parts = list(shapely.ops.polygonize(shapely.node(line)))
    whole = sum(part.area for part in parts)
    main = max(parts, key=lambda part: part.area, default=Polygon())
    if main.area >= _MOST * whole:  # also where there is nothing: a line there and back
        return main
    place = shapely.is_valid_reason(Polygon(ring)).rstrip("]").partition("[")[2].split()
    where = f" at x = {float(place[0]):.0f}, y = {float(place[1]):.0f}" if len(place) >= 2 else ""
    raise InputError(f"the shape crosses itself{where}: what it encloses is a guess", "draw it again, or in two shapes")


def _ellipse(frame: NDArray[np.float64]) -> NDArray[np.float64]:
    centre = frame.mean(axis=0)
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)[:, None]
    return np.asarray(
        centre + np.cos(angle) * (frame[1] - frame[0]) / 2 + np.sin(angle) * (frame[2] - frame[1]) / 2, dtype=float
    )
