from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from tests.slides.pictures import her2st, noise

from napari_c2lst.slides.images.chunks import ChunkReader
from napari_c2lst.slides.patches.regions import Regions
from napari_c2lst.slides.patches.resampling import PHASES, Filter, as_it_is, reach_of, resample


def by_us(planes, corners, side, px):
    """Patches of squares at (y, x) corners of a picture (3, h, w)."""
    regions = Regions.around(np.asarray(corners, float) + side / 2, side, px)
    squares = [regions.cut(i, planes, 0, 0) for i in range(len(regions))]
    return resample(squares, regions.phases, side, px)


def by_pillow(planes, corners, side, px):
    """The same as Pillow cuts them from the whole picture."""
    image = Image.fromarray(np.ascontiguousarray(np.moveaxis(planes, 0, -1)))
    kind = Image.Resampling.BICUBIC if side < px else Image.Resampling.HAMMING
    return np.stack([np.asarray(image.resize((px, px), kind, box=(x, y, x + side, y + side))) for y, x in corners])


def corners(height, width, side, count=40, seed=0):
    return np.random.default_rng(seed).uniform(8, np.array([height, width]) - side - 16, (count, 2))


# smaller by a little and by much, larger; whole blocks of output pixels and not; one block and less
SIZES = [(112.0, 64), (112.4, 64), (70.3, 64), (300.7, 64), (90.0, 64), (50.3, 64), (37.0, 20), (40.0, 5), (90.1, 50)]


@pytest.mark.parametrize(("side", "px"), SIZES)
def test_patches_are_those_of_pillow_within_a_grey_level(side, px):
    planes = noise(400, 500)  # the hardest picture: every neighbour is another grey level
    where = corners(400, 500, side)
    ours, theirs = by_us(planes, where, side, px), by_pillow(planes, where, side, px)
    assert ours.shape == (40, px, px, 3)
    assert ours.dtype == np.uint8
    difference = np.abs(ours.astype(int) - theirs)
    assert (difference > 1).mean() < 1e-4  # Pillow rounds twice, we once
    assert difference.max() <= 2
    assert abs((ours.astype(float) - theirs).mean()) < 0.05  # rounding, to neither side


def test_patches_of_tissue_are_those_of_pillow_within_a_grey_level(shared):
    slide, _ = her2st(shared, "B4")
    level = slide.pyramid.levels[0]
    reader = ChunkReader(level, "B4")
    reader.expect(np.array([0, 1]))
    planes = np.concatenate([reader.read(0), reader.read(1)], axis=2)
    side = 112 / slide.mpp
    where = corners(*planes.shape[1:], side, 60)
    for px in (64, 224):
        difference = np.abs(by_us(planes, where, side, px).astype(int) - by_pillow(planes, where, side, px))
        assert difference.max() <= 1


def test_a_patch_does_not_depend_on_the_others_of_its_group():
    planes, where = noise(300, 300), corners(300, 300, 112.3)
    together = by_us(planes, where, 112.3, 32)
    one_by_one = np.concatenate([by_us(planes, place[None], 112.3, 32) for place in where])
    np.testing.assert_array_equal(together, one_by_one)


def test_steps_that_fit_the_cache_give_what_one_step_gives(monkeypatch):
    planes, where = noise(300, 300), corners(300, 300, 112.0, 7)
    whole = by_us(planes, where, 112.0, 32)
    monkeypatch.setattr("napari_c2lst.slides.patches.resampling._WORKING_BYTES", 1)
    np.testing.assert_array_equal(by_us(planes, where, 112.0, 32), whole)


def test_very_large_patches_are_made_too():
    planes, where = noise(1300, 1300), np.array([[10.5, 20.25]])
    difference = np.abs(by_us(planes, where, 1200.0, 600).astype(int) - by_pillow(planes, where, 1200.0, 600))
    assert difference.max() <= 1


def test_no_squares_no_patches():
    none = np.empty((0, 2), np.int64)
    for side, px in ((20.0, 10), (10.0, 10), (5.0, 10)):
        assert resample([], none, side, px).shape == (0, px, px, 3)


def test_pixels_at_whole_places_of_their_own_size_are_left_as_they_are():
    planes = noise(100, 100)
    patch = by_us(planes, [[20, 30]], 32.0, 32)[0]
    np.testing.assert_array_equal(np.moveaxis(patch, -1, 0), planes[:, 20:52, 30:62])


@pytest.mark.parametrize("side", [31.5, 31.8, 32.2, 32.5])
def test_squares_as_large_as_a_patch_are_cut_at_whole_pixels_and_not_blurred(side):
    planes, middle = noise(100, 100), np.array([[36.3, 45.9]])
    patch = by_us(planes, middle - side / 2, side, 32)[0]
    np.testing.assert_array_equal(np.moveaxis(patch, -1, 0), planes[:, 20:52, 30:62])


