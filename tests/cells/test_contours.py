"""Outlines, all at once: the same corners in the same order as OpenCV's."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_c2lst.cells.contours import outlines


def all_ids(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.unique(labels)[1:].astype(np.int64)


def test_corners_of_a_box() -> None:
    labels = np.zeros((6, 8), np.int32)
    labels[1:4, 2:7] = 5
    found = outlines(labels, np.array([5]))
    assert [f.tolist() for f in found] == [[[2, 1], [2, 3], [6, 3], [6, 1]]]
    assert found[0].dtype == np.int32


def test_a_pixel_a_line_and_a_nucleus_that_fills_the_image() -> None:
    labels = np.zeros((5, 5), np.int32)
    labels[0, 0], labels[2, 1:5] = 1, 2
    assert [f.tolist() for f in outlines(labels, np.array([1, 2]))] == [[[0, 0]], [[1, 2], [4, 2]]]
    assert outlines(np.ones((3, 4), np.int32), np.array([1]))[0].tolist() == [[0, 0], [0, 2], [3, 2], [3, 0]]


def test_only_what_was_asked_for_in_that_order() -> None:
    labels = np.zeros((9, 9), np.int32)
    labels[1:4, 1:4], labels[1:4, 5:8], labels[5:8, 1:4] = 7, 3, 4
    found = outlines(labels, np.array([4, 7]))
    assert [f[0].tolist() for f in found] == [[1, 5], [1, 1]]
    assert outlines(labels, np.zeros(0, np.int64)) == []


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [0.45, 0.6])
def test_any_shape_as_opencv_has_it(seed: int, share: float) -> None:
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.random((70, 90)), seed % 3 * 0.8)
    labels = np.asarray(ndimage.label(smooth < np.quantile(smooth, share), output=np.int32)[0])  # with holes and tails
    ids = all_ids(labels)
    assert len(ids) > 3
    for number, found in zip(ids, outlines(labels, ids), strict=True):
        mask = (labels == number).astype(np.uint8)
        wanted = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0][0].reshape(-1, 2)
        np.testing.assert_array_equal(found, wanted)


def test_outlines_enclose_their_nuclei() -> None:
    y, x = np.mgrid[:40, :60]
    labels = np.where(np.hypot(y - 20, x - 15) < 10, 1, np.where(np.hypot(y - 20, x - 42) < 12, 2, 0)).astype(np.int32)
    for number, corners in zip((1, 2), outlines(labels, np.array([1, 2])), strict=True):
        inside = np.argwhere(labels == number)
        assert corners.min(axis=0).tolist() == inside.min(axis=0)[::-1].tolist()
        assert corners.max(axis=0).tolist() == inside.max(axis=0)[::-1].tolist()
        assert (labels[corners[:, 1], corners[:, 0]] == number).all()


def test_pixels_that_meet_at_a_corner_are_of_one_outline() -> None:
    labels = np.eye(5, dtype=np.int32)
    assert outlines(labels, np.array([1]))[0].tolist() == [[0, 0], [4, 4]]


def test_neighbours_do_not_change_an_outline() -> None:
    alone = np.zeros((12, 14), np.int32)
    alone[3:9, 4:10] = 2
    crowded = np.where(alone == 2, 2, 9).astype(np.int32)
    np.testing.assert_array_equal(outlines(alone, np.array([2]))[0], outlines(crowded, np.array([2]))[0])


def test_large_numbers_and_gaps_between_them() -> None:
    labels = np.zeros((8, 20), np.int32)
    labels[1:4, 1:4], labels[2:6, 8:15] = 40_000, 7
    found = outlines(labels, np.array([7, 40_000]))
    assert [f[0].tolist() for f in found] == [[8, 2], [1, 1]]


def test_a_spiral_is_followed_to_its_end_and_back() -> None:
    labels = np.zeros((9, 9), np.int32)
    labels[1, 1:8] = labels[1:8, 7] = labels[7, 3:8] = labels[4:8, 3] = labels[4, 3:6] = 1
    (corners,) = outlines(labels, np.array([1]))
    assert {tuple(c) for c in corners.tolist()} >= {(1, 1), (7, 7), (3, 7), (5, 4)}
    assert (labels[corners[:, 1], corners[:, 0]] == 1).all()
