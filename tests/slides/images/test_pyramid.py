from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.pyramid import Pyramid, as_rgb, element_levels, halved, rgb_block


def lazily(pixels: np.ndarray, chunks: object = -1) -> da.Array:
    return da.from_array(pixels, chunks=chunks)


def test_levels_are_sorted_finest_first() -> None:
    levels = [lazily(np.zeros((3, h, h), np.uint8)) for h in (25, 100, 50)]
    pyramid = Pyramid.of_levels(levels)
    assert [level.shape[1] for level in pyramid.levels] == [100, 50, 25]
    assert pyramid.downsample == [1, 2, 4]
    assert pyramid.shape == (100, 100)


@pytest.mark.parametrize(
    ("target", "level"), [(0.1, 0), (0.5, 0), (0.9, 0), (1.0, 1), (0.995, 1), (1.9, 1), (2.0, 2), (50, 2)]
)
def test_the_coarsest_level_that_is_fine_enough(target: float, level: int) -> None:
    pyramid = Pyramid.of_levels([lazily(np.zeros((3, h, h), np.uint8)) for h in (400, 200, 100)])
    assert pyramid.level_for(target, 0.5) == level


def test_rgb_is_passed_on_untouched() -> None:
    array = lazily(np.zeros((3, 8, 8), np.uint8), (3, 4, 4))
    assert as_rgb(array) is array


def test_chunks_of_the_storage_are_kept_and_channels_joined() -> None:
    array = as_rgb(lazily(np.zeros((4, 8, 8), np.uint8), (1, 4, 4)))
    assert array.chunks == ((3,), (4, 4), (4, 4))
    assert array.dtype == np.uint8


@pytest.mark.parametrize(
    ("pixel", "wanted"),
    [
        (np.array([0.0, 0.5, 1.0]), [0, 128, 255]),
        (np.array([-1.0, np.nan, 7.0], np.float32), [0, 0, 255]),
        (np.array([0, 0x8000, 0xFFFF], np.uint16), [0, 128, 255]),
        (np.array([9], np.uint8), [9, 9, 9]),
        (np.array([True]), [255, 255, 255]),
        (np.array([10, 20, 30, 255], np.uint8), [10, 20, 30]),
        (np.array([10, 20, 30, 0], np.uint8), [255, 255, 255]),
        (np.array([0, 0, 0, 51], np.uint8), [204, 204, 204]),
    ],
)
def test_depths_of_colour(pixel: np.ndarray, wanted: list[int]) -> None:
    block = np.broadcast_to(pixel[:, None, None], (len(pixel), 2, 3)).copy()
    result = rgb_block(block)
    assert result.dtype == np.uint8
    assert result.shape == (3, 2, 3)
    assert result[:, 1, 2].tolist() == wanted
    assert np.array_equal(as_rgb(lazily(block)).compute(), result)


@pytest.mark.parametrize("channels", [2, 5])
def test_other_numbers_of_channels_are_refused(channels: int) -> None:
    with pytest.raises(InputError, match=f"image 'dapi' has {channels} channels"):
        Pyramid.of_levels([lazily(np.zeros((channels, 4, 4), np.uint8))], "image 'dapi'")


def test_halved_is_the_mean_of_two_by_two() -> None:
    pixels = np.arange(3 * 6 * 4, dtype=np.uint8).reshape(3, 6, 4)
    wanted = np.floor(pixels.reshape(3, 3, 2, 2, 2).mean(axis=(2, 4)) + 0.5)
    assert np.array_equal(halved(pixels), wanted)
    bright = np.full((3, 2, 2), 255, np.uint8)
    assert halved(bright).ravel().tolist() == [255, 255, 255]


def test_an_odd_last_row_is_repeated() -> None:
    pixels = np.arange(15, dtype=np.uint8).reshape(1, 3, 5).repeat(3, axis=0)
    small = halved(pixels)
    assert small.shape == (3, 2, 3)
    assert small[0, 1].tolist() == [11, 13, 14]


