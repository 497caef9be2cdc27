from __future__ import annotations

import threading
import tracemalloc
from collections import Counter

import dask.array as da
import numpy as np
from tests.slides.pictures import CountingArray, noise

from napari_c2lst.slides.images.chunks import ChunkReader
from napari_c2lst.slides.patches.regions import Regions
from napari_c2lst.slides.patches.stream import PatchStream


def stream_of(source, centres, *, side=20.0, px=16, chunk=64, workers=2):
    reader = ChunkReader(da.from_array(source, chunks=(3, chunk, chunk), name=False), "toy")
    return PatchStream(reader, Regions.around(np.asarray(centres, float), side, px), workers)


def everywhere(height, width, count, seed=0):
    return np.random.default_rng(seed).uniform((0, 0), (height, width), (count, 2))


def test_every_chunk_is_decoded_exactly_once():
    source = CountingArray(noise(512, 512))
    stream = stream_of(source, everywhere(512, 512, 400), workers=3)
    found = [i for indices, _ in stream for i in indices]
    assert sorted(found) == list(range(400))
    counts = Counter(source.reads)
    assert set(counts.values()) == {1}
    assert len(counts) == len(stream.chunks) == 64


def test_chunks_that_no_patch_needs_are_not_decoded():
    source = CountingArray(noise(512, 512))
    list(stream_of(source, [[32, 32], [32, 34], [480, 480]]))
    assert sorted(source.reads) == [(0, 0), (448, 448)]


def test_the_order_does_not_depend_on_the_workers():
    pixels, centres = noise(256, 256), everywhere(256, 256, 150)
    one, four = ([(list(i), p) for i, p in stream_of(pixels, centres, workers=w)] for w in (1, 4))
    assert [i for i, _ in one] == [i for i, _ in four]
    for (_, a), (_, b) in zip(one, four, strict=True):
        np.testing.assert_array_equal(a, b)


def test_patches_come_in_the_order_of_the_chunks():
    stream = stream_of(noise(256, 256), [[200, 200], [30, 30], [30, 200], [64, 64]])
    assert [i for indices, _ in stream for i in indices] == [1, 2, 3, 0]


def test_it_decodes_only_a_little_ahead_and_stops_when_closed():
    source = CountingArray(noise(1024, 1024))
    iterator = iter(stream_of(source, everywhere(1024, 1024, 1500), workers=2))
    next(iterator)
    iterator.close()
    assert len(source.reads) < 40  # of 256: one row of chunks, some ahead


def test_a_region_beside_the_image_is_white():
    stream = stream_of(noise(64, 64), [[-100, 20], [32, 32], [20, 400]])
    found = {i: patch for indices, patches in stream for i, patch in zip(indices, patches, strict=True)}
    assert (found[0] == 255).all()
    assert (found[2] == 255).all()
    assert found[1].std() > 10


def test_only_regions_beside_the_image_need_no_chunk():
    source = CountingArray(noise(64, 64))
    (indices, patches), *rest = stream_of(source, [[-100, 20]])
    assert (indices, rest, source.reads) == ([0], [], [])
    assert patches.shape == (1, 16, 16, 3)


def test_a_region_larger_than_the_chunks():
    pixels = noise(256, 256)
    small, whole = (next(p for _, p in stream_of(pixels, [[128, 128]], side=150.0, chunk=c)) for c in (32, 256))
    np.testing.assert_array_equal(small, whole)


def test_many_patches_of_one_chunk_are_cut_in_groups():
    stream = stream_of(noise(64, 64), np.full((70, 2), 32.0))
    assert [len(indices) for indices, _ in stream] == [32, 32, 6]


def test_no_patches_decode_nothing():
    source = CountingArray(noise(128, 128))
    assert list(stream_of(source, np.empty((0, 2)))) == []
    assert source.reads == []


def test_patches_beside_the_image_are_white_and_decode_nothing():
    source = CountingArray(noise(128, 128))
    ((indices, patches),) = stream_of(source, [[-500, 60], [60, 900], [1e6, -1e6]])
    assert indices == [0, 1, 2]
    assert (patches == 255).all()
    assert source.reads == []


def test_a_stream_that_is_left_in_the_middle_leaves_no_thread_behind():
    stream = iter(stream_of(noise(512, 512), everywhere(512, 512, 400)))
    next(stream)
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("patches")]


def test_many_patches_of_one_chunk_come_in_groups_and_in_order():
    found = list(stream_of(noise(64, 64), [[32, 32]] * 100))
    assert [i for indices, _ in found for i in indices] == list(range(100))
    assert max(len(indices) for indices, _ in found) < 100
    assert all((patches == found[0][1][0]).all() for _, patches in found)


def test_regions_of_chunks_are_those_that_touch_them():
    """The plan against a look at every region and chunk."""
    stream = stream_of(noise(150, 200), everywhere(150, 200, 300), side=40.0, chunk=32)
    regions, reader = stream.regions, stream.reader
    for chunk in range((len(reader.top) - 1) * reader.columns):
        row, column = divmod(chunk, reader.columns)
        low = np.array([reader.top[row], reader.left[column]])
        high = np.array([reader.top[row + 1], reader.left[column + 1]])
        touching = np.flatnonzero(((regions.first < high) & (regions.last > low)).all(axis=1))
        within = ((regions.first[touching] >= low) & (regions.last[touching] <= high)).all(axis=1)
        assert stream.alone[chunk] == touching[within].tolist()
        assert stream.shared[chunk] == touching[~within].tolist()
        assert set(stream.ends[chunk]) <= set(stream.shared[chunk])
    assert sorted(i for c in stream.chunks for i in stream.ends[c] + stream.alone[c]) == list(range(300))


def test_the_plan_takes_few_bytes_a_region():
    centres = everywhere(4000, 4000, 50_000)
    regions = Regions.around(centres, 20.0, 16)
    reader = ChunkReader(da.zeros((3, 4000, 4000), chunks=(3, 512, 512), dtype=np.uint8), "toy")
    tracemalloc.start()
    try:
        stream = PatchStream(reader, regions, 1)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(stream.chunks) == 64
    assert kept < 20 * len(centres)
