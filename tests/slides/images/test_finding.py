import tracemalloc

import numpy as np
import pytest
from tests.slides.pictures import tissue_picture

from napari_c2lst.slides.images.finding import find_tissue
from napari_c2lst.slides.images.scratch import Scratch, strips

GLASS = (232, 228, 234)


@pytest.fixture(scope="module")
def picture():
    """Tissue with a hole, a speck, ink and a painted border, 8 um a pixel."""
    picture = np.full((160, 180, 3), GLASS, np.float32)
    picture += np.random.default_rng(0).normal(0, 1, picture.shape).astype(np.float32)
    picture[30:130, 40:140] = tissue_picture(100, 100, glass=GLASS)
    picture[60:90, 70:100] = GLASS
    picture[10:16, 160:166] = (120, 60, 140)
    picture[140:150, 20:120] = (30, 60, 170)
    picture[:, :12] = 3
    return picture


@pytest.mark.parametrize("rows", [1, 13, 40])
def test_the_result_does_not_depend_on_the_strips(picture, rows):
    mask, glass = find_tissue(picture, 8.0, strips(picture.shape, picture.shape[1] * 160))
    cut, glass_cut = find_tissue(picture, 8.0, strips(picture.shape, picture.shape[1] * rows))
    assert mask[100, 50]
    np.testing.assert_array_equal(cut, mask)
    assert glass_cut == glass


def test_nor_does_it_where_no_glass_is_seen():
    tissue = tissue_picture(90, 100)
    mask, glass = find_tissue(tissue, 8.0, strips(tissue.shape, 100 * 90))
    cut, none = find_tissue(tissue, 8.0, strips(tissue.shape, 100 * 7))
    assert glass is none is None
    np.testing.assert_array_equal(cut, mask)


def test_a_picture_on_disk_gives_the_same(picture):
    with Scratch(picture.shape, in_memory=0) as scratch:
        scratch.append(picture)
        mask, glass = find_tissue(scratch, 8.0)
    expected, colour = find_tissue(picture, 8.0)
    np.testing.assert_array_equal(mask, expected)
    assert glass == colour


def test_memory_is_a_few_masks(picture):
    many = np.tile(picture, (5, 5, 1))
    with Scratch(many.shape, in_memory=0) as scratch:
        scratch.append(many)
        del many
        tracemalloc.start()
        try:
            find_tissue(scratch, 8.0, strips(scratch.shape, 2**14))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # the picture alone would take 12 bytes a pixel, what is made of it at once more than 60
    assert peak < 20 * np.prod(scratch.shape[:2])
