from __future__ import annotations

import numpy as np
import pytest
from tests.slides.pictures import her2st, picture_file, slide_of, tissue_picture

from napari_c2lst.slides.images.finding import find_tissue, otsu
from napari_c2lst.slides.images.tissue import TissueMask, grid_positions, tissue_mask

GLASS = (232, 228, 234)


def tissue_of(picture, um, among=None):
    """`find_tissue` with its mask as an array."""
    mask, glass = find_tissue(picture, um, among)
    return np.asarray(mask), glass


@pytest.fixture
def picture():
    """A square of tissue on glass, 8 um a pixel."""
    picture = np.full((220, 240, 3), GLASS, np.uint8)
    picture[60:160, 50:150] = tissue_picture(100, 100, glass=GLASS)
    return picture


def overlap(mask, rows, columns):
    """Intersection over union with a rectangle."""
    truth = np.zeros(mask.shape, bool)
    truth[rows, columns] = True
    return (mask & truth).sum() / (mask | truth).sum()


def test_tissue_is_found_and_glass_is_not(picture):
    mask, glass = tissue_of(picture, 8.0)
    assert overlap(mask, slice(60, 160), slice(50, 150)) > 0.9
    assert glass == pytest.approx(GLASS, abs=1)


def test_dim_glass_haze_and_vignettes_are_not_tissue(picture):
    rows, columns = np.indices(picture.shape[:2])
    vignette = 0.75 - 0.12 * ((rows / 220 - 0.5) ** 2 + (columns / 240 - 0.5) ** 2)
    mask, _ = tissue_of(picture * vignette[..., None], 8.0)
    assert overlap(mask, slice(60, 160), slice(50, 150)) > 0.9


def test_black_background_is_not_tissue(picture):
    picture[:50] = picture[170:] = 0
    picture[:, :40] = picture[:, 165:] = 3
    mask, _ = tissue_of(picture, 8.0)
    assert overlap(mask, slice(60, 160), slice(50, 150)) > 0.88


@pytest.mark.parametrize("ink", [(30, 60, 170), (20, 120, 70), (25, 25, 30), (215, 25, 30)])
def test_pen_marks_are_not_tissue(picture, ink):
    picture[10:30, 20:220] = ink
    picture[20:200, 180:200] = ink
    mask, _ = tissue_of(picture, 8.0)
    assert overlap(mask, slice(60, 160), slice(50, 150)) > 0.9
    assert mask[:, 170:].mean() < 0.01


def test_specks_are_dropped_and_small_holes_closed(picture):
    picture[20:26, 200:206] = (120, 60, 140)
    picture[100:108, 90:98] = GLASS
    picture[120:150, 60:90] = GLASS
    mask, _ = tissue_of(picture, 8.0)
    assert not mask[:40, 180:].any()
    assert mask[100:108, 90:98].all()
    assert not mask[132:138, 72:78].any()


def test_tissue_that_fills_the_picture():
    mask, glass = tissue_of(tissue_picture(80, 100), 8.0)
    assert mask.mean() > 0.97
    assert glass is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_has_no_tissue(level):
    mask, _ = tissue_of(np.full((60, 60, 3), level, np.uint8), 8.0)
    assert mask.shape == (60, 60)
    assert not mask.any()


def test_at_and_fraction():
    array = np.zeros((10, 20), bool)
    array[2:6, 4:12] = True
    mask = TissueMask(array, px=10.0)
    points = np.array([[25.0, 45.0], [5.0, 45.0], [-1.0, 45.0], [99.9, 199.9], [100.0, 10.0], [59.9, 119.9]])
    assert mask.at(points).tolist() == [True, False, False, False, False, True]
    assert mask.fraction(np.array([[40.0, 80.0]]), 20.0) == pytest.approx(1.0)
    assert mask.fraction(np.array([[20.0, 80.0]]), 20.0) == pytest.approx(0.5)
    assert mask.fraction(np.array([[20.0, 40.0]]), 20.0) == pytest.approx(0.25)
    assert mask.fraction(np.array([[17.0, 80.0]]), 20.0) == pytest.approx(0.35)
    assert mask.fraction(np.array([[500.0, 80.0]]), 20.0) == pytest.approx(0.0)


def test_fraction_counts_nothing_beyond_the_image():
    mask = TissueMask(np.ones((10, 10), bool), px=1.0)
    assert mask.fraction(np.array([[0.0, 5.0], [0.0, 0.0], [5.0, 5.0]]), 4.0) == pytest.approx([0.5, 0.25, 1.0])


def test_the_mask_is_found_once_in_level_0_pixels():
    picture = np.full((1200, 1000, 3), GLASS, np.uint8)
    picture[400:800, 300:700] = tissue_picture(400, 400, glass=GLASS)
    slide = slide_of(np.ascontiguousarray(np.moveaxis(picture, -1, 0)), mpp=2.0, levels=3, chunk=256)
    mask = tissue_mask(slide)
    assert tissue_mask(slide) is mask
    assert tissue_mask(slide, um=16.0) is not mask
    assert mask.px == pytest.approx(4.0)
    assert mask.at(np.array([[600.0, 500.0], [100.0, 500.0], [600.0, 100.0]])).tolist() == [True, False, False]


