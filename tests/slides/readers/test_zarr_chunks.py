from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.readers.zarr_chunks import missing_chunks


def make_image(store: Path, version: int, path: str = "0", side: int = 50, **options: object) -> Path:
    """An image of 3 x side x side numbers in chunks of 3 x 20 x 20, none of them blank; the folder of its chunks."""
    root = zarr.open_group(store, mode="a", zarr_format=version)
    array = root.create_array(f"images/a/{path}", shape=(3, side, side), chunks=(3, 20, 20), dtype="u1", **options)
    array[:] = np.full((3, side, side), 7, np.uint8)
    return store / "images" / "a" / path


def chunks_of(array: Path) -> list[Path]:
    return [p for p in array.rglob("*") if p.is_file() and p.name not in ("zarr.json", ".zarray", ".zattrs")]


@pytest.mark.parametrize("version", [2, 3])
def test_missing_chunks_are_counted_against_the_grid(tmp_path: Path, version: int) -> None:
    array = make_image(tmp_path / "a.zarr", version)
    make_image(tmp_path / "a.zarr", version, "1", side=25)
    assert missing_chunks(tmp_path / "a.zarr", "a") == (0, 9)
    for chunk in chunks_of(array)[:4]:
        chunk.unlink()
    assert missing_chunks(tmp_path / "a.zarr", "a") == (4, 9)


def test_shards_are_the_files_that_count(tmp_path: Path) -> None:
    array = make_image(tmp_path / "a.zarr", 3, shards=(3, 40, 40))
    assert missing_chunks(tmp_path / "a.zarr", "a") == (0, 4)
    chunks_of(array)[0].unlink()
    assert missing_chunks(tmp_path / "a.zarr", "a") == (1, 4)


def test_levels_may_lie_deeper(tmp_path: Path) -> None:
    make_image(tmp_path / "a.zarr", 3, "scale0/image")
    assert missing_chunks(tmp_path / "a.zarr", "a") == (0, 9)


def test_a_finest_level_without_chunks_and_an_empty_chunk(tmp_path: Path) -> None:
    array, coarse = (make_image(tmp_path / "a.zarr", 3, name, side) for name, side in (("0", 50), ("1", 25)))
    for chunk in chunks_of(array):
        chunk.unlink()
    with pytest.raises(InputError, match="image 'a' has no pixels / copy it again"):
        missing_chunks(tmp_path / "a.zarr", "a")
    chunks_of(coarse)[0].write_bytes(b"")
    with pytest.raises(InputError, match="image 'a' has empty chunks, first 'images/a/1/c/0/"):
        missing_chunks(tmp_path / "a.zarr", "a")


def test_files_of_metadata_are_no_chunks(tmp_path: Path) -> None:
    array = make_image(tmp_path / "a.zarr", 2)
    (array / ".zattrs").write_text("{}")
    chunks_of(array)[0].unlink()
    assert missing_chunks(tmp_path / "a.zarr", "a") == (1, 9)


def test_missing_chunks_of_coarse_levels_do_not_count(tmp_path: Path) -> None:
    make_image(tmp_path / "a.zarr", 3)
    for chunk in chunks_of(make_image(tmp_path / "a.zarr", 3, "1", side=25)):
        chunk.unlink()
    assert missing_chunks(tmp_path / "a.zarr", "a") == (0, 9)


@pytest.mark.parametrize(("side", "chunks"), [(1, 1), (20, 1), (21, 4)])
def test_images_of_few_pixels(tmp_path: Path, side: int, chunks: int) -> None:
    make_image(tmp_path / "mein Schnitt.zarr", 3, side=side)
    assert missing_chunks(tmp_path / "mein Schnitt.zarr", "a") == (0, chunks)
