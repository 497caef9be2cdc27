from __future__ import annotations

import numpy as np
from PIL import Image
from tests.slides.pictures import noise

from napari_c2lst.slides.patches.regions import Regions, as_picture


def test_a_picture_has_the_planes_as_channels():
    planes = noise(5, 7)
    np.testing.assert_array_equal(np.asarray(as_picture(planes)), np.moveaxis(planes, 0, -1))


def test_regions_hold_their_box_and_what_the_filter_reaches():
    regions = Regions.around(np.array([[50.25, 60.5]]), 20.0, 10)
    assert len(regions) == 1
    np.testing.assert_allclose(regions.corner, [[40.25, 50.5]])
    assert regions.first.tolist() == [[38, 48]]  # one target pixel = two source pixels around
    assert regions.last.tolist() == [[63, 73]]
    enlarged = Regions.around(np.array([[50.0, 60.0]]), 20.0, 64)
    assert enlarged.first.tolist() == [[38, 48]]
    assert enlarged.last.tolist() == [[62, 72]]


def test_a_canvas_starts_white_and_takes_parts_of_chunks():
    planes = noise(64, 64)
    regions = Regions.around(np.array([[32.0, 32.0]]), 8.0, 8)
    canvas = regions.blank(0)
    assert np.asarray(canvas).min() == 255
    for top in (0, 32):
        for left in (0, 32):
            regions.paste(canvas, 0, as_picture(planes[:, top : top + 32, left : left + 32]), top, left)
    y0, x0 = regions.first[0]
    y1, x1 = regions.last[0]
    np.testing.assert_array_equal(np.asarray(canvas), np.moveaxis(planes[:, y0:y1, x0:x1], 0, -1))


def test_what_lies_outside_the_image_stays_white():
    regions = Regions.around(np.array([[0.0, 0.0]]), 8.0, 8)
    canvas = regions.blank(0)
    regions.paste(canvas, 0, as_picture(np.zeros((3, 32, 32), np.uint8)), 0, 0)
    pixels = np.asarray(canvas)
    assert (pixels[:5] == 255).all()
    assert (pixels[5:, 5:] == 0).all()


def test_the_canvas_gives_the_same_patch_as_the_whole_image():
    planes = noise(128, 128)
    whole = as_picture(planes)
    for side, px in ((20.3, 8), (20.3, 16), (9.7, 16), (40.0, 40)):
        regions = Regions.around(np.array([[61.37, 70.11]]), side, px)
        y0, x0 = regions.first[0]
        y1, x1 = regions.last[0]
        cut = whole.crop((x0, y0, x1, y1))
        from_cut = np.asarray(regions.resize(0, cut, int(y0), int(x0)), int)
        from_whole = np.asarray(regions.resize(0, whole, 0, 0), int)
        assert np.abs(from_cut - from_whole).max() <= 1


def test_fine_stripes_become_grey_when_made_smaller():
    stripes = np.zeros((3, 64, 64), np.uint8)
    stripes[:, :, ::2] = 255
    patch = np.asarray(Regions.around(np.array([[32.0, 32.0]]), 48.0, 12).resize(0, as_picture(stripes), 0, 0), float)
    assert np.abs(patch - 127.5).max() < 12  # picking every fourth pixel would give 0 or 255


def test_a_shift_by_half_a_pixel_is_seen():
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) * 4, (3, 64, 64))
    here, there = (
        np.asarray(Regions.around(np.array([[32.0, x]]), 16.0, 8).resize(0, as_picture(ramp), 0, 0), float)
        for x in (32.0, 32.5)
    )
    np.testing.assert_allclose((there - here)[:, 2:-2], 2.0, atol=1.0)


def test_resize_is_the_filter_that_is_stated():
    planes = noise(40, 40)
    regions = Regions.around(np.array([[20.0, 20.0]]), 20.0, 10)
    expected = as_picture(planes).resize((10, 10), Image.Resampling.HAMMING, box=(10, 10, 30, 30))
    np.testing.assert_array_equal(np.asarray(regions.resize(0, as_picture(planes), 0, 0)), np.asarray(expected))