def test_squares_larger_or_smaller_than_that_are_filtered():
    assert as_it_is(32.5, 32)
    assert as_it_is(31.5, 32)
    assert not as_it_is(32.51, 32)
    assert not as_it_is(31.49, 32)
    assert not as_it_is(1.6, 1)


def test_fine_stripes_become_grey_when_made_smaller():
    stripes = np.zeros((3, 64, 64), np.uint8)
    stripes[:, :, ::2] = 255
    patch = by_us(stripes, [[8, 8]], 48.0, 12)[0].astype(float)
    assert np.abs(patch - 127.5).max() < 12  # picking every fourth pixel would give 0 or 255


@pytest.mark.parametrize("px", [8, 20])
def test_a_shift_by_half_a_pixel_is_seen(px):
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) * 4, (3, 64, 64))
    here, there = by_us(ramp, [[24, 24.0], [24, 24.5]], 16.0, px).astype(float)
    np.testing.assert_allclose((there - here)[:, 2:-2], 2.0, atol=1.0)


@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_one_grey_stays_that_grey(value):
    planes = np.full((3, 200, 200), value, np.uint8)
    for side, px in SIZES[:3] + SIZES[4:6]:
        assert (by_us(planes, [[20.3, 30.7]], side, px) == value).all()


def test_weights_sum_to_one_at_every_place_within_a_pixel():
    filter_ = Filter.of(112.0, 50)
    sums = filter_.weights.sum(axis=2).reshape(len(filter_.weights), -1)
    np.testing.assert_allclose(sums[:, :50], 1, rtol=1e-6)
    assert (sums[:, 50:] == 0).all()  # the last block is not full
    assert filter_.starts[-1] + filter_.weights.shape[2] <= filter_.size


def test_the_last_part_of_a_pixel_is_next_to_the_first_of_the_next():
    planes = noise(100, 100)
    square = planes[:, 10:47, 10:47]
    late = resample([square], np.full((1, 2), PHASES - 1), 32.0, 16)
    next_ = resample([planes[:, 11:48, 11:48]], np.zeros((1, 2), np.int64), 32.0, 16)
    assert np.abs(late.astype(int) - next_).max() <= 1


def test_the_reach_of_the_filters():
    assert reach_of(20.0, 64) == 2
    assert reach_of(64.0, 64) == 0  # nothing is filtered
    assert reach_of(65.0, 64) == 2
    assert reach_of(112.0, 64) == 2
    assert reach_of(300.0, 64) == 5


ENLARGED = [(16.0, 64), (63.4, 64), (25.6, 100), (7.3, 224), (3.0, 4)]


@pytest.mark.parametrize(("side", "px"), ENLARGED)
def test_enlarged_patches_are_those_of_pillow(side, px):
    planes = noise(300, 300)  # black beside white: cubic weights overshoot nearly everywhere
    where = corners(300, 300, side, 20)
    difference = np.abs(by_us(planes, where, side, px).astype(int) - by_pillow(planes, where, side, px))
    # where one value of 0..255 is cut off, Pillow's rounding in between moves the next by up to two
    assert (difference > 1).mean() < 1e-3
    assert difference.max() <= 2


def test_what_overshoots_when_enlarging_is_cut_off_and_does_not_wrap_around():
    edge = np.zeros((3, 40, 40), np.uint8)
    edge[:, :, 20:] = 255
    patch = by_us(edge, [[10, 10]], 20.0, 80)[0]
    assert (patch[:, :36] == 0).all()
    assert (patch[:, 44:] == 255).all()
    assert (np.diff(patch[40, :, 0].astype(int)) >= 0).all()


def test_rows_and_columns_are_not_mixed_up_when_enlarging():
    planes = np.zeros((3, 40, 60), np.uint8)
    planes[0], planes[1] = np.arange(60) * 4, (np.arange(40) * 6)[:, None]
    patch = by_us(planes, [[10, 20]], 10.0, 40)[0].astype(int)
    assert (np.diff(patch[:, 20, 0]) == 0).all()
    assert (np.diff(patch[20, :, 0]) >= 0).all()
    assert (np.diff(patch[20, :, 1]) == 0).all()
    assert (np.diff(patch[:, 20, 1]) >= 0).all()
    assert (patch[..., 2] == 0).all()


def test_an_enlarged_patch_does_not_depend_on_the_others_of_its_group():
    planes, where = noise(200, 200), corners(200, 200, 30.7, 9)
    together = by_us(planes, where, 30.7, 64)
    for index, place in enumerate(where):
        np.testing.assert_array_equal(together[index], by_us(planes, place[None], 30.7, 64)[0])


def test_cubic_weights_sum_to_one_and_reach_two_pixels():
    filter_ = Filter.of(20.0, 50)
    sums = filter_.weights.sum(axis=2).reshape(len(filter_.weights), -1)
    np.testing.assert_allclose(sums[:, :50], 1, rtol=1e-5)
    assert filter_.weights.min() < 0  # it overshoots: that is what makes edges sharp
    assert filter_.starts[-1] + filter_.weights.shape[2] <= filter_.size
