import numpy as np
import pytest

from napari_c2lst.plugin.cells.density import Density
from napari_c2lst.plugin.cells.styles import DENSITY, CellCodes

WHOLE = slice(None)
BOTH = np.array([True, True])


@pytest.fixture
def density() -> Density:
    """Type 0 densely on the left; type 1 alone on the right and a little on the left."""
    left = np.repeat([[8.5, 8.5]], 20, axis=0)
    few = np.repeat([[8.5, 8.5]], 5, axis=0)
    right = np.array([[8.5, 24.5]])
    yx = np.concatenate([left, few, right])
    kind = np.array([0] * 20 + [1] * 6, np.uint8)
    return Density(yx, kind, 2, [(16, 32), (8, 16)], 1.0, CellCodes(2))


def test_the_most_frequent_type_and_how_dense_it_is(density: Density) -> None:
    codes, picture = CellCodes(2), density.render(0, WHOLE, WHOLE, BOTH)
    assert picture[8, 8] == codes.density[0, -1]
    assert picture[8, 24] in codes.density[1, :4]
    assert picture[0, 0] == 0
    assert picture[7, 7] == picture[8, 8]  # neighbours share
    assert picture[6, 8] == 0


def test_a_hidden_type_makes_room_for_the_others(density: Density) -> None:
    codes = CellCodes(2)
    picture = density.render(0, WHOLE, WHOLE, np.array([False, True]))
    assert picture[8, 8] in codes.density[1]
    assert not density.render(0, WHOLE, WHOLE, np.array([False, False])).any()


def test_parts_are_parts_of_the_whole(density: Density) -> None:
    whole = density.render(0, WHOLE, WHOLE, BOTH)
    np.testing.assert_array_equal(density.render(0, slice(5, 12), slice(3, 30), BOTH), whole[5:12, 3:30])


def test_coarser_levels_keep_all_nuclei(density: Density) -> None:
    codes, picture = CellCodes(2), density.render(1, WHOLE, WHOLE, BOTH)
    assert picture.shape == (8, 16)
    assert picture[4, 4] in codes.density[0]
    assert picture[4, 12] in codes.density[1]


def test_thousands_in_one_pixel_do_not_overflow() -> None:
    yx = np.concatenate([np.full((3000, 2), 3.5), np.full((2000, 2), 3.5)])
    kind = np.array([0] * 2000 + [1] * 3000, np.uint8)
    codes = CellCodes(2)
    picture = Density(yx, kind, 2, [(8, 8), (4, 4), (2, 2)], 1.0, codes).render(2, WHOLE, WHOLE, BOTH)
    assert picture[0, 0] in (codes.density[0, -1], codes.density[1, -1])


def test_no_levels() -> None:
    assert Density(np.zeros((0, 2)), np.zeros(0, np.uint8), 2, [], 1.0, CellCodes(2)).nbytes == 0


def slowly(yx: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Nuclei in the nine pixels around each, counted one by one."""
    found = np.zeros(shape, int)
    for y, x in yx.astype(int):
        found[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] += 1
    return found


def test_steps_are_shares_of_the_pixels_that_nuclei_cover() -> None:
    rng = np.random.default_rng(1)
    yx = rng.uniform(0, 24, (600, 2)) ** 2 / 24  # ever fewer to the right and below
    codes, area = CellCodes(1), 0.25
    picture = Density(yx, np.zeros(600, np.uint8), 1, [(24, 24)], area, codes).render(0, WHOLE, WHOLE, np.array([True]))
    number = slowly(yx, (24, 24))
    covered = number * area / 9
    step = np.searchsorted(DENSITY, covered, side="right") - 1
    wanted = np.where(number > 0, codes.density[0][step], 0)
    np.testing.assert_array_equal(picture, wanted)
    assert len(np.unique(picture)) > 4


@pytest.mark.parametrize("shape", [(7, 9), (1, 1), (2, 5)])
def test_levels_of_odd_sizes_keep_every_nucleus(shape: tuple[int, int]) -> None:
    yx = np.array([[0.0, 0.0], [shape[0] - 0.01, shape[1] - 0.01], [99.0, 99.0], [-4.0, -4.0]])
    half = (-(-shape[0] // 2), -(-shape[1] // 2))
    density = Density(yx, np.zeros(4, np.uint8), 1, [shape, half], 1.0, CellCodes(1))
    for level, (height, width) in enumerate((shape, half)):
        picture = density.render(level, WHOLE, WHOLE, np.array([True]))
        assert picture.shape == (height, width)
        assert picture[0, 0] > 0  # also those that lie outside of the slide
        assert picture[-1, -1] > 0


def test_many_types_have_numbers_of_two_bytes() -> None:
    codes = CellCodes(40)
    density = Density(np.array([[2.5, 2.5]]), np.array([39], np.uint8), 40, [(5, 5)], 1.0, codes)
    picture = density.render(0, WHOLE, WHOLE, np.ones(40, bool))
    assert picture.dtype == np.uint16
    assert picture[2, 2] in codes.density[39]
