import tempfile

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.scratch import Scratch, Strip, parts_of, strips


@pytest.mark.parametrize("in_memory", [0, 100, 10**6])
def test_rows_come_back_as_they_were_appended(in_memory):
    values = np.random.default_rng(0).random((9, 4, 3)).astype(np.float32)
    with Scratch(values.shape, in_memory) as scratch:
        scratch.append(values[:2])
        np.testing.assert_array_equal(scratch[0:2], values[:2])
        scratch.append(values[2:])  # reading in between does not change where rows go
        np.testing.assert_array_equal(scratch[3:7], values[3:7])
        np.testing.assert_array_equal(scratch[:], values)
        assert scratch[4:4].shape == (0, 4, 3)


def test_rows_that_lie_apart_in_memory_are_stored_in_order():
    values = np.moveaxis(np.arange(24, dtype=np.float32).reshape(3, 4, 2), 0, -1)
    with Scratch(values.shape) as scratch:
        scratch.append(values)
        np.testing.assert_array_equal(scratch[0:4], values)


def test_a_full_disk_is_said(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "write", full)
    with Scratch((2, 2)) as scratch, pytest.raises(InputError, match="full"):
        scratch.append(np.zeros((2, 2), np.float32))


@pytest.mark.parametrize(("shape", "pixels"), [((10, 4), 12), ((10, 4), 1), ((3, 400, 3), 10**6), ((7, 5), 35)])
def test_strips_make_up_the_image(shape, pixels):
    found = strips(shape, pixels)
    assert [row for strip in found for row in range(strip.start, strip.stop)] == list(range(shape[0]))
    assert all((strip.stop - strip.start) * shape[1] <= max(pixels, shape[1]) for strip in found)


def test_a_strip_looks_no_further_than_the_image():
    rows = np.arange(10)
    for strip in (Strip(0, 3, 10), Strip(4, 6, 10), Strip(8, 10, 10)):
        around, inner = strip.around(3)
        np.testing.assert_array_equal(rows[around][inner], rows[strip.rows])
    assert Strip(0, 3, 10).around(3)[0] == slice(0, 6)
    assert Strip(8, 10, 10).around(3)[0] == slice(5, 10)


def test_parts_of_an_array_are_what_is_chosen():
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    chosen = values % 2 == 0
    parts = list(parts_of(values, chosen, strips(values.shape, 3)))
    assert len(parts) == 4
    np.testing.assert_array_equal(np.concatenate(parts), values[chosen])


@pytest.mark.parametrize("type_", [np.uint8, np.float64, np.int64])
def test_other_numbers_are_kept_as_float32(type_):
    rows = np.arange(12).reshape(4, 3).astype(type_)
    with Scratch((4, 3)) as scratch:
        scratch.append(rows)
        assert scratch[:].dtype == np.float32
        np.testing.assert_array_equal(scratch[:], rows)


def test_slices_are_pythons():
    values = np.random.default_rng(0).random((8, 5)).astype(np.float32)
    with Scratch(values.shape, in_memory=0) as scratch:
        scratch.append(values)
        for rows in (slice(None, 3), slice(-2, None), slice(6, 100), slice(8, 9), slice(-100, 1)):
            np.testing.assert_array_equal(scratch[rows], values[rows])


def test_nothing_is_left_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Scratch((50, 50), in_memory=10) as scratch:
        scratch.append(np.zeros((50, 50), np.float32))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="closed"):
        scratch[0:1]


@pytest.mark.parametrize("shape", [(0, 10), (5, 0), (1, 1)])
def test_images_of_hardly_anything_have_strips(shape):
    assert sum(strip.stop - strip.start for strip in strips(shape)) == shape[0]


def test_parts_of_an_array_on_disk():
    values = np.arange(20, dtype=np.float32).reshape(5, 4)
    chosen = np.zeros((5, 4), bool)
    chosen[[0, 4], [3, 0]] = True
    with Scratch(values.shape, in_memory=0) as scratch:
        scratch.append(values)
        parts = list(parts_of(scratch, chosen, strips(values.shape, 8)))
    assert [part.tolist() for part in parts] == [[3.0], [], [16.0]]
