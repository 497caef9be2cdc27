import tracemalloc

import numpy as np
import pytest
from scipy import ndimage

from napari_c2lst.slides.images import shares
from napari_c2lst.slides.images.bits import Bits
from napari_c2lst.slides.images.shares import Shares


def at_once(mask, centres, half):
    """The same from the sums of the whole mask."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int32)
    sums[1:, 1:] = mask.cumsum(axis=0, dtype=np.int32).cumsum(axis=1)
    y0, y1 = (np.clip(centres[:, 0] + s, 0, mask.shape[0]) for s in (-half, half))
    x0, x1 = (np.clip(centres[:, 1] + s, 0, mask.shape[1]) for s in (-half, half))
    corners = ((y1, x1), (y0, x1), (y1, x0), (y0, x0))
    a, b, c, d = (ndimage.map_coordinates(sums, corner, order=1, output=np.float64) for corner in corners)
    return np.clip((a - b - c + d) / (2 * half) ** 2, 0, 1)


@pytest.fixture(scope="module")
def mask():
    return np.random.default_rng(0).random((211, 97)) < 0.5


@pytest.mark.parametrize("pixels", [1, 98 * 10, 10**6])
@pytest.mark.parametrize("half", [0.3, 4.0, 7.7, 300.0])
def test_parts_of_the_sums_give_the_same_to_the_bit(mask, pixels, half, monkeypatch):
    monkeypatch.setattr(shares, "_PIXELS", pixels)
    centres = np.random.default_rng(1).uniform(-60, 270, (500, 2))
    centres[:5] = [[0, 0], [211, 97], [105, 97], [211, 0], [10, 10]]  # on whole pixels, corners of the mask among them
    np.testing.assert_array_equal(Shares(Bits.of(mask)).of(centres, half), at_once(mask, centres, half))


def test_asked_again_for_what_lies_above(mask):
    centres, below = np.array([[5.0, 5.0], [90.5, 20.25]]), np.array([[180.0, 30.0]])
    some = Shares(Bits.of(mask))
    for points in (centres, below, centres):
        np.testing.assert_array_equal(some.of(points, 3.3), at_once(mask, points, 3.3))


def test_no_points_and_points_that_are_none(mask):
    some = Shares(Bits.of(mask))
    assert some.of(np.zeros((0, 2)), 2.0).shape == (0,)
    assert some.of(np.array([[np.nan, 4.0], [np.inf, 4.0], [50.0, 50.0]]), 2.0)[:2].tolist() == [0.0, 0.0]


def test_memory_is_not_that_of_the_sums():
    bits = Bits((4000, 1000))
    centres = np.random.default_rng(1).uniform(0, 4000, (100, 2))
    tracemalloc.start()
    try:
        Shares(bits).of(centres, 5.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * 4 * 4000 * 1000
