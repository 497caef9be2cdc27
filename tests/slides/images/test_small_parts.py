import tracemalloc

import numpy as np
import pytest
from scipy import ndimage

from napari_c2lst.slides.images.bits import Bits
from napari_c2lst.slides.images.scratch import strips
from napari_c2lst.slides.images.small_parts import drop_small


def without_small(mask, pixels, among, holes=False):
    """`drop_small` of a mask that stays."""
    bits = Bits.of(mask)
    drop_small(bits, pixels, among, holes)
    return np.asarray(bits)


def at_once(mask, pixels, holes):
    """The same with labels of the whole mask."""
    found = mask.copy()
    labels, count = ndimage.label(~mask if holes else mask)
    for part in range(1, count + 1):
        inside = labels == part
        edge = inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any()
        if inside.sum() < pixels and not (holes and edge):
            found[inside] = holes
    return found


@pytest.mark.parametrize("rows", [1, 2, 7, 100])
@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("density", [0.3, 0.55, 0.62])
def test_strips_change_nothing(rows, holes, density):
    mask = np.random.default_rng(3).random((40, 31)) < density
    found = without_small(mask, 9, strips(mask.shape, 31 * rows), holes=holes)
    np.testing.assert_array_equal(found, at_once(mask, 9, holes))


def test_a_part_that_leaves_a_strip_and_comes_back_is_one():
    mask = np.zeros((6, 7), bool)
    mask[:, [1, 5]] = True
    mask[5, 1:6] = True  # a U: its arms meet in the last strip only
    assert without_small(mask, 15, strips(mask.shape, 7)).sum() == mask.sum() == 15
    assert without_small(mask, 16, strips(mask.shape, 7)).sum() == 0


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("value", [False, True])
def test_a_mask_without_a_border_inside(holes, value):
    mask = np.full((5, 6), value)
    np.testing.assert_array_equal(without_small(mask, 3, strips(mask.shape, 12), holes=holes), mask)


def test_memory_does_not_grow_with_the_number_of_strips():
    """The borders of strips alone are kept, not the numbers of all their pixels."""
    mask = Bits.of(np.random.default_rng(0).random((1000, 600)) < 0.999)
    among = strips(mask.shape, 600 * 20)
    tracemalloc.start()
    try:
        drop_small(mask, 100, among)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * 600 * 20 < 8 * 1000 * 600


def test_a_part_is_kept_from_its_size_on():
    mask = np.zeros((9, 9), bool)
    mask[1:3, 1:4] = True  # six pixels
    for among in (strips(mask.shape), strips(mask.shape, 18)):
        assert without_small(mask, 6, among).sum() == 6
        assert without_small(mask, 6.01, among).sum() == 0
        assert without_small(mask, 0, among).sum() == 6


def test_corners_do_not_touch():
    mask = np.eye(6, dtype=bool)
    assert without_small(mask, 2, strips(mask.shape, 12)).sum() == 0


@pytest.mark.parametrize("rows", [1, 3, 9])
def test_a_hole_that_opens_to_any_border_stays(rows):
    for opening in ((0, 4), (8, 4), (4, 0), (4, 8)):
        mask = np.ones((9, 9), bool)
        mask[4, 4] = False
        path = [np.arange(min(a, b), max(a, b) + 1) for a, b in zip(opening, (4, 4), strict=True)]
        mask[np.ix_(*path)] = False
        np.testing.assert_array_equal(without_small(mask, 50, strips(mask.shape, 9 * rows), holes=True), mask)


def test_a_ring_across_strips_is_one_part_and_its_hole_another():
    mask = np.zeros((12, 12), bool)
    mask[2:10, 2:10] = True
    mask[4:8, 4:8] = False
    for among in (strips(mask.shape), strips(mask.shape, 24)):
        filled = without_small(mask, 17, among, holes=True)
        assert filled.sum() == 64
        np.testing.assert_array_equal(without_small(mask, 16, among, holes=True), mask)
        np.testing.assert_array_equal(without_small(mask, 48, among), mask)
        assert not without_small(mask, 49, among).any()
