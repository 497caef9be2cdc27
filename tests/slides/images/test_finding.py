import tracemalloc

import numpy as np
import pytest
from scipy import ndimage
from tests.slides.pictures import tissue_picture

from napari_c2lst.slides.images import finding
from napari_c2lst.slides.images.bits import Bits
from napari_c2lst.slides.images.finding import dilated, find_tissue, otsu
from napari_c2lst.slides.images.scratch import Scratch, strips

GLASS = (232, 228, 234)


def tissue_of(picture, um, among=None):
    """`find_tissue` with its mask as an array."""
    mask, glass = find_tissue(picture, um, among)
    return np.asarray(mask), glass


@pytest.fixture(scope="module")
def picture():
    """Tissue with a hole, a speck, ink and a painted border, 8 um a pixel."""
    picture = np.full((160, 180, 3), GLASS, np.float32)
    picture += np.random.default_rng(0).normal(0, 1, picture.shape).astype(np.float32)
    picture[30:130, 40:140] = tissue_picture(100, 100, glass=GLASS)
    picture[60:90, 70:100] = GLASS
    picture[10:16, 160:166] = (120, 60, 140)
    picture[140:150, 20:120] = (30, 60, 170)
    picture[:, :12] = 3
    return picture


@pytest.mark.parametrize("rows", [1, 13, 40])
def test_the_result_does_not_depend_on_the_strips(picture, rows):
    mask, glass = tissue_of(picture, 8.0, strips(picture.shape, picture.shape[1] * 160))
    cut, glass_cut = tissue_of(picture, 8.0, strips(picture.shape, picture.shape[1] * rows))
    assert mask[100, 50]
    np.testing.assert_array_equal(cut, mask)
    assert glass_cut == glass


def test_nor_does_it_where_no_glass_is_seen():
    tissue = tissue_picture(90, 100)
    mask, glass = tissue_of(tissue, 8.0, strips(tissue.shape, 100 * 90))
    cut, none = tissue_of(tissue, 8.0, strips(tissue.shape, 100 * 7))
    assert glass is none is None
    np.testing.assert_array_equal(cut, mask)


def test_a_picture_on_disk_gives_the_same(picture):
    with Scratch(picture.shape, in_memory=0) as scratch:
        scratch.append(picture)
        mask, glass = tissue_of(scratch, 8.0)
    expected, colour = tissue_of(picture, 8.0)
    np.testing.assert_array_equal(mask, expected)
    assert glass == colour


def test_memory_is_a_few_masks(picture):
    many = np.tile(picture, (5, 5, 1))
    with Scratch(many.shape, in_memory=0) as scratch:
        scratch.append(many)
        del many
        tracemalloc.start()
        try:
            tissue_of(scratch, 8.0, strips(scratch.shape, 2**14))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # the picture alone would take 12 bytes a pixel, what is made of it at once more than 60
    assert peak < 5 * np.prod(scratch.shape[:2])


def on_glass(shape=(120, 130), where=(slice(30, 90), slice(40, 100)), glass=GLASS):
    """Tissue on clean glass, 8 um a pixel."""
    picture = np.full((*shape, 3), glass, np.uint8)
    rows, columns = (range(n)[part] for n, part in zip(shape, where, strict=True))
    picture[where] = tissue_picture(len(rows), len(columns), glass=glass)
    return picture


@pytest.mark.parametrize("turn", [lambda a: a[::-1], lambda a: a[:, ::-1], lambda a: a.swapaxes(0, 1)])
def test_a_turned_picture_has_the_turned_tissue(turn):
    picture = on_glass()
    mask, glass = tissue_of(picture, 8.0)
    turned, same = tissue_of(turn(picture), 8.0)
    assert (turned != turn(mask)).mean() < 1e-3  # sums in another order: a pixel on the threshold may fall either way
    assert same == glass


