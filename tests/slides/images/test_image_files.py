from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.slides.inputs import picture, write_png, write_tiff

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.image_files import IMAGE_ENDINGS, LazyPixels, is_image_file, open_image


@pytest.mark.parametrize("name", ["a.svs", "a.TIF", "a.ome.tif", "a.jpg", "a.JPEG", "a.png"])
def test_names_of_images(name: str) -> None:
    assert is_image_file(Path(name))


@pytest.mark.parametrize("name", ["a.zarr", "a.tsv.gz", "a", "a.h5ad"])
def test_names_of_other_things(name: str) -> None:
    assert not is_image_file(Path(name))


def test_the_reader_follows_the_ending(tmp_path: Path) -> None:
    tiff = open_image(write_tiff(tmp_path / "a.tif", picture()))
    png = open_image(write_png(tmp_path / "a.png", picture()))
    assert np.array_equal(tiff.pyramid.levels[0].compute(), png.pyramid.levels[0].compute())
    assert png.mpp is None


def test_a_missing_an_empty_and_a_strange_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no image file"):
        open_image(tmp_path / "a.tif")
    (tmp_path / "a.tif").touch()
    with pytest.raises(InputError, match="is empty"):
        open_image(tmp_path / "a.tif")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match=r"not an image this program reads") as caught:
        open_image(tmp_path / "a.txt")
    assert all(ending in caught.value.hint for ending in IMAGE_ENDINGS)


class Numbered(LazyPixels):
    """Pixels that tell where they lie."""

    def __init__(self) -> None:
        super().__init__((3, 50, 70), np.dtype(np.uint8))
        self.asked: list[tuple[int, int, int, int]] = []

    def read(self, y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
        self.asked.append((y0, y1, x0, x1))
        y, x = np.mgrid[y0:y1, x0:x1]
        return np.stack([y, x, y + x], axis=-1).astype(np.uint8)


def test_dask_asks_for_rectangles_of_the_storage_only() -> None:
    pixels = Numbered()
    array = pixels.as_dask((20, 30))
    assert pixels.asked == []
    assert array.shape == (3, 50, 70)
    assert array.chunks == ((3,), (20, 20, 10), (30, 30, 10))
    part = array[:, 15:25, 29].compute()
    assert part[0].tolist() == list(range(15, 25))
    assert part[1].tolist() == [29] * 10
    assert array[2, 49, 69].compute() == 118
    assert {(y1 - y0, x1 - x0) for y0, y1, x0, x1 in pixels.asked} == {(5, 1), (1, 1)}


@pytest.mark.parametrize(
    "key",
    [
        np.s_[:, ::3, 5::20],
        np.s_[1, ::-1, 69:2:-7],
        np.s_[:, 45, -1],
        np.s_[0:2, [3, 40, 3], :],
        np.s_[:, 10:10, :],
        np.s_[...],
    ],
)
def test_any_index_gives_what_numpy_gives(key: tuple) -> None:
    pixels = Numbered()
    whole = pixels.read(0, 50, 0, 70).transpose(2, 0, 1)
    assert np.array_equal(pixels.as_dask((20, 30))[key].compute(), whole[key])


def test_two_arrays_of_the_same_kind_are_not_mixed_up() -> None:
    assert Numbered().as_dask((20, 30)).name != Numbered().as_dask((20, 30)).name


@pytest.mark.parametrize("ending", [".svs", ".tif", ".ome.tif", ".ndpi", ".jpg", ".png"])
def test_a_text_that_is_called_an_image_is_one_sentence(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    path.write_text("this is no image " * 20)
    with pytest.raises(InputError, match=f"a{ending}'") as caught:
        open_image(path)
    assert caught.value.hint


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.tif").mkdir()
    with pytest.raises(InputError, match="there is no image file"):
        open_image(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["slide 3, day 2.tif", "Gewebe_äöü.tif", "组织.tif", "a'b\"c.tif", "50%.v2.tif"])
def test_any_name_of_a_file_opens(tmp_path: Path, name: str) -> None:
    image = open_image(write_tiff(tmp_path / name, picture()))
    assert np.array_equal(image.pyramid.levels[0][:, :9, :9].compute(), np.moveaxis(picture()[:9, :9], -1, 0))


def test_a_link_is_followed(tmp_path: Path) -> None:
    write_png(tmp_path / "real.png", picture())
    (tmp_path / "link.png").symlink_to("real.png")
    assert open_image(tmp_path / "link.png").pyramid.shape == (300, 400)
    (tmp_path / "real.png").unlink()
    with pytest.raises(InputError, match=r"there is no image file '.*link\.png' / check the path"):
        open_image(tmp_path / "link.png")


def test_pixels_without_a_way_to_read_them() -> None:
    with pytest.raises(NotImplementedError):
        LazyPixels((3, 4, 4), np.dtype(np.uint8)).as_dask((4, 4)).compute()
