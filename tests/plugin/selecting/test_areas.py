from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import Point, Polygon, box
from shapely.ops import unary_union

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.selecting.areas import MOST_OUTLINES, area_of, outlines, seen_outlines

SQUARE = [[0, 0], [0, 10], [20, 10], [20, 0]]  # (y, x): 20 high, 10 wide


def test_y_comes_first_and_the_ring_may_be_open() -> None:
    area = area_of(np.array(SQUARE))
    assert area.bounds == (0, 0, 10, 20)
    assert area_of(np.array([*SQUARE, SQUARE[0]])).area == area.area == 200


def test_an_ellipse_fills_its_frame() -> None:
    area = area_of(np.array(SQUARE), "ellipse")
    assert np.allclose(area.bounds, (0, 0, 10, 20))
    assert area.area == pytest.approx(np.pi * 5 * 10, rel=0.01)
    turned = area_of(np.array([[0, 10], [10, 20], [20, 10], [10, 0]]), "ellipse")
    assert turned.area == pytest.approx(np.pi * 50, rel=0.01)


@pytest.mark.parametrize(
    ("corners", "kind", "message"),
    [
        ([[0, 0], [1, 1], [0, 0]], "polygon", "the shape is empty: it has fewer than 3 corners"),
        ([[0, 0], [1, 1], [2, 2]], "polygon", "the shape is empty: it encloses no area"),
        ([[0, 0], [9, 9], [4, 4], [7, 7]], "polygon", "the shape is empty: it encloses no area"),
        ([[0, 0], [0, 0], [0, 0], [0, 0]], "rectangle", "fewer than 3 corners"),
        ([[0, 0], [10, 10], [0, 10], [10, 0]], "polygon", "crosses itself at x = 5, y = 5: what it encloses"),
        ([[0, 0], [10, 10]], "line", "a line encloses no spots"),
        (SQUARE, "path", "a path encloses no spots"),
    ],
)
def test_shapes_that_are_refused(corners: list[list[float]], kind: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        area_of(np.array(corners, dtype=float), kind)
    assert caught.value.hint


def test_the_small_loop_of_a_lasso_that_overshoots_is_cut_off() -> None:
    # the last corner lies a little outside of the first side
    lasso = np.array([[0, 50], [0, 0], [100, 0], [100, 100], [0, 100], [-3, 60], [5, 55], [-3, 52]], dtype=float)
    area = area_of(lasso)
    assert area.is_valid
    assert area.area == pytest.approx(10_000, rel=0.05)


def test_outlines_of_every_ring() -> None:
    ring = Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(3, 3), (6, 3), (6, 6), (3, 6)]])
    several = unary_union([ring, box(20, 0, 30, 5)])
    rings = outlines(several)
    assert sorted(len(each) for each in rings) == [4, 4, 4]
    assert max(each[:, 1].max() for each in rings) == 30
    assert [area_of(each).area for each in outlines(box(0, 0, 4, 2))] == [8]


def wavy(corners: int) -> Polygon:
    """A ring of many corners, as a wand or a pixel classifier draws it."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radius = 2000 + 150 * np.sin(30 * angle)
    return Polygon(np.stack([3000 + radius * np.cos(angle), 3000 + radius * np.sin(angle)], axis=1))


def test_what_is_drawn_by_hand_is_seen_as_it_is() -> None:
    area = unary_union([wavy(300), box(9000, 0, 9100, 50)])
    for seen, ring in zip(seen_outlines(area), outlines(area), strict=True):
        assert np.array_equal(seen, ring)


@pytest.mark.parametrize("corners", [2_000, 50_000])
def test_an_outline_of_thousands_of_corners_is_seen_with_fewer(corners: int) -> None:
    """Napari would take minutes for the triangles of it."""
    area = wavy(corners)
    (ring,) = seen_outlines(area)
    assert len(ring) <= 600
    seen = area_of(ring)
    assert seen.symmetric_difference(area).area < 0.005 * area.area
    assert len(outlines(area)[0]) == corners  # what is exported is what was read


def test_many_outlines_share_the_corners_that_are_seen() -> None:
    circles = [Point(100 * i, 0).buffer(40, quad_segs=100) for i in range(50)]
    rings = seen_outlines(unary_union(circles))
    assert len(rings) == 50
    assert sum(len(ring) for ring in rings) <= 3000
    for ring in rings:
        assert area_of(ring).area == pytest.approx(circles[0].area, rel=0.02)


@pytest.mark.parametrize(("holes", "seen"), [(MOST_OUTLINES - 1, MOST_OUTLINES), (MOST_OUTLINES, 0)])
def test_too_many_outlines_are_not_seen_and_holes_are_outlines(holes: int, seen: int) -> None:
    rings = [box(3 * i + 1, 1, 3 * i + 2, 2).exterior.coords for i in range(holes)]
    area = Polygon(box(0, 0, 3 * holes + 3, 3).exterior.coords, rings)
    assert len(outlines(area)) == holes + 1
    assert len(seen_outlines(area)) == seen


def test_an_overshooting_lasso_is_cut_where_it_crosses() -> None:
    """Drawn once around and a tenth of the way again, a little further out, as by hand."""
    angle = np.linspace(0, 2.2 * np.pi, 120)
    radius = 100 + 4 * angle
    lasso = np.stack([200 + radius * np.sin(angle), 200 + radius * np.cos(angle)], axis=1)
    area = area_of(lasso)
    assert area.is_valid
    assert area.area == pytest.approx(np.pi * 112**2, rel=0.06)
    assert len(seen_outlines(area)) == 1


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_a_loop_is_cut_off_where_it_is_small_and_refused_where_it_is_not(share: float) -> None:
    side = 100 * np.sqrt(share)  # two triangles that meet in the corner at 0, 0
    lasso = np.array([[100, 100], [-side, -side], [-side, side], [100, -100]])
    if share < 0.05:
        assert area_of(lasso).area == pytest.approx(10_000)
    else:
        with pytest.raises(InputError, match="crosses itself"):
            area_of(lasso)
