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
