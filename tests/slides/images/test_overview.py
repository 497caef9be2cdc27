"""The whole image as one small picture."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_c2lst.slides.images.overview import overview
from napari_c2lst.slides.images.pyramid import Pyramid


def pyramid(height: int = 200, width: int = 400, levels: int = 1) -> Pyramid:
    pixels = np.zeros((3, height, width), np.uint8)
    pixels[0, :, width // 2 :] = 200  # the right half is red
    fine = da.from_array(pixels, chunks=(3, 64, 64))
    steps = [2**i for i in range(levels)]
    return Pyramid([fine[:, ::k, ::k] for k in steps], [float(k) for k in steps])


def test_a_small_image_stays_as_it_is() -> None:
    picture, downsample = overview(pyramid(), 1000)
    assert picture.shape == (200, 400, 3)
    assert downsample == 1.0


@pytest.mark.parametrize("levels", [1, 3])
def test_it_has_about_the_size_that_was_asked_for(levels: int) -> None:
    picture, downsample = overview(pyramid(levels=levels), 100)
    assert picture.shape == (50, 100, 3)
    assert downsample == 4.0


def test_pixels_are_means_and_keep_their_place() -> None:
    picture, _ = overview(pyramid(), 50)
    assert picture.dtype == np.uint8
    assert (picture[:, :25] == 0).all()
    assert (picture[:, 25:, 0] == 200).all()
    assert (picture[:, :, 1:] == 0).all()


def test_a_coarse_level_is_used_where_there_is_one() -> None:
    several = pyramid(levels=3)
    several.levels[0] = None  # would fail if it were read
    shape_known = Pyramid([da.zeros((3, 200, 400), dtype=np.uint8), *several.levels[1:]], several.downsample)
    picture, downsample = overview(shape_known, 100)
    assert downsample == 4.0
    assert picture[:, -1, 0].min() == 200


def test_a_sliver_keeps_at_least_one_row_or_column() -> None:
    for height, width, shape in ((3, 4000, (1, 1333, 3)), (4000, 1, (4000, 1, 3))):
        picture, downsample = overview(pyramid(height, width), 100)
        assert picture.shape == shape
        assert downsample == 4000 // max(shape)
        assert np.isfinite(picture).all()


def test_rows_left_over_at_the_far_border_are_cut() -> None:
    pixels = np.zeros((3, 103, 205), np.uint8)
    pixels[:, 100:] = pixels[:, :, 200:] = 255  # less than a pixel of the picture
    picture, downsample = overview(Pyramid([da.from_array(pixels, chunks=(3, 50, 50))], [1.0]), 20)
    assert (picture.shape, downsample) == ((10, 20, 3), 10.0)
    assert picture.max() == 0
