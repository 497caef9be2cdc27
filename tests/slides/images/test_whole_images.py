from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from tests.slides.inputs import cut, picture

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images import whole_images
from napari_c2lst.slides.images.image_files import open_image
from napari_c2lst.slides.images.pyramid import halved
from napari_c2lst.slides.images.whole_images import jpeg_size


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were decoded."""
    seen: list[Path] = []
    decode = whole_images._Picture._decode

    def counted(self: whole_images._Picture) -> np.ndarray:
        seen.append(self.path)
        return decode(self)

    monkeypatch.setattr(whole_images._Picture, "_decode", counted)
    return seen


@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_decoding_waits_until_pixels_are_asked_for(tmp_path: Path, decoded: list[Path], ending: str) -> None:
    path = tmp_path / f"a{ending}"
    Image.fromarray(picture(1300, 2100)).save(path)
    pyramid = open_image(path).pyramid
    assert pyramid.shape == (1300, 2100)
    assert [level.shape for level in pyramid.levels] == [(3, 1300, 2100), (3, 650, 1050), (3, 325, 525)]
    assert pyramid.levels[0].chunksize == (3, 1024, 1024)
    assert decoded == []
    pixels = pyramid.levels[0].compute()
    assert np.array_equal(pixels[:, 1000:, 2000:], pyramid.levels[0][:, 1000:, 2000:].compute())
    assert decoded == [path], "decoded once for all chunks"
    assert np.array_equal(pixels, np.moveaxis(np.asarray(Image.open(path)), -1, 0))
    assert np.array_equal(pyramid.levels[2].compute(), halved(halved(pixels)))


def test_grey_and_transparent_pictures(tmp_path: Path) -> None:
    grey = picture(40, 50)[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert np.array_equal(open_image(tmp_path / "grey.png").pyramid.levels[0].compute(), np.stack([grey] * 3))
    Image.fromarray(grey).save(tmp_path / "grey.jpg", quality=100)
    assert open_image(tmp_path / "grey.jpg").pyramid.levels[0].compute().shape == (3, 40, 50)
    clear = np.dstack([picture(40, 50), np.zeros((40, 50), np.uint8)])
    Image.fromarray(clear, "RGBA").save(tmp_path / "clear.png")
    assert (open_image(tmp_path / "clear.png").pyramid.levels[0].compute() == 255).all()
    Image.fromarray(clear[..., 2:], "LA").save(tmp_path / "la.png")
    assert (open_image(tmp_path / "la.png").pyramid.levels[0].compute() == 255).all()


@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_cut_off_pictures_are_refused_on_opening(tmp_path: Path, decoded: list[Path], ending: str) -> None:
    path = tmp_path / f"a{ending}"
    Image.fromarray(picture()).save(path)
    with pytest.raises(InputError, match=r"is cut off: it has no end / copy it again"):
        open_image(cut(path))
    assert decoded == []
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match="cut off"):
        open_image(path)


def test_another_file_in_disguise(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("hello, I am a text of more than a few letters")
    with pytest.raises(InputError, match="neither a JPEG nor a PNG"):
        open_image(tmp_path / "a.jpg")


def test_damage_inside_a_picture_is_told_when_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(picture()).save(path)
    data = bytearray(path.read_bytes())
    data[200:2000] = bytes(1800)
    path.write_bytes(data)
    pyramid = open_image(path).pyramid
    with pytest.raises(InputError, match="cannot be decoded"):
        pyramid.levels[0].compute()


def test_size_of_a_real_jpeg(shared: Path) -> None:
    assert jpeg_size(shared / "her2st" / "B4" / "BT10737_D2_HE.jpg") == (9923, 9272)


def test_progressive_jpeg(tmp_path: Path) -> None:
    Image.fromarray(picture(30, 70)).save(tmp_path / "p.jpg", progressive=True)
    assert open_image(tmp_path / "p.jpg").pyramid.levels[0].compute().shape == (3, 30, 70)


def test_palettes_and_deep_pictures_look_as_they_do_elsewhere(tmp_path: Path) -> None:
    few = Image.fromarray(picture(40, 50)).quantize(16)
    few.save(tmp_path / "few.png")
    shown = np.moveaxis(np.asarray(few.convert("RGB")), -1, 0)
    assert np.array_equal(open_image(tmp_path / "few.png").pyramid.levels[0].compute(), shown)
    deep = picture(40, 50).astype(np.uint16) * 257
    (tmp_path / "deep.png").write_bytes(imagecodecs.png_encode(deep))
    assert np.array_equal(open_image(tmp_path / "deep.png").pyramid.levels[0].compute(), np.moveaxis(deep >> 8, -1, 0))
    Image.fromarray(picture(40, 50)[..., 0] > 150).save(tmp_path / "two.png")
    assert np.unique(open_image(tmp_path / "two.png").pyramid.levels[0].compute()).tolist() == [0, 255]


def test_a_jpeg_for_print_is_refused_with_a_way_out(tmp_path: Path) -> None:
    Image.fromarray(picture(40, 50)).convert("CMYK").save(tmp_path / "print.jpg")
    level = open_image(tmp_path / "print.jpg").pyramid.levels[0]
    with pytest.raises(InputError, match=r"print\.jpg' cannot be decoded: .* / copy it again, or export it as an RGB"):
        level.compute()


def test_blocks_that_editors_append_do_not_hide_the_end(tmp_path: Path) -> None:
    for ending in (".jpg", ".png"):
        path = tmp_path / f"a{ending}"
        Image.fromarray(picture(40, 50)).save(path)
        path.write_bytes(path.read_bytes() + b"made with love" * 100)
        assert open_image(path).pyramid.levels[0].compute().shape == (3, 40, 50)


def test_a_picture_of_one_pixel(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), (9, 8, 7)).save(tmp_path / "one.png")
    pyramid = open_image(tmp_path / "one.png").pyramid
    assert (len(pyramid.levels), pyramid.levels[0].compute().ravel().tolist()) == (1, [9, 8, 7])
