from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.slides.inputs import make_space_ranger, picture, write_tiff
from tests.slides.stores import tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide


@pytest.fixture(scope="module")
def ranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Visium sample on a 1200 x 1600 px frame with a hires picture of 300 x 400."""
    return make_space_ranger(tmp_path_factory.mktemp("ranger") / "visium")


def enlarged(path: Path, height: int, width: int) -> Path:
    return write_tiff(path, np.resize(picture(), (height, width, 3)))


@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((1200, 1600), 1),
        ((1203, 1601), 1),
        ((300, 400), 0.25),
        ((299, 399), 0.25),
        ((75, 100), 0.0625),
        ((600, 800), 0.5),
    ],
)
def test_the_scale_of_an_image_is_worked_out(ranger: Path, tmp_path: Path, size: tuple, scale: float) -> None:
    slide = open_slide(ranger, image=enlarged(tmp_path / "a.tif", *size))
    assert slide.pyramid.shape == size
    assert np.allclose(slide.spots.yx, tiny_positions(mpp=0.625)[1] * scale)
    assert slide.mpp == pytest.approx(0.625 / scale)
    assert slide.image_name == "visium_full_image"
    assert any("'a.tif'" in note and ("scaled by" in note) == (scale != 1) for note in slide.notes)


def test_an_image_of_another_frame_is_refused(ranger: Path, tmp_path: Path) -> None:
    file = enlarged(tmp_path / "a.tif", 1200, 1200)
    with pytest.raises(InputError, match=r"shows another frame than this slide, which is 1200 x 1600 px"):
        open_slide(ranger, image=file)


def test_a_given_scale_is_taken_as_it_is(ranger: Path, tmp_path: Path) -> None:
    slide = open_slide(ranger, image=enlarged(tmp_path / "a.tif", 1300, 1700), image_scale=0.9)
    assert np.allclose(slide.spots.yx, tiny_positions(mpp=0.625)[1] * 0.9)
    assert any("scaled by 0.9 as given" in note for note in slide.notes)
    with pytest.raises(InputError, match="image scale of -1 cannot be"):
        open_slide(ranger, image=tmp_path / "a.tif", image_scale=-1)


def test_a_scale_under_which_spots_leave_the_image(ranger: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"of 63 spots of slide 'visium' lie outside"):
        open_slide(ranger, image=enlarged(tmp_path / "a.tif", 300, 400), image_scale=1)


def test_an_image_where_the_folder_has_none(tmp_path: Path) -> None:
    ranger = make_space_ranger(tmp_path / "visium")
    (ranger / "outs" / "spatial" / "tissue_hires_image.png").unlink()
    slide = open_slide(ranger, image=ranger / "frame.tif")
    assert slide.pyramid.shape == (1200, 1600)
    assert any("taken at full resolution" in note for note in slide.notes)


def test_no_such_image(ranger: Path) -> None:
    with pytest.raises(InputError, match="there is no image file"):
        open_slide(ranger, image=ranger / "nowhere.tif")


def test_a_real_sample_with_a_scaled_image(shared: Path) -> None:
    crc = shared / "visium-crc16"
    slide = open_slide(crc, image=crc / "derived" / "tissue_hires_image_reconstructed.jpg")
    assert slide.pyramid.shape == (2000, 1871)
    assert slide.mpp == pytest.approx(4.53, rel=0.005)
    frame = slide.sdata.shapes["visium-crc16"].geometry.y.iloc[0]
    assert slide.spots.yx[0, 0] / frame == pytest.approx(0.28600028)
