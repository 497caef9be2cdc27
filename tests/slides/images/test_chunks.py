from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import dask.array as da
import numpy as np
import pytest
from tests.slides.pictures import CountingArray, noise

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images import chunks
from napari_c2lst.slides.images.chunks import ChunkReader, in_order, worker_count
from napari_c2lst.slides.images.pyramid import as_rgb


def reader_of(pixels, size=32):
    return ChunkReader(da.from_array(pixels, chunks=(3, size, size), name=False), "image of slide 'toy', level 0")


def test_reads_the_chunk_asked_for():
    pixels = noise(70, 100)
    reader = reader_of(pixels)
    reader.expect(np.array([0, 5, 11]))
    assert reader.columns == 4
    assert reader.corner(5) == (32, 32)
    np.testing.assert_array_equal(reader.read(5), pixels[:, 32:64, 32:64])
    np.testing.assert_array_equal(reader.read(11), pixels[:, 64:70, 96:100])


def test_reads_only_that_chunk_from_the_storage():
    source = CountingArray(noise(64, 96))
    reader = reader_of(source)
    reader.expect(np.array([1, 4]))
    reader.read(4)
    assert source.reads == [(32, 32)]


def test_a_lazy_conversion_on_top_does_not_read_twice():
    source = CountingArray(noise(64, 64))
    lazy = da.from_array(source, chunks=(3, 32, 32), name=False).map_blocks(lambda b: 255 - b, dtype=np.uint8)
    reader = ChunkReader(lazy, "toy")
    reader.expect(np.arange(4))
    np.testing.assert_array_equal(reader.read(2), 255 - source.pixels[:, 32:, :32])
    assert source.reads == [(32, 0)]


def test_channels_stored_apart_come_together():
    pixels = noise(40, 40)
    split = da.from_array(pixels, chunks=(1, 32, 32))
    reader = ChunkReader(split, "toy")
    reader.expect(np.array([0]))
    np.testing.assert_array_equal(reader.read(0), pixels[:, :32, :32])
    joined = ChunkReader(as_rgb(split), "toy")
    joined.expect(np.array([3]))
    np.testing.assert_array_equal(joined.read(3), pixels[:, 32:, 32:])


def test_an_unreadable_chunk_is_named_by_file_and_place():
    reader = reader_of(CountingArray(noise(64, 96), broken=(32, 64)))
    reader.expect(np.arange(6))
    reader.read(0)
    with pytest.raises(
        InputError, match=r"slide 'toy', level 0.*rows 32 to 64, columns 64 to 96.*end of file"
    ) as caught:
        reader.read(5)
    assert "damaged" in caught.value.hint


def test_an_error_without_a_text_is_named_by_its_kind():
    assert chunks._short(ValueError()) == "ValueError"
    assert chunks._short(OSError("first\nsecond")) == "OSError: first"


def test_results_come_in_order_and_not_too_far_ahead():
    most, lock = 0, threading.Lock()
    taken = []

    def work(item):
        nonlocal most
        with lock:
            most = max(most, item - len(taken))
        time.sleep(0.002 * (item % 3))
        return item * item

    with ThreadPoolExecutor(4) as pool:
        for item, result in in_order(pool, work, list(range(30)), ahead=5):
            taken.append((item, result))
    assert taken == [(i, i * i) for i in range(30)]
    assert most <= 6


def test_worker_count():
    assert worker_count(3) == 3
    assert worker_count(0) == 1
    assert 1 <= worker_count(None) <= 16


def test_an_error_comes_after_the_results_before_it():
    def work(item):
        if item == 3:
            raise InputError("damaged")
        return -item

    with ThreadPoolExecutor(2) as pool:
        results = in_order(pool, work, [1, 2, 3, 4], ahead=2)
        assert [next(results), next(results)] == [(1, -1), (2, -2)]
        with pytest.raises(InputError, match="damaged"):
            next(results)


@pytest.mark.parametrize(("items", "ahead"), [([], 3), ([7], 3), ([5, 4, 5], 0), ("abc", 100)])
def test_any_number_of_items_and_any_lead(items, ahead):
    with ThreadPoolExecutor(2) as pool:
        assert list(in_order(pool, str, items, ahead)) == [(item, str(item)) for item in items]


def test_chunks_of_unequal_sizes_are_found_by_their_borders():
    pixels = noise(50, 60)
    source = CountingArray(pixels, broken=(30, 10))
    reader = ChunkReader(da.from_array(source, chunks=((3,), (30, 5, 15), (10, 50)), name=False), "toy")
    reader.expect(np.arange(6))
    assert [reader.corner(chunk) for chunk in (0, 1, 4, 5)] == [(0, 0), (0, 10), (35, 0), (35, 10)]
    np.testing.assert_array_equal(reader.read(5), pixels[:, 35:50, 10:60])
    with pytest.raises(InputError, match="rows 30 to 35, columns 10 to 60"):
        reader.read(3)


def test_a_chunk_that_was_not_expected_is_named_too():
    reader = reader_of(noise(64, 64))
    reader.expect(np.array([0]))
    with pytest.raises(InputError, match="rows 32 to 64, columns 0 to 32 cannot be read"):
        reader.read(2)


def test_long_errors_are_cut():
    said = chunks._short(OSError("x" * 1000))
    assert said.startswith("OSError: xxx")
    assert len(said) < 200


def test_no_more_workers_than_16_nor_than_cores(monkeypatch):
    monkeypatch.setattr(chunks.os, "sched_getaffinity", lambda _: range(5), raising=False)
    assert worker_count(None) == 5
    monkeypatch.setattr(chunks.os, "sched_getaffinity", lambda _: range(64), raising=False)
    assert worker_count(None) == 16
    assert worker_count(40) == 40  # as asked
    monkeypatch.delattr(chunks.os, "sched_getaffinity")  # macOS and Windows have none
    monkeypatch.setattr(chunks.os, "cpu_count", lambda: None)
    assert worker_count(None) == 1
