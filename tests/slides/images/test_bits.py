import numpy as np
import pytest

from napari_c2lst.slides.images.bits import Bits


@pytest.fixture(params=[(300, 13), (5, 8), (1, 1), (600, 17)], ids=str)
def mask(request):
    return np.random.default_rng(1).random(request.param) < 0.4


def test_a_mask_comes_back_as_it_was(mask):
    bits = Bits.of(mask)
    assert bits.shape == mask.shape
    assert np.asarray(bits).dtype == bool
    np.testing.assert_array_equal(np.asarray(bits), mask)
    np.testing.assert_array_equal(bits[1:4], mask[1:4])
    np.testing.assert_array_equal(np.asarray(bits, np.float32), mask.astype(np.float32))


def test_rows_are_put_in_place(mask):
    bits, rows = Bits.of(mask), slice(0, 3)
    bits[rows] = ~mask[rows]
    expected = mask.copy()
    expected[rows] = ~mask[rows]
    np.testing.assert_array_equal(bits[:], expected)


def test_numbers_of_pixels(mask):
    bits = Bits.of(mask)
    assert bits.sum() == mask.sum()
    np.testing.assert_array_equal(bits.in_rows(), mask.sum(axis=1))
    assert bits.any() == mask.any()
    assert not Bits(mask.shape).any()


def test_what_is_in_both(mask):
    other = np.random.default_rng(2).random(mask.shape) < 0.5
    bits = Bits.of(mask)
    bits &= Bits.of(other)
    np.testing.assert_array_equal(bits[:], mask & other)


def test_single_pixels(mask):
    row, column = np.indices(mask.shape).reshape(2, -1)
    np.testing.assert_array_equal(Bits.of(mask).at(row, column), mask.ravel())


def test_places_are_those_of_argwhere():
    mask = np.random.default_rng(1).random((300, 13)) < 0.1
    mask[:3] = mask[100:120] = False  # rows without any
    every = np.argwhere(mask)
    ranks = np.random.default_rng(3).integers(len(every), size=50)
    np.testing.assert_array_equal(Bits.of(mask).places(ranks), every[ranks])
    np.testing.assert_array_equal(Bits.of(mask).places(np.arange(len(every))), every)


def test_bits_are_no_view():
    mask = np.zeros((3, 9), bool)
    bits = Bits.of(mask)
    mask[:] = True
    bits[:][:] = True
    assert not bits.any()
    with pytest.raises(ValueError, match="by a copy"):
        np.asarray(bits, copy=False)


def test_a_pixel_takes_a_bit():
    assert Bits((80, 800))._packed.nbytes == 80 * 100
