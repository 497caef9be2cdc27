from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import Polygon, box
from shapely.ops import unary_union

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.selecting.areas import area_of, outlines

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
        ([[0, 0], [1, 1], [2, 2]], "polygon", "the shape is empty|crosses itself"),
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
