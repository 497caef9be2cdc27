from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from numcodecs import Blosc, GZip, Zstd
from tests.slides.pictures import noise

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.chunks import ChunkReader
from napari_c2lst.slides.images.stored_chunks import StoredChunks
from napari_c2lst.slides.opening import open_slide

PIXELS = noise(100, 150)


def stored(folder, pixels=PIXELS, chunks=(3, 64, 64), **how):
    array = zarr.create_array(folder, shape=pixels.shape, chunks=chunks, dtype=pixels.dtype, **how)
    array[:] = pixels
    return array


V3 = {
    "zstd": {"compressors": zarr.codecs.ZstdCodec()},
    "blosc": {"compressors": zarr.codecs.BloscCodec(cname="lz4", shuffle="bitshuffle", typesize=1)},
    "gzip": {"compressors": zarr.codecs.GzipCodec()},
    "as they are": {"compressors": None},
}
V2 = {
    "zstd": {"compressors": Zstd()},
    "blosc": {"compressors": Blosc()},
    "gzip": {"compressors": GZip()},
    "as they are": {"compressors": None},
    "slashes": {"compressors": Blosc(), "chunk_key_encoding": {"name": "v2", "separator": "/"}},
}
WAYS = [(3, name) for name in V3] + [(2, name) for name in V2]


@pytest.mark.parametrize(("version", "name"), WAYS)
def test_chunks_are_those_zarr_reads(tmp_path, version, name):
    how = V3[name] if version == 3 else V2[name]
    level = da.from_zarr(stored(tmp_path / "a", zarr_format=version, **how))
    chunks = StoredChunks.of(level)
    assert chunks is not None
    for row in range(2):
        for column in range(3):
            np.testing.assert_array_equal(chunks.read(row, column), level.blocks[0, row, column].compute())


def test_a_chunk_that_was_left_out_is_blank(tmp_path):
    array = zarr.create_array(tmp_path / "a", shape=(3, 100, 100), chunks=(3, 64, 64), dtype="u1", fill_value=7)
    chunks = StoredChunks.of(da.from_zarr(array))
    assert chunks is not None
    blank = chunks.read(1, 0)
    assert blank.shape == (3, 36, 64)
    assert (blank == 7).all()


def test_other_kinds_are_left_to_zarr(tmp_path):
    left = {
        "numbers of two bytes": stored(tmp_path / "a", PIXELS.astype("u2")),
        "a chunk for each channel": stored(tmp_path / "b", chunks=(1, 64, 64)),
        "shards": stored(tmp_path / "c", chunks=(3, 32, 32), shards=(3, 64, 64)),
        "a checksum beside": stored(tmp_path / "d", compressors=[zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()]),
        "columns first": stored(tmp_path / "e", zarr_format=2, order="F"),
        "in memory": stored(zarr.storage.MemoryStore()),
    }
    for array in left.values():
        level = da.from_zarr(array)
        assert StoredChunks.of(level) is None
        reader = ChunkReader(level, "toy")
        reader.expect(np.array([0]))
        np.testing.assert_array_equal(reader.read(0), np.asarray(array)[:, : level.chunks[1][0], : level.chunks[2][0]])


def test_an_array_that_something_was_done_to_is_left_to_dask(tmp_path):
    level = da.from_zarr(stored(tmp_path / "a"))
    for other in (255 - level, level[:, 10:], level.rechunk((3, 32, 32)), da.from_array(PIXELS)):
        assert StoredChunks.of(other) is None


@pytest.mark.parametrize("content", [b"", b"no chunk", b"\x28\xb5\x2f\xfd"])
def test_a_damaged_file_is_an_error_that_says_where(tmp_path, content):
    level = da.from_zarr(stored(tmp_path / "a"))
    (tmp_path / "a" / "c" / "0" / "1" / "0").write_bytes(content)
    reader = ChunkReader(level, "slide B4, level 0")
    assert reader.read(0).shape == (3, 64, 64)
    with pytest.raises(InputError, match="slide B4, level 0: the stored chunk of rows 64 to 100, columns 0 to 64"):
        reader.read(3)


def test_a_chunk_of_another_size_is_an_error(tmp_path):
    level = da.from_zarr(stored(tmp_path / "a", compressors=None))
    file = tmp_path / "a" / "c" / "0" / "0" / "0"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match="cannot be read"):
        ChunkReader(level, "toy").read(0)


def test_the_levels_of_a_slide_in_a_store_are_read_past_zarr(tiny_store_once):
    slide = open_slide(tiny_store_once)
    for level in slide.pyramid.levels:
        chunks = StoredChunks.of(level)
        assert chunks is not None
        np.testing.assert_array_equal(chunks.read(0, 0), level.blocks[0, 0, 0].compute())


def test_a_slide_of_one_chunk_that_is_larger_than_the_image(tmp_path):
    level = da.from_zarr(stored(tmp_path / "a", PIXELS[:, :40, :30], (3, 64, 64), fill_value=9))
    chunks = StoredChunks.of(level)
    # dask cuts its chunk at the border, zarr stores it whole
    np.testing.assert_array_equal(chunks.read(0, 0) if chunks else level.compute(), PIXELS[:, :40, :30])


def test_a_store_in_a_folder_with_blanks_and_umlauts(tmp_path):
    level = da.from_zarr(stored(tmp_path / "mein Schnitt ä" / "0"))
    np.testing.assert_array_equal(StoredChunks.of(level).read(1, 2), PIXELS[:, 64:, 128:])
