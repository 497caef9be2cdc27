from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from spatialdata import read_zarr
from tests.slides.inputs import picture, write_tiff

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.slides.images.pyramid import halved
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.store import storing
from napari_c2lst.slides.store.storing import level_sizes, write_store


@pytest.fixture
def slide(tmp_path: Path) -> Slide:
    """An image of 700 x 500 px alone, 0.5 um per pixel."""
    return open_slide(write_tiff(tmp_path / "in" / "a.tif", picture(700, 500)), mpp=0.5)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 128 px, so that a small image has many."""
    monkeypatch.setattr(storing, "CHUNK", 128)


def test_levels_halve_down_to_one_chunk() -> None:
    assert level_sizes(700, 500) == [(700, 500), (350, 250), (175, 125), (88, 63)]
    assert level_sizes(100, 128) == [(100, 128)]


def test_every_level_is_the_mean_of_the_one_before(slide: Slide, tmp_path: Path) -> None:
    out = tmp_path / "out.zarr"
    reporter = RecordingReporter()
    write_store(slide, out, reporter, source="/where/it/came/from")
    pixels = picture(700, 500).transpose(2, 0, 1)
    levels = open_slide(out).pyramid.levels
    assert len(levels) == 4
    for level in levels:
        assert np.array_equal(level.compute(), pixels)
        pixels = halved(pixels)
    assert levels[0].chunksize == (3, 128, 128), "dask chunks are the chunks of the storage"
    progress = reporter.of_kind("progress")
    assert progress[-1]["done"] == progress[-1]["total"] == 6 + 3 + 2 + 1


def test_microns_are_kept_with_where_they_come_from(slide: Slide, tmp_path: Path) -> None:
    write_store(slide, tmp_path / "out.zarr", Reporter(), source=str(tmp_path / "x"))
    again = open_slide(tmp_path / "out.zarr")
    assert (again.mpp, again.microns.source, again.microns.detail) == (0.5, "stored", "given by the user")
    assert again.facts.source == "x"
    assert again.name == "out"
    assert again.kind == "SpatialData store, image alone (tif)"


def test_the_store_is_consolidated_and_readable_by_spatialdata(slide: Slide, tmp_path: Path) -> None:
    write_store(slide, tmp_path / "out.zarr", Reporter())
    sdata = read_zarr(tmp_path / "out.zarr")
    assert sdata.has_consolidated_metadata()
    assert list(sdata.images["image"].children) == ["scale0", "scale1", "scale2", "scale3"]


def test_elements_of_a_store_go_along(tiny_store: Path, tmp_path: Path) -> None:
    before = open_slide(tiny_store)
    before.sdata.attrs["theirs"] = {"a": 1}
    write_store(before, tmp_path / "out.zarr", Reporter())
    after = open_slide(tmp_path / "out.zarr")
    assert np.allclose(after.spots.yx, before.spots.yx)
    assert (after.spots.ids == before.spots.ids).all()
    assert (after.counts() != before.counts()).nnz == 0
    assert after.sdata.tables["table"].obs["cluster"].tolist() == before.sdata.tables["table"].obs["cluster"].tolist()
    assert after.sdata.attrs["theirs"] == {"a": 1}
    assert after.microns.source == "stored"
    assert after.mpp == pytest.approx(2.5)


def test_an_existing_store_is_not_touched(slide: Slide, tmp_path: Path) -> None:
    (tmp_path / "out.zarr").mkdir()
    (tmp_path / "out.zarr" / "mine").write_text("x")
    with pytest.raises(InputError, match="is there already"):
        write_store(slide, tmp_path / "out.zarr", Reporter())
    assert (tmp_path / "out.zarr" / "mine").read_text() == "x"


def left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("after", [0, 3, 9])
def test_a_disk_that_gets_full_leaves_nothing(
    slide: Slide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    before = left_in(tmp_path)
    seen = []

    def full(*args: object) -> None:
        seen.append(args)
        if len(seen) > after:
            raise OSError(errno.ENOSPC, "No space left on device")

    reporter = RecordingReporter()
    monkeypatch.setattr(reporter, "progress", full)
    with pytest.raises(InputError, match=r"the disk is full: '.*out.zarr' was not written"):
        write_store(slide, tmp_path / "out.zarr", reporter)
    assert left_in(tmp_path) == before


def test_a_disk_without_room_is_refused_before_any_work(
    slide: Slide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10, 9, 1000))
    with pytest.raises(InputError, match=r"needs about \d+ kB, the disk has 1 kB left"):
        write_store(slide, tmp_path / "out.zarr", Reporter())
    assert "out.zarr" not in left_in(tmp_path)


def test_a_full_disk_while_spatialdata_writes(slide: Slide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spatialdata import SpatialData

    def full(self: SpatialData, path: Path, **kwargs: object) -> None:
        path.mkdir()
        (path / "zarr.json").write_text("{")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SpatialData, "write", full)
    before = left_in(tmp_path)
    with pytest.raises(InputError, match="the disk is full"):
        write_store(slide, tmp_path / "out.zarr", Reporter())
    assert left_in(tmp_path) == before


def test_stopping_leaves_nothing(slide: Slide, tmp_path: Path) -> None:
    before = left_in(tmp_path)
    with pytest.raises(Stopped, match="conversion stopped"):
        write_store(slide, tmp_path / "out.zarr", RecordingReporter(stop_after=4))
    assert left_in(tmp_path) == before


def test_a_damaged_input_leaves_nothing(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "a.png"
    Image.fromarray(picture()).save(path)
    data = bytearray(path.read_bytes())
    data[200:2000] = bytes(1800)
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be decoded"):
        write_store(open_slide(path), tmp_path / "out.zarr", Reporter())
    assert left_in(tmp_path) == ["a.png"]


def test_memory_is_bounded_by_a_band(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never more than one band of chunks is computed at a time."""
    import dask.array as da

    slide = open_slide(write_tiff(tmp_path / "a.tif", picture(700, 500)))
    shapes = []
    compute = da.Array.compute

    def counted(self: da.Array, **kwargs: object) -> np.ndarray:
        shapes.append(self.shape)
        return compute(self, **kwargs)

    monkeypatch.setattr(da.Array, "compute", counted)
    write_store(slide, tmp_path / "out.zarr", Reporter())
    assert max(shape[1] for shape in shapes) == 128
    assert len(shapes) == 6


def test_black_chunks_are_written_too(tmp_path: Path) -> None:
    """A missing chunk then means a copy that was broken off, and never a slide with a black frame."""
    pixels = picture(700, 500)
    pixels[:300] = 0
    write_store(open_slide(write_tiff(tmp_path / "a.tif", pixels), mpp=0.5), tmp_path / "out.zarr", Reporter())
    slide = open_slide(tmp_path / "out.zarr")
    assert slide.notes == ()
    assert np.array_equal(slide.pyramid.levels[0].compute(), pixels.transpose(2, 0, 1))
