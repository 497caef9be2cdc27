from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from tests.slides.pictures import CountingArray, noise, slide_of

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images import shrinking
from napari_c2lst.slides.images.chunks import ChunkReader
from napari_c2lst.slides.images.pyramid import Pyramid
from napari_c2lst.slides.images.shrinking import block_means, mean_rows, shrunk, shrunk_on_disk


def naive(pixels, side):
    _, height, width = pixels.shape
    rows, columns = range(0, height, side), range(0, width, side)
    return np.array([[pixels[:, y : y + side, x : x + side].mean(axis=(1, 2)) for x in columns] for y in rows])


@pytest.mark.parametrize(("side", "chunk"), [(1, 32), (7, 32), (8, 32), (40, 32), (13, 100)])
def test_means_are_exact_whatever_the_chunks(side, chunk):
    pixels = noise(91, 118)
    reader = ChunkReader(da.from_array(pixels, chunks=(3, chunk, chunk)), "toy")
    np.testing.assert_allclose(block_means(reader, side, 2), naive(pixels, side), atol=1e-4)


def test_reads_each_chunk_once():
    source = CountingArray(noise(100, 100))
    reader = ChunkReader(da.from_array(source, chunks=(3, 32, 32), name=False), "toy")
    block_means(reader, 5, 2)
    assert len(source.reads) == len(set(source.reads)) == 16


def test_takes_the_coarsest_level_that_is_fine_enough():
    pixels = noise(256, 256)
    slide = slide_of(pixels, mpp=0.5, levels=4)  # 0.5, 1, 2, 4 um/px
    picture, px = shrunk(slide, 8.0)
    assert px == pytest.approx(16.0)
    assert picture.shape == (16, 16, 3)
    np.testing.assert_allclose(picture, naive(pixels, 16), atol=1.0)


def test_a_coarse_slide_keeps_its_pixels():
    pixels = noise(30, 20)
    picture, px = shrunk(slide_of(pixels, mpp=15.1), 8.0)
    assert px == 1.0
    np.testing.assert_array_equal(picture, np.moveaxis(pixels, 0, -1))


@pytest.mark.parametrize("side", [1, 5, 8])
def test_rows_of_means_come_in_order_and_no_more_than_are_complete(side):
    pixels = noise(203, 90)
    reader = ChunkReader(da.from_array(pixels, chunks=(3, 64, 32)), "toy")
    parts = list(mean_rows(reader, side, 2))
    assert max(map(len, parts)) <= 64
    assert len(parts) >= 4
    np.testing.assert_allclose(np.concatenate(parts), naive(pixels, side), atol=1e-4)


def test_squares_higher_than_a_chunk_wait_for_the_next():
    pixels = noise(100, 40)
    reader = ChunkReader(da.from_array(pixels, chunks=(3, 16, 40)), "toy")
    np.testing.assert_allclose(block_means(reader, 33, 1), naive(pixels, 33), atol=1e-4)


def test_the_picture_on_disk_is_the_same():
    slide = slide_of(noise(256, 200), mpp=0.5, levels=2)
    picture, px = shrunk(slide, 8.0)
    on_disk, same = shrunk_on_disk(slide, 8.0)
    with on_disk:
        assert same == px
        assert on_disk.shape == picture.shape
        np.testing.assert_array_equal(on_disk[:], picture)


@pytest.mark.parametrize("shape", [(1, 1), (1, 77), (77, 1), (3, 200)])
@pytest.mark.parametrize("side", [1, 4, 500])
def test_images_of_any_shape_even_smaller_than_a_square(shape, side):
    pixels = noise(*shape)
    reader = ChunkReader(da.from_array(pixels, chunks=(3, 16, 16)), "toy")
    np.testing.assert_allclose(block_means(reader, side, 1), naive(pixels, side), atol=1e-4)


def test_chunks_of_unequal_sizes():
    pixels = noise(50, 60)
    reader = ChunkReader(da.from_array(pixels, chunks=((3,), (30, 5, 15), (10, 50))), "toy")
    np.testing.assert_allclose(block_means(reader, 7, 2), naive(pixels, 7), atol=1e-4)


def test_sums_of_many_bright_pixels_do_not_overflow():
    white = np.broadcast_to(np.uint8(255), (3, 4200, 4200))
    reader = ChunkReader(da.from_array(white, chunks=(3, 4200, 1400), name=False), "toy")
    np.testing.assert_array_equal(block_means(reader, 4200, 2), np.full((1, 1, 3), 255))


@pytest.mark.parametrize("workers", [1, 3, None])
def test_the_number_of_threads_changes_nothing(workers):
    slide = slide_of(noise(120, 130), mpp=1.0)
    np.testing.assert_array_equal(shrunk(slide, 4.0, workers)[0], shrunk(slide, 4.0, 2)[0])


def test_a_damaged_place_names_slide_and_level_and_leaves_nothing_open(monkeypatch):
    source = CountingArray(noise(128, 128), broken=(64, 0))
    closed = []
    close = shrinking.Scratch.close
    monkeypatch.setattr(shrinking.Scratch, "close", lambda self: (closed.append(self), close(self)))
    with pytest.raises(InputError, match=r"image of slide 'toy' \(toy.zarr\), level 0: .* rows 64 to 128"):
        shrunk_on_disk(slide_of(source), 4.0)
    assert len(closed) == 1


def test_a_grey_slide_of_deep_pixels_is_shrunk_as_it_looks():
    deep = np.full((1, 64, 64), 0x8000, np.uint16)
    slide = slide_of(noise(8, 8))
    slide.pyramid = Pyramid.of_levels([da.from_array(deep, chunks=(1, 32, 32))])
    picture, px = shrunk(slide, 8.0)
    assert (picture.shape, px) == ((8, 8, 3), 8.0)
    assert (picture == 128).all()
