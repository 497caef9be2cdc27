from __future__ import annotations

import json
import resource
import shutil
import time
from pathlib import Path

import pytest
from tests.slides.inputs import cut

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.informing import run
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers import zarr_chunks
from napari_c2lst.slides.readers.store import is_store
from napari_c2lst.slides.readers.zarr_chunks import missing_chunks
from napari_c2lst.slides.settings import InfoSettings


def test_what_is_a_store(tiny_store: Path, tmp_path: Path) -> None:
    assert is_store(tiny_store)
    (tmp_path / "empty").mkdir()
    assert not is_store(tmp_path / "empty")
    (tmp_path / "file.zarr").touch()
    assert not is_store(tmp_path / "file.zarr")
    assert is_store(Path(shutil.move(tiny_store, tmp_path / "renamed"))), "whatever it is called"


@pytest.mark.parametrize("version", ["spatialdata_zarr_v2/blobs.zarr", "spatialdata_zarr_v3/blobs_v3.zarr"])
def test_both_versions(shared: Path, version: str, capfd: pytest.CaptureFixture) -> None:
    slide = open_slide(shared / "layouts" / version)
    assert slide.is_zarr
    assert slide.pyramid.shape == (64, 64)
    assert slide.pyramid.levels[0].compute().max() > 100, "floats of 0..1 are brought to 0..255"
    assert capfd.readouterr().err == "", "no log lines of the libraries below"


def test_without_its_metadata(tiny_store: Path) -> None:
    (tiny_store / "zarr.json").unlink()
    with pytest.raises(InputError, match=r"the store '.*tiny.zarr' is cut off: it has no zarr.json / copy it again"):
        open_slide(tiny_store)


@pytest.mark.parametrize(
    "part",
    [
        "zarr.json",
        "tables/table/X/data/c/0",
        "shapes/tiny/shapes.parquet",
        "images/tiny_full_image/zarr.json",
        "tables/table/obs/zarr.json",
    ],
)
def test_a_file_of_it_is_cut_off(tiny_store: Path, part: str) -> None:
    cut(tiny_store / part, 0.4)
    if part != "zarr.json":
        # as a store without consolidated metadata, or an interrupted copy, is read
        _drop_consolidated(tiny_store)
    with pytest.raises(InputError, match=r"tiny.zarr' cannot be read: .* / it may be cut off"):
        open_slide(tiny_store)


def _drop_consolidated(store: Path) -> None:
    body = json.loads((store / "zarr.json").read_text())
    body.pop("consolidated_metadata", None)
    (store / "zarr.json").write_text(json.dumps(body))


def test_an_image_without_pixels(tiny_store: Path) -> None:
    for chunk in (tiny_store / "images" / "tiny_full_image").glob("*/c"):
        shutil.rmtree(chunk)
    with pytest.raises(InputError, match=r"is cut off: image 'tiny_full_image' has no pixels"):
        open_slide(tiny_store)


def test_an_empty_chunk(tiny_store: Path) -> None:
    chunk = next(p for p in (tiny_store / "images").rglob("c/0/*/*") if p.is_file())
    chunk.write_bytes(b"")
    with pytest.raises(InputError, match=r"image 'tiny_full_image' has empty chunks, first 'images/tiny_full_image/"):
        open_slide(tiny_store)


def test_missing_chunks_are_a_note(tiny_store: Path) -> None:
    """A copy that was broken off: nothing else tells, and the rest reads as black."""
    image = tiny_store / "images" / "tiny_full_image"
    assert open_slide(tiny_store).notes == ()
    gone = sorted(p for p in _finest(image).rglob("c/0/*/*"))[5:]
    for chunk in gone:
        chunk.unlink()
    (note,) = open_slide(tiny_store).notes
    assert note == (
        f"{len(gone)} of {len(gone) + 5} chunks of image 'tiny_full_image' are missing: they read as blank; "
        "was the copy complete?"
    )
    assert note in run(InfoSettings(slide=tiny_store, tissue=False), Reporter()).notes


def test_a_finest_level_without_any_chunk(tiny_store: Path) -> None:
    shutil.rmtree(_finest(tiny_store / "images" / "tiny_full_image") / "c")
    with pytest.raises(InputError, match=r"is cut off: image 'tiny_full_image' has no pixels"):
        open_slide(tiny_store)


def test_opening_lists_every_folder_of_chunks_once(tiny_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    real = zarr_chunks.os.scandir
    monkeypatch.setattr(zarr_chunks.os, "scandir", lambda path: (listed.append(str(path)), real(path))[1])
    missing_chunks(tiny_store, "tiny_full_image")
    folders = [folder for folder in listed if "/c/" in folder]
    assert len(folders) >= 3
    assert len(folders) == len(set(folders))


def _finest(image: Path) -> Path:
    levels = [p.parent for p in image.glob("*/zarr.json")]
    return max(levels, key=lambda level: json.loads((level / "zarr.json").read_text())["shape"][1])


def test_another_zarr(tmp_path: Path) -> None:
    import zarr

    zarr.create_array(tmp_path / "a.zarr", shape=(4,), dtype="u1")
    with pytest.raises(InputError, match=r"cannot be read|has no image"):
        open_slide(tmp_path / "a.zarr")
    zarr.create_group(tmp_path / "b.zarr")
    with pytest.raises(InputError, match=r"the store .* has no image"):
        open_slide(tmp_path / "b.zarr")


def test_a_store_of_forty_thousand_pixels_opens_in_three_seconds(tiny_store: Path) -> None:
    """The tiny store, with the metadata of a large one: chunks that are not there take no time to write."""
    image = tiny_store / "images" / "tiny_full_image"
    for path in image.glob("*/zarr.json"):
        body = json.loads(path.read_text())
        body["shape"] = [3, body["shape"][1] * 40_000 // 300, body["shape"][2] * 40_000 // 400]
        body["chunk_grid"]["configuration"]["chunk_shape"] = [3, 1024, 1024]
        path.write_text(json.dumps(body))
    _drop_consolidated(tiny_store)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    slide = open_slide(tiny_store)
    # processor time: the tests may share their machine
    assert time.process_time() - start < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kilobytes"
    assert slide.pyramid.shape == (40_000, 40_000)
    assert slide.pyramid.levels[0].chunksize == (3, 1024, 1024)
    assert slide.pyramid.levels[0][:, -9:, -9:].compute().max() == 0