def test_grid_covers_the_tissue_at_the_stride():
    slide = slide_of(np.zeros((3, 600, 800), np.uint8), mpp=0.5)
    array = np.zeros((60, 80), bool)
    array[20:40, 30:60] = True
    mask = TissueMask(array, px=10.0)
    positions = grid_positions(slide, mask, stride_um=25.0, patch_um=50.0)
    assert positions[0].tolist() == [225.0, 325.0]
    assert len(positions) == 4 * 6
    assert set(np.diff(np.unique(positions[:, 1]))) == {50.0}
    wide = grid_positions(slide, mask, stride_um=100.0, patch_um=50.0)
    assert ((wide - 50.0) % 200.0 == 0).all()


def test_grid_leaves_out_squares_with_little_tissue():
    slide = slide_of(np.zeros((3, 100, 100), np.uint8))
    array = np.zeros((10, 10), bool)
    array[:, :4] = True
    mask = TissueMask(array, px=10.0)
    assert grid_positions(slide, mask, 20.0, 20.0)[:, 1].max() == 30.0
    assert len(grid_positions(slide, mask, 40.0, 40.0, least=0.9)) == 2
    assert len(grid_positions(slide, TissueMask(~array & array, 10.0), 20.0, 20.0)) == 0


def test_otsu_splits_two_heaps():
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0.2, 0.03, 5000), rng.normal(0.7, 0.05, 3000)]).astype(np.float32)
    assert 0.28 < otsu(lambda: iter([scores])) < 0.55


@pytest.mark.parametrize(("section", "share"), [("B4", (0.22, 0.32)), ("C2", (0.14, 0.21))])
def test_real_sections(shared, section, share):
    slide, spots = her2st(shared, section)
    mask = tissue_mask(slide)
    assert mask.at(spots).mean() > 0.99  # all spots there are were chosen under tissue, some in fat
    assert share[0] < mask.mask.mean() < share[1]
    grid = grid_positions(slide, mask, 112.0, 112.0)
    assert mask.fraction(grid, 112.0 / slide.mpp).min() >= 0.5


def test_fiducials_vignettes_and_painted_background_of_real_slides(shared):
    crc = picture_file(shared / "visium-crc16" / "derived" / "tissue_hires_image_reconstructed.jpg", 4.53)
    mask = tissue_mask(crc)
    frame = np.zeros_like(mask.mask)
    frame[:, :110] = frame[930:] = True  # the fiducial frame beside the tissue
    assert 0.35 < mask.mask.mean() < 0.5
    assert mask.mask[frame].mean() < 0.001
    mob = tissue_mask(picture_file(shared / "st2k-mob" / "MOB1.jpg", 4.45))
    assert 0.09 < mob.mask.mean() < 0.13
    assert not mob.mask[: int(0.25 * len(mob.mask))].any()
    assert not mob.mask[int(0.75 * len(mob.mask)) :].any()
    black = tissue_mask(picture_file(shared / "her2st-a1-lowres" / "A1_HE_image_dark.png", 3.2))
    assert not black.mask[:280, :740].any()  # painted black
    assert not black.mask[960:].any()
    assert black.mask[400:800, 100:700].mean() > 0.98


def test_grey_dirt_is_not_tissue(picture):
    rng = np.random.default_rng(0)
    dirt = rng.integers(60, 200, (25, 60))
    picture[180:205, 20:80] = dirt[..., None]
    mask, _ = tissue_of(picture, 8.0)
    assert mask[175:].mean() < 0.01
    assert overlap(mask, slice(60, 160), slice(50, 150)) > 0.88


def test_fat_is_tissue():
    """Thin membranes around bright cells, as wide as they are in a real section."""
    picture = np.full((200, 200, 3), GLASS, np.uint8)
    picture[50:150, 50:150] = tissue_picture(100, 100, glass=GLASS)
    for line in range(50, 150, 9):
        picture[line : line + 2, 100:150] = picture[50:150, line : line + 2] = (190, 130, 175)
    rows, columns = np.indices((100, 50))
    bright = ((rows % 9) > 1) & ((columns + 50) % 9 > 1)
    picture[50:150, 100:150][bright] = GLASS
    mask, _ = tissue_of(picture, 8.0)
    assert mask[55:145, 105:145].mean() > 0.95


@pytest.mark.parametrize("um", [4.0, 8.0, 16.0])
def test_the_scale_of_the_picture_matters_little(um):
    side = round(1600 / um)
    picture = np.full((side, side, 3), GLASS, np.uint8)
    rows = slice(round(side * 0.25), round(side * 0.75))
    inner = picture[rows, rows].shape[0]
    picture[rows, rows] = tissue_picture(inner, inner, glass=GLASS)
    mask, _ = tissue_of(picture, um)
    assert overlap(mask, rows, rows) > 0.85
