from __future__ import annotations

import numpy as np
from tests.slides.pictures import noise

from napari_c2lst.slides.patches.regions import Regions
from napari_c2lst.slides.patches.resampling import PHASES


def test_regions_hold_their_place_and_what_the_filter_reaches():
    regions = Regions.around(np.array([[50.25, 60.5]]), 20.0, 10)
    assert len(regions) == 1
    assert (regions.phases / PHASES).tolist() == [[0.25, 0.5]]
    assert regions.first.tolist() == [[38, 48]]  # one target pixel = two source pixels around
    assert regions.last.tolist() == [[63, 73]]
    enlarged = Regions.around(np.array([[50.0, 60.0]]), 20.0, 64)
    assert enlarged.first.tolist() == [[38, 48]]
    assert enlarged.last.tolist() == [[62, 72]]


def test_a_place_left_of_the_image_has_its_part_of_a_pixel_counted_from_the_left():
    regions = Regions.around(np.array([[-3.75, 4.0]]), 8.0, 7)
    assert regions.first.tolist() == [[-10, -2]]  # begins at -7.75, that is at -8 and a quarter
    assert (regions.phases / PHASES).tolist() == [[0.25, 0.0]]


def test_a_place_a_hair_below_a_whole_pixel_is_that_pixel():
    regions = Regions.around(np.array([[32.0 - 1e-9, 32.0]]), 8.0, 7)
    assert regions.first.tolist() == [[26, 26]]
    assert regions.phases.tolist() == [[0, 0]]


def test_squares_with_the_pixels_of_a_patch_begin_at_the_nearest_whole_pixel():
    regions = Regions.around(np.array([[32.4, 32.6], [-3.75, 4.0]]), 8.3, 8)  # 8.3: as large within half a pixel
    assert regions.first.tolist() == [[28, 29], [-8, 0]]
    assert (regions.last - regions.first == 8).all()
    assert (regions.phases == 0).all()


def test_a_canvas_starts_white_and_takes_parts_of_chunks():
    planes = noise(64, 64)
    regions = Regions.around(np.array([[32.0, 32.0]]), 8.0, 8)
    canvas = regions.blank(0)
    assert canvas.min() == 255
    for top in (0, 32):
        for left in (0, 32):
            regions.paste(canvas, 0, planes[:, top : top + 32, left : left + 32], top, left)
    (y0, x0), (y1, x1) = regions.first[0], regions.last[0]
    np.testing.assert_array_equal(canvas, planes[:, y0:y1, x0:x1])


def test_what_lies_outside_the_image_stays_white():
    regions = Regions.around(np.array([[0.0, 0.0]]), 8.0, 7)
    canvas = regions.blank(0)
    regions.paste(canvas, 0, np.zeros((3, 32, 32), np.uint8), 0, 0)
    assert (canvas[:, :6] == 255).all()
    assert (canvas[:, 6:, 6:] == 0).all()


def test_a_region_inside_a_chunk_is_cut_without_a_copy():
    chunk = noise(64, 64)
    regions = Regions.around(np.array([[132.0, 232.0]]), 8.0, 7)
    cut = regions.cut(0, chunk, 100, 200)
    assert np.shares_memory(cut, chunk)
    np.testing.assert_array_equal(cut, chunk[:, 26:38, 26:38])
