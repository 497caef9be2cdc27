from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.slides.inputs import cut, make_hd, make_space_ranger, picture, write_png

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.settings import ConvertSettings
from napari_c2lst.slides.store.converting import run


def test_a_space_ranger_folder_with_its_image(tmp_path: Path) -> None:
    ranger = make_space_ranger(tmp_path / "visium")
    out = tmp_path / "visium.zarr"
    result = run(ConvertSettings(slide=ranger, image=ranger / "frame.tif", out=out), Reporter())
    before, after = open_slide(ranger, image=ranger / "frame.tif"), open_slide(out)
    assert after.is_zarr
    assert after.image_name == "visium_full_image"
    assert np.array_equal(after.pyramid.levels[0].compute(), before.pyramid.levels[0].compute())
    assert np.allclose(after.spots.yx, before.spots.yx)
    assert (after.counts() != before.counts()).nnz == 0
    assert (after.mpp, after.microns.source) == (pytest.approx(before.mpp), "stored")
    assert after.spots.diameter_um == before.spots.diameter_um == 55
    assert (result.store, result.spots, result.height, result.width) == (out, 63, 1200, 1600)
    assert result.lines()[-1] == f"wrote {out}: 1200 x 1600 px, 0.625 um per pixel, 63 spots"
    coarse = open_slide(out, image_name="visium_hires_image")
    assert coarse.mpp == pytest.approx(4 * before.mpp), "microns are known for every image of the store"


def test_squares_of_visium_hd(tmp_path: Path) -> None:
    hd = make_hd(tmp_path / "hd")
    run(ConvertSettings(slide=hd, out=tmp_path / "hd.zarr"), Reporter())
    before, after = open_slide(hd), open_slide(tmp_path / "hd.zarr")
    assert (after.spots.ids == before.spots.ids).all()
    assert after.spots.diameter_um == 112
    assert after.mpp == pytest.approx(before.mpp)
    assert after.sdata.tables["table"].obs["bins"].max() == 49


def test_an_image_alone_without_microns(tmp_path: Path) -> None:
    source = write_png(tmp_path / "a.png", picture())
    result = run(ConvertSettings(slide=source, out=tmp_path / "a.zarr"), Reporter())
    assert result.lines() == [f"wrote {tmp_path / 'a.zarr'}: 300 x 400 px, microns per pixel not known, no spots"]
    slide = open_slide(tmp_path / "a.zarr")
    assert slide.microns is None
    assert slide.spots is None


@pytest.mark.parametrize("version", ["spatialdata_zarr_v2/blobs.zarr", "spatialdata_zarr_v3/blobs_v3.zarr"])
def test_real_stores_of_both_versions(shared: Path, tmp_path: Path, version: str) -> None:
    source = shared / "layouts" / version
    run(ConvertSettings(slide=source, out=tmp_path / "out.zarr", mpp=0.5), Reporter())
    before, after = open_slide(source), open_slide(tmp_path / "out.zarr")
    assert np.array_equal(after.pyramid.levels[0].compute(), before.pyramid.levels[0].compute())
    assert set(after.sdata.labels) == set(before.sdata.labels)
    assert after.mpp == 0.5


def test_refusals_before_any_work(tmp_path: Path, tiny_store_once: Path) -> None:
    (tmp_path / "there.zarr").mkdir()
    for out, text in [
        (tmp_path / "a.tif", r"does not end in .zarr / call it .*a.tif.zarr"),
        (tmp_path / "there.zarr", "is there already"),
        (tiny_store_once / "inside.zarr", "lies inside the store"),
    ]:
        with pytest.raises(InputError, match=text):
            run(ConvertSettings(slide=tiny_store_once, out=out), Reporter())
    assert not (tiny_store_once / "inside.zarr").exists()


def test_a_damaged_input_is_left_as_it_is(tmp_path: Path) -> None:
    source = cut(write_png(tmp_path / "a.png", picture()))
    content = source.read_bytes()
    with pytest.raises(InputError, match="cut off"):
        run(ConvertSettings(slide=source, out=tmp_path / "a.zarr"), Reporter())
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert source.read_bytes() == content


def test_what_a_killed_conversion_left_is_said_and_not_touched(tmp_path: Path) -> None:
    source = write_png(tmp_path / "a.png", picture())
    left = tmp_path / ".a.zarr.0a1b2c3d.part"
    left.mkdir()
    reporter = RecordingReporter()
    run(ConvertSettings(slide=source, out=tmp_path / "a.zarr"), reporter)
    assert f"'{left}' is of a conversion that was killed" in reporter.messages[0]
    assert left.is_dir()
    assert open_slide(tmp_path / "a.zarr").pyramid.shape == (300, 400)


def test_a_conversion_that_was_stopped_is_repeated_with_the_same_command(tmp_path: Path) -> None:
    source = write_png(tmp_path / "a.png", picture())
    settings = ConvertSettings(slide=source, out=tmp_path / "a.zarr")
    with pytest.raises(Stopped, match="nothing was written; start it again"):
        run(settings, RecordingReporter(stop_after=0))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert run(settings, Reporter()).store.is_dir()


def test_no_folder_of_its_maker_stands_in_a_store(tmp_path: Path) -> None:
    ranger = make_space_ranger(tmp_path / "anna" / "visium")
    run(ConvertSettings(slide=ranger, image=ranger / "frame.tif", out=tmp_path / "anna" / "v.zarr"), Reporter())
    facts = open_slide(tmp_path / "anna" / "v.zarr").facts
    assert (facts.source, facts.source_image) == ("visium", "visium/frame.tif")
    texts = [file.read_text() for file in (tmp_path / "anna" / "v.zarr").rglob("zarr.json")]
    assert texts
    assert not any(str(tmp_path) in text for text in texts)
