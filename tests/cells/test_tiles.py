"""Reading tiles and finding their nuclei."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.cells.decoding import FACTS, DecodingNet
from tests.cells.maps import discs
from tests.cells.slides import tissue_picture

from napari_c2lst.cells.postprocess import measure
from napari_c2lst.cells.tiles import Images, find_nuclei, moved, nuclei_of_maps, read_tiles
from napari_c2lst.cells.tiling import Tiling, tissue_tiling
from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide

NET = DecodingNet(type("M", (), {"facts": FACTS, "content_hash": ""})())


def test_pixels_are_those_of_the_slide(tissue: Slide, shared: Path) -> None:
    tiles, _ = tissue_tiling(tissue, "fast", 0.25, 128)
    images = read_tiles(tissue, tiles, np.array([14, 0]))
    assert images.pixels.shape == (2, 344, 344, 3)
    top, left = tiles.origin[14] - 108  # 62 of margin, 46 that the network takes off
    picture = tissue_picture(shared)
    np.testing.assert_array_equal(images.pixels[0], picture[top : top + 344, left : left + 344])
    assert (images.pixels[1][:108] == 255).all()  # beyond the image it is white


def test_a_tile_that_cannot_be_read_is_left_out(tissue: Slide, monkeypatch: pytest.MonkeyPatch) -> None:
    tiles, _ = tissue_tiling(tissue, "fast", 0.25, 128)

    def read(slide: Slide, corner: np.ndarray, side: int, *more: object) -> np.ndarray:
        if (corner[:, 0] > 400).any():
            raise InputError("torn")
        return np.zeros((len(corner), side, side, 3), np.uint8)

    monkeypatch.setattr("napari_c2lst.cells.tiles.read_on_lattice", read)
    images = read_tiles(tissue, tiles, np.array([0, 30, 1, 31]))
    assert images.index.tolist() == [0, 1]
    assert len(images.pixels) == 2
    assert images.bad == ((30, "torn"), (31, "torn"))
    none = read_tiles(tissue, tiles, np.array([30]))
    assert (len(none.index), none.pixels.shape) == (0, (0, 344, 344, 3))
    assert len(find_nuclei(NET, tiles, none)) == 0  # type: ignore[arg-type]


def test_threads_change_nothing(encoded_once: Path) -> None:
    slide = open_slide(encoded_once)
    tiles = Tiling(np.array([[0, 0], [0, 256], [256, 0]]), 256, "fast", 1.0, 0.25)
    images = read_tiles(slide, tiles, np.arange(3), 1)
    alone = find_nuclei(NET, tiles, images)  # type: ignore[arg-type]
    with ThreadPoolExecutor(3) as pool:
        together = find_nuclei(NET, tiles, images, pool)  # type: ignore[arg-type]
    np.testing.assert_array_equal(alone.corners, together.corners)
    assert set(alone.tile.tolist()) == {0, 1, 2}
    assert len(alone) > 100


def test_places_on_the_slide(encoded_once: Path, shared: Path) -> None:
    """Nuclei lie where the truth has them."""
    slide = open_slide(encoded_once)
    tiles = Tiling(np.array([[256, 256]]), 256, "fast", 1.0, 0.25)
    images = read_tiles(slide, tiles, np.array([0]))
    found = nuclei_of_maps(NET.maps(images.pixels), 0, tiles, 0)
    truth = tissue_picture(shared, "inst")
    x, y = np.rint(found.centroid[found.own]).astype(int).T
    assert ((x >= 256) & (x < 512) & (y >= 256) & (y < 512)).all()
    assert (truth[y, x] > 0).mean() > 0.95


def test_moving() -> None:
    nuclei = measure(discs((40, 40), [(20, 25)]), None)
    aside = moved(nuclei, -5)
    np.testing.assert_array_equal(aside.centroid, nuclei.centroid - 5)
    np.testing.assert_array_equal(aside.contours[0], nuclei.contours[0] - 5)
    assert aside.contours[0].dtype == np.int32
    assert isinstance(Images(np.arange(0), np.zeros((0, 1, 1, 3), np.uint8)).bad, tuple)
