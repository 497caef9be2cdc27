import numpy as np
import pytest

from napari_c2lst.plugin.cells.near import NearCells


@pytest.fixture
def yx() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, [300, 500], (2000, 2))


@pytest.mark.parametrize("box", [(10, 20, 60, 90), (-50, -50, 5, 5), (290, 480, 900, 900), (0, 0, 300, 500)])
def test_all_that_lie_in_a_rectangle_are_found(yx: np.ndarray, box: tuple[float, float, float, float]) -> None:
    near = NearCells(yx, (300, 500))
    found = near.within(*box)
    inside = np.all((yx >= box[:2]) & (yx <= box[2:]), axis=1)
    assert set(np.flatnonzero(inside)) <= set(found.tolist())
    assert len(set(found.tolist())) == len(found)


def test_few_others_are_looked_at(yx: np.ndarray) -> None:
    near = NearCells(yx, (300, 500))
    assert len(near.within(100, 100, 101, 101)) < 60
    assert sorted(near.order.tolist()) == list(range(2000))


def test_no_cells_and_cells_outside_of_the_slide() -> None:
    assert len(NearCells(np.zeros((0, 2)), (10, 10)).within(0, 0, 9, 9)) == 0
    odd = NearCells(np.array([[-3.0, 4.0], [25.0, 4.0]]), (10, 10))
    assert sorted(odd.within(0, 0, 10, 10).tolist()) == [0, 1]


@pytest.mark.parametrize("box", [(60, 90, 10, 20), (-9, -9, -1, -1), (900, 900, 999, 999), (5, 5, 5, 5)])
def test_rectangles_that_are_odd_are_no_error(yx: np.ndarray, box: tuple[float, float, float, float]) -> None:
    found = NearCells(yx, (300, 500)).within(*box)
    assert found.dtype == np.int32
    assert len(found) < len(yx) / 2


def test_one_cell_is_found_wherever_it_lies() -> None:
    for place in ((0.0, 0.0), (9.999, 9.999), (10.0, 10.0), (5.0, 0.0)):
        near = NearCells(np.array([place]), (10, 10))
        assert near.within(place[0], place[1], place[0], place[1]).tolist() == [0]


def test_all_cells_in_one_place_of_a_tiny_slide() -> None:
    near = NearCells(np.full((5000, 2), 0.5), (1, 1))
    assert len(near.within(0, 0, 1, 1)) == 5000


@pytest.mark.parametrize("number", [1, 17, 3000])
def test_what_is_near_is_found_however_many_there_are(number: int) -> None:
    rng = np.random.default_rng(number)
    yx = rng.uniform(0, [80, 900], (number, 2))
    near = NearCells(yx, (80, 900))
    for _ in range(20):
        low = rng.uniform(-20, [90, 910])
        high = low + rng.uniform(0, 200, 2)
        found = set(near.within(*low, *high).tolist())
        assert set(np.flatnonzero(((yx >= low) & (yx <= high)).all(axis=1))) <= found