def test_levels_of_elements_with_any_order_of_axes() -> None:
    from spatialdata.models import Image2DModel

    pixels = np.arange(8 * 6 * 3, dtype=np.uint8).reshape(8, 6, 3)
    single = Image2DModel.parse(pixels, dims=("y", "x", "c"))
    assert np.array_equal(element_levels(single)[0].compute(), pixels.transpose(2, 0, 1))
    several = Image2DModel.parse(pixels, dims=("y", "x", "c"), scale_factors=[2])
    assert [level.shape for level in element_levels(several)] == [(3, 8, 6), (3, 4, 3)]
    assert Pyramid.of_element(several).downsample == [1, 2]


def test_a_level_of_any_size_can_be_halved_down_to_one_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 37, 5), np.uint8)
    sizes = []
    while pixels.shape[1:] != (1, 1):
        pixels = halved(pixels)
        sizes.append(pixels.shape[1:])
    assert sizes == [(19, 3), (10, 2), (5, 1), (3, 1), (2, 1), (1, 1)]


def test_levels_that_are_not_exact_halves_have_their_mean_reduction() -> None:
    pyramid = Pyramid.of_levels([lazily(np.zeros((3, h, w), np.uint8)) for h, w in ((101, 99), (51, 50))])
    assert pyramid.downsample[0] == 1
    assert pyramid.downsample[1] == pytest.approx(np.sqrt(101 / 51 * 99 / 50))


def test_an_image_of_one_level_is_read_at_that_level_whatever_is_asked() -> None:
    pyramid = Pyramid.of_levels([lazily(np.zeros((1, 9, 9), np.uint8))])
    assert [pyramid.level_for(target, 0.5) for target in (0.01, 0.5, 100)] == [0, 0, 0]
    assert pyramid.levels[0].shape == (3, 9, 9)


@pytest.mark.parametrize(
    ("pixel", "wanted"),
    [
        (np.array([0.2, 0.4, 0.6, 0.0]), [255, 255, 255]),
        (np.array([1.0, 0.0, 0.0, 1.0]), [255, 0, 0]),
        (np.array([0x0A00, 0x1400, 0x1E00, 0xFFFF], np.uint16), [10, 20, 30]),
        (np.array([0x0A00, 0x1400, 0x1E00, 0], np.uint16), [255, 255, 255]),
        (np.array([7, 8, 9], np.int64), [7, 8, 9]),
        (np.array([False, True, False]), [0, 255, 0]),
    ],
    ids=["clear", "opaque", "16 bits", "16 bits, clear", "wide", "yes or no"],
)
def test_transparency_and_depth_go_together(pixel: np.ndarray, wanted: list[int]) -> None:
    assert rgb_block(np.tile(pixel[:, None, None], (1, 2, 2)))[:, 1, 1].tolist() == wanted


def test_levels_may_be_stored_in_different_ways() -> None:
    fine, coarse = np.full((4, 8, 8), 200, np.uint8), np.full((1, 4, 4), 0x0500, np.uint16)
    fine[3] = 255
    pyramid = Pyramid.of_levels([lazily(coarse), lazily(fine, (1, 4, 4))])
    assert [level.shape for level in pyramid.levels] == [(3, 8, 8), (3, 4, 4)]
    assert [int(level.compute().max()) for level in pyramid.levels] == [200, 5]


def test_of_levels_as_fine_as_wanted_the_coarsest_counts_even_with_gaps() -> None:
    pyramid = Pyramid.of_levels([lazily(np.zeros((3, h, h), np.uint8)) for h in (1600, 400, 25)])
    assert pyramid.downsample == [1, 4, 64]
    assert [pyramid.level_for(um, 0.25) for um in (0.25, 0.9, 1.0, 15.0, 16.0)] == [0, 0, 1, 1, 2]
