"""Pixels of tiles: the same in every tile, and those of the slide."""

import numpy as np
import pytest
from tests.cells.slides import tissue_picture

from napari_c2lst.cells.reading import read_on_lattice
from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.patches.cutting import read_patches
from napari_c2lst.slides.slide import Slide

# of the lattice, where the slide has 0.25: enlarged as the sample slide is, as it is, nearly so, shrunk, another level
MPPS = [0.0909, 0.25, 0.25012, 0.41, 1.3]


def at(*corners: tuple[int, int]) -> np.ndarray:
    return np.array(corners, np.int64).reshape(-1, 2)


@pytest.mark.parametrize("mpp", MPPS)
def test_a_place_looks_the_same_in_every_square(tissue: Slide, mpp: float) -> None:
    middle = round(96 / mpp)  # the slide has 192 um
    (whole,) = read_on_lattice(tissue, at((middle - 60, middle - 50)), 130, mpp)
    for side, (down, right) in ((40, (3, 7)), (57, (64, 1)), (100, (8, 29))):
        (part,) = read_on_lattice(tissue, at((middle - 60 + down, middle - 50 + right)), side, mpp)
        np.testing.assert_array_equal(part, whole[down : down + side, right : right + side])


@pytest.mark.parametrize("mpp", MPPS)
def test_it_is_what_patches_show(tissue: Slide, mpp: float) -> None:
    """But for a grey level here and there: patches round their places, and large ones round twice."""
    corners, side = at((5, 40), (21, 9)), 64
    centres = (corners + side / 2) * mpp / tissue.mpp
    patches = read_patches(tissue, centres, patch_um=side * mpp, patch_px=side)
    away = np.abs(read_on_lattice(tissue, corners, side, mpp).astype(int) - patches)
    assert away.max() <= 2
    assert (away == 0).mean() > 0.9


def test_pixels_of_the_wanted_size_are_taken_as_they_are(tissue: Slide, shared: object) -> None:
    picture = tissue_picture(shared)  # type: ignore[arg-type]
    (exact,) = read_on_lattice(tissue, at((100, 300)), 200, 0.25)
    np.testing.assert_array_equal(exact, picture[100:300, 300:500])
    (nearly,) = read_on_lattice(tissue, at((0, 0)), 700, 0.25012)  # 0.3 px further at the far end
    np.testing.assert_array_equal(nearly, picture[:700, :700])
    (further,) = read_on_lattice(tissue, at((0, 0)), 700, 0.2502)  # 0.6 px: one is left out in the middle
    np.testing.assert_array_equal(further[:600, :600], picture[:600, :600])
    np.testing.assert_array_equal(further[650:, 650:], picture[651:701, 651:701])


def test_beyond_the_image_it_is_white(tissue: Slide) -> None:
    beside, across = read_on_lattice(tissue, at((-500, 0), (-20, 0)), 64, 0.0909)
    assert (beside == 255).all()
    assert (across[:15] == 255).all()
    assert (across[25:] < 255).any()


def test_order_and_threads_change_nothing(tissue: Slide) -> None:
    corners = at((600, 600), (0, 0), (300, 20), (290, 30))
    one = read_on_lattice(tissue, corners, 90, 0.2, workers=1)
    np.testing.assert_array_equal(read_on_lattice(tissue, corners[::-1], 90, 0.2, workers=4)[::-1], one)
    assert read_on_lattice(tissue, corners[:0], 90, 0.2).shape == (0, 90, 90, 3)


def test_a_torn_chunk_is_named(tissue: Slide, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(*_: object) -> None:
        raise InputError("a chunk of the image of slide 'tissue' cannot be read")

    monkeypatch.setattr("napari_c2lst.slides.images.chunks.ChunkReader.read", torn)
    with pytest.raises(InputError, match="cannot be read"):
        read_on_lattice(tissue, at((0, 0)), 64, 0.25)