@pytest.mark.parametrize(
    "where", [(slice(0, 60), slice(0, 60)), (slice(60, 120), slice(70, 130)), (slice(0, 120), slice(0, 50))]
)
def test_tissue_reaches_into_the_corner_it_lies_in(where):
    mask, _ = tissue_of(on_glass(where=where), 8.0)
    truth = np.zeros(mask.shape, bool)
    truth[where] = True
    assert (mask & truth).sum() / (mask | truth).sum() > 0.85
    corner = (0 if where[0].start == 0 else -1, 0 if where[1].start == 0 else -1)
    assert mask[corner]


def test_the_picture_is_left_alone_and_its_type_does_not_matter():
    picture = on_glass()
    before = picture.copy()
    mask, glass = tissue_of(picture, 8.0)
    np.testing.assert_array_equal(picture, before)
    again, same = tissue_of(picture.astype(np.float64), 8.0)
    np.testing.assert_array_equal(again, mask)
    assert same == glass


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5)])
@pytest.mark.parametrize("level", [0, 235])
def test_pictures_smaller_than_the_neighbourhood(shape, level):
    mask, glass = tissue_of(np.full((*shape, 3), level, np.uint8), 8.0)
    assert mask.shape == shape
    assert not mask.any()
    assert glass == (None if level == 0 else pytest.approx((235,) * 3))


@pytest.mark.parametrize(
    ("colour", "seen"),
    [((250, 250, 250), True), ((180, 176, 178), True), ((60, 60, 60), False), ((240, 200, 150), False)],
    ids=["bright", "dim", "too dark", "too yellow"],
)
def test_what_can_be_glass(colour, seen):
    _, glass = tissue_of(on_glass(glass=colour), 8.0)
    assert glass == (pytest.approx(colour, abs=1) if seen else None)


def test_a_crumb_of_glass_is_no_glass():
    picture = tissue_picture(100, 100)
    picture[50:55, 50:55] = 255  # a quarter of a per cent
    assert tissue_of(picture, 8.0)[1] is None


def test_pixels_beside_black_ones_are_not_seen():
    picture = on_glass()
    picture[60, :] = 0  # a stitching line through the tissue
    mask, _ = tissue_of(picture, 8.0)
    assert not mask[58:63].any()
    assert mask[50, 70]
    assert mask[70, 70]


@pytest.mark.parametrize(("um", "kept"), [(4.0, False), (16.0, True)])
def test_a_speck_is_judged_by_its_microns(um, kept):
    picture = on_glass((300, 300), (slice(50, 140), slice(50, 140)))
    picture[200:216, 200:216] = tissue_picture(16, 16, glass=GLASS)  # 64 um or 256 um a side
    mask, _ = tissue_of(picture, um)
    assert mask[200:216, 200:216].any() == kept
    assert mask[60:130, 60:130].mean() > 0.95


@pytest.mark.parametrize("edge", [0.0, 0.3])
def test_otsu_is_that_of_scikit_image(edge):
    filters = pytest.importorskip("skimage.filters")
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(edge + 0.1, 0.02, 900), rng.normal(0.8, 0.04, 400)]).astype(np.float32)
    values = values.clip(0, 1)
    found = otsu(lambda: iter([values]))
    assert found == pytest.approx(filters.threshold_otsu(values), abs=2 / 256)
    assert otsu(lambda: iter([values[:7], values[:0], values[7:]])) == found


def test_otsu_takes_what_is_above_one_as_one():
    values = np.array([0.1] * 50 + [0.9] * 50, np.float32)
    far = values.copy()
    far[-10:] = 1000
    assert 0.1 <= otsu(lambda: iter([far])) < 0.9
    assert np.isfinite(otsu(lambda: iter([values[:50]])))  # one value only


@pytest.mark.parametrize("reach", [1, 3])
def test_a_mask_is_widened_across_strips(monkeypatch, reach):
    mask = np.random.default_rng(0).random((50, 60)) < 0.02
    monkeypatch.setattr(finding, "strips", lambda shape: strips(shape, 60 * 7))
    np.testing.assert_array_equal(dilated(Bits.of(mask), reach), ndimage.binary_dilation(mask, iterations=reach))
