"""Polygons and discs as pixels, against slow ways to draw them."""

import numpy as np
import pytest
import shapely

from napari_c2lst.plugin.cells.filling import borders, fill_polygons, rounds, stamp_discs


def slowly(polygons: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Ask shapely for the middle of every pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    picture = np.zeros(shape, int)
    for i, corners in enumerate(polygons):
        inside = shapely.contains_xy(shapely.Polygon(corners[:, ::-1]), x, y)
        picture[inside] = i + 1
    return picture


def stars(n: int, seed: int = 0) -> list[np.ndarray]:
    """Polygons that are not convex, at odd places, some over the border."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 11, endpoint=False)
    unit = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return [rng.uniform(-5, 65, 2) + unit * rng.uniform(2, 9, (11, 1)) for _ in range(n)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_polygons_cover_the_pixels_whose_middles_they_hold(seed: int) -> None:
    polygons = stars(12, seed)
    drawn = fill_polygons(np.concatenate(polygons), np.full(12, 11), (60, 50))
    np.testing.assert_array_equal(drawn, slowly(polygons, (60, 50)))


def test_of_two_that_overlap_the_later_is_on_top() -> None:
    square = np.array([[1.0, 1], [1, 6], [6, 6], [6, 1]])
    drawn = fill_polygons(np.concatenate([square, square + 2]), np.array([4, 4]), (10, 10))
    assert (drawn[4, 4], drawn[1, 1], drawn[7, 7]) == (2, 1, 2)


def test_nothing_to_draw() -> None:
    assert not fill_polygons(np.zeros((0, 2)), np.zeros(0, int), (4, 5)).any()
    assert fill_polygons(np.zeros((0, 2)), np.zeros(0, int), (4, 5)).shape == (4, 5)
    assert not fill_polygons(np.array([[2.0, 2.0]]), np.array([1]), (4, 5)).any()
    outside = np.array([[-9.0, -9], [-9, -4], [-4, -4]])
    assert not fill_polygons(outside, np.array([3]), (4, 5)).any()


def test_circles_have_their_area() -> None:
    corners, length = rounds(np.array([[20.0, 20.0], [60.0, 60.0]]), np.array([10.0, 15.0]))
    drawn = fill_polygons(corners, length, (80, 80))
    assert (drawn == 1).sum() == pytest.approx(np.pi * 100, rel=0.04)
    assert (drawn == 2).sum() == pytest.approx(np.pi * 225, rel=0.04)


def test_small_discs_have_at_least_a_pixel_and_are_cut_off_at_the_border() -> None:
    yx = np.array([[5.5, 5.5], [0.2, 19.7], [-2.0, 10.0], [-30.0, 10.0]])
    drawn = stamp_discs(yx, np.array([0.1, 3.0, 3.0, 3.0]), np.array([7, 8, 9, 10], np.uint16), (20, 20))
    assert drawn.shape == (20, 20)
    assert np.argwhere(drawn == 7).tolist() == [[5, 5]]
    assert drawn[0, 19] == 8
    assert drawn[3, 19] == 8
    assert drawn[4, 19] == 0
    assert (drawn[0, 8:13] == 9).any()
    assert not (drawn == 10).any()


def test_discs_have_their_area() -> None:
    drawn = stamp_discs(np.array([[30.5, 30.5]]), np.array([6.0]), np.array([1], np.uint16), (60, 60))
    assert drawn.sum() == pytest.approx(np.pi * 36, rel=0.05)


def test_borders_are_two_pixels_wide_and_part_touching_shapes() -> None:
    ids = np.zeros((20, 30), np.int32)
    ids[5:15, 5:15] = 1
    ids[5:15, 15:25] = 2
    line = borders(ids)
    assert line[5:7, 5:25].all()
    assert line[10, 13:17].all()
    assert not line[7:13, 7:13].any()
    assert not line[ids == 0].any()


def test_shapes_that_cross_themselves_are_filled_where_an_odd_number_of_lines_lies_around() -> None:
    bow = np.array([[2.0, 3], [12, 11], [12, 3], [2, 11]])
    drawn = fill_polygons(bow, np.array([4]), (14, 14))
    assert drawn[3, 7] == drawn[10, 7] == 1
    assert drawn[7, 4] == drawn[7, 9] == 0  # open on both sides
    np.testing.assert_array_equal(drawn, drawn[::-1, ::-1])


def test_a_shape_is_the_same_in_every_part_of_the_picture() -> None:
    (star,) = stars(1, seed=5)
    star = star - star.min(axis=0) + 3
    whole = fill_polygons(star, np.array([11]), (30, 30))
    assert whole.any()
    for top, left in ((5, 0), (0, 7), (6, 6)):
        part = fill_polygons(star - np.array([top, left]), np.array([11]), (12, 10))
        np.testing.assert_array_equal(part, whole[top : top + 12, left : left + 10])


@pytest.mark.parametrize("radius", [0.0, 0.3, 2.0, 100.0])
def test_discs_of_every_size_lie_around_their_centres(radius: float) -> None:
    drawn = stamp_discs(np.array([[30.5, 40.5]]), np.array([radius]), np.array([3], np.uint16), (61, 81))
    rows, columns = np.nonzero(drawn)
    assert drawn[30, 40] == 3
    assert (rows.min() + rows.max(), columns.min() + columns.max()) == (60, 80)
    assert len(rows) <= np.pi * 21**2  # the largest are cut off: such nuclei are outlined long before


def test_no_discs_and_no_circles() -> None:
    assert not stamp_discs(np.zeros((0, 2)), np.zeros(0), np.zeros(0, np.uint16), (4, 5)).any()
    corners, length = rounds(np.zeros((0, 2)), np.zeros(0))
    assert (corners.shape, length.shape) == ((0, 2), (0,))
