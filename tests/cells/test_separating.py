"""The steps between maps and labels, each against OpenCV or by hand; and that fixed ranges do not look at the tile."""

import numpy as np
import pytest
from scipy import ndimage
from tests.cells.maps import discs, noisy

from napari_c2lst.cells import separating
from napari_c2lst.cells.separating import REACH_PX, FixedRange, full_step, separate, sobel_kernels


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(64, 80)).astype(np.float32)


def test_kernels_are_opencvs() -> None:
    cv2 = pytest.importorskip("cv2")
    derive, smooth = cv2.getDerivKernels(1, 0, 21, ktype=cv2.CV_64F)
    assert np.array_equal(sobel_kernels()[0], smooth.ravel())
    assert np.array_equal(sobel_kernels()[1], derive.ravel())


@pytest.mark.parametrize("axis", [0, 1])
def test_edges_are_those_of_opencv(picture: np.ndarray, axis: int) -> None:
    cv2 = pytest.importorskip("cv2")
    unit = cv2.normalize(picture, None, 0, 1, cv2.NORM_MINMAX, cv2.CV_32F)
    slope = cv2.Sobel(unit, cv2.CV_64F, axis, 1 - axis, ksize=21)
    wanted = 1 - cv2.normalize(slope, None, 0, 1, cv2.NORM_MINMAX, cv2.CV_32F)
    np.testing.assert_allclose(separating._edges(picture, axis, None), wanted, atol=1e-6)


def test_blur_and_opening_are_those_of_opencv(picture: np.ndarray) -> None:
    cv2 = pytest.importorskip("cv2")
    values = picture.astype(np.float64)
    np.testing.assert_allclose(separating._blur(values), cv2.GaussianBlur(values, (3, 3), 0), atol=1e-12)
    mask = ndimage.gaussian_filter(picture, 1) > -0.05
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    wanted = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, ellipse).astype(bool)
    assert 0 < wanted.sum() < mask.sum()
    np.testing.assert_array_equal(separating._opened(mask), wanted)


def test_holes_are_filled_as_scipy_fills_them(picture: np.ndarray) -> None:
    mask = ndimage.gaussian_filter(picture, 1) > -0.05
    wanted = ndimage.binary_fill_holes(mask)
    assert wanted.sum() > mask.sum()
    np.testing.assert_array_equal(separating._filled(mask), wanted)
    assert not separating._filled(np.zeros((4, 4), bool)).any()
    assert separating._filled(np.ones((4, 4), bool)).all()


def test_small_labels_go_and_others_keep_their_numbers() -> None:
    labels = np.zeros((6, 20), np.int32)
    labels[0, :9], labels[2, :10] = 1, 2
    assert np.unique(separating._without_small(labels)).tolist() == [0, 2]


def test_a_flat_map_is_no_edge() -> None:
    flat = np.full((30, 30), 0.3, np.float32)
    assert np.isfinite(separating._edges(flat, 0, None)).all()


def test_a_full_step_is_one() -> None:
    step = np.repeat([[0.0] * 30 + [1.0] * 30], 60, axis=0)
    smooth, derive = sobel_kernels()
    answer = ndimage.correlate1d(ndimage.correlate1d(step, smooth, axis=0, mode="mirror"), derive, axis=1)
    assert answer.max() == pytest.approx(full_step())


def test_with_fixed_ranges_a_part_gives_what_the_whole_gives() -> None:
    centres = [(y, x) for y in range(20, 200, 24) for x in range(20, 200, 17)]
    prob, h, v = noisy(discs((220, 220), centres, 10), noise=0.1)
    whole = separate(prob, h, v, FixedRange())
    part = (slice(40, 180), slice(40, 180))
    inner = (slice(30, -30), slice(30, -30))
    cut = separate(prob[part], h[part], v[part], FixedRange())
    pairs = np.unique(np.stack([whole[part][inner].ravel(), cut[inner].ravel()]), axis=1)
    # one to one: every nucleus of the whole is exactly one of the part
    assert len(pairs[0]) == len(np.unique(pairs[0])) == len(np.unique(pairs[1])) > 10
    assert REACH_PX < 30


def test_without_them_a_single_bright_spot_elsewhere_changes_everything() -> None:
    centres = [(y, x) for y in range(20, 100, 24) for x in range(20, 100, 15)]
    prob, h, v = noisy(discs((220, 120), centres, 10), noise=0.1)
    spoilt = h.copy()
    spoilt[180:200, 60:] = 12
    assert np.array_equal(separate(prob, h, v, FixedRange())[:150], separate(prob, spoilt, v, FixedRange())[:150])
    assert not np.array_equal(separate(prob, h, v)[:150], separate(prob, spoilt, v)[:150])
