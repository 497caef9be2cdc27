from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.cells.training.nuclei import disc_image, square_labels

from napari_c2lst.cells.training.layouts import find_items
from napari_c2lst.cells.training.targets import centre, distance_maps, make_targets, split_pieces


def test_distances_run_from_minus_one_to_one() -> None:
    horizontal, vertical = distance_maps(square_labels(20, (4, 6, 5, 9)))
    assert np.allclose(horizontal[5, 6:15], [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1])
    assert np.allclose(vertical[4:9, 10], [-1, -0.5, 0, 0.5, 1])
    assert horizontal[0].any() == vertical[0].any() == False  # noqa: E712


def test_each_side_is_scaled_by_itself() -> None:
    labels = np.zeros((9, 12), np.int32)
    labels[2:7, 2:6] = 1
    labels[4, 6:10] = 1  # a tail to the right: the centre of mass is left of the middle
    horizontal = distance_maps(labels)[0]
    assert (horizontal[labels > 0].min(), horizontal[labels > 0].max()) == (-1, 1)
    left, right = -horizontal[4, 2:5], horizontal[4, 5:10]
    assert np.diff(horizontal[4, 2:10]).min() > 0
    assert abs(np.diff(left).mean()) > abs(np.diff(right).mean())


def test_touching_nuclei_have_a_jump_between_them() -> None:
    horizontal = distance_maps(square_labels(20, (2, 2, 7, 7), (2, 9, 7, 7)))[0]
    assert horizontal[5, 8] == 1
    assert horizontal[5, 9] == -1


def test_one_pixel_is_its_own_centre() -> None:
    assert not distance_maps(square_labels(5, (2, 2, 1, 1))).any()


def test_no_nuclei_no_distances() -> None:
    assert not distance_maps(np.zeros((6, 6), np.int32)).any()
    assert distance_maps(np.zeros((6, 6), np.int32)).shape == (2, 6, 6)


def test_pieces_of_one_id_are_apart() -> None:
    labels = square_labels(20, (1, 1, 4, 4), (10, 10, 4, 4))
    labels[labels > 0] = 7
    pieces = split_pieces(labels)
    assert np.array_equal(np.unique(pieces), [0, 1, 2])
    assert pieces[2, 2] != pieces[11, 11]


def test_touching_ids_stay_apart() -> None:
    assert len(np.unique(split_pieces(square_labels(20, (2, 2, 5, 5), (2, 7, 5, 5))))) == 3


def test_a_map_without_background() -> None:
    assert np.array_equal(split_pieces(np.full((3, 3), 9, np.int32)), np.ones((3, 3)))


@pytest.mark.parametrize(("px", "size"), [(4, 10), (5, 10), (10, 10)])
def test_the_centre(px: int, size: int) -> None:
    middle = centre(np.arange(size * size).reshape(size, size), px)
    assert middle.shape == (px, px)
    top = (size - px) // 2
    assert middle[0, 0] == top * size + top


class TestTargets:
    def test_all_are_of_the_middle(self) -> None:
        nuclei = disc_image(60)
        targets = make_targets(nuclei.instances, nuclei.types, 40)
        assert nuclei.types is not None
        assert targets.types is not None
        assert np.array_equal(targets.nucleus, nuclei.instances[10:50, 10:50] > 0)
        assert np.array_equal(targets.types, nuclei.types[10:50, 10:50])
        assert targets.distances.shape == (2, 40, 40)
        assert targets.distances.dtype == np.float32

    def test_a_nucleus_that_the_crop_cuts_keeps_its_centre(self) -> None:
        labels = square_labels(40, (10, 4, 11, 13))  # columns 4 to 16; the crop begins at 10, the centre
        horizontal = make_targets(labels, None, 20).distances[0]
        assert horizontal[5, 0] == 0
        assert horizontal[5, 6] == 1

    def test_a_sliver_gets_no_distances_but_is_a_nucleus(self) -> None:
        labels = square_labels(40, (12, 4, 14, 7))  # one column of 14 pixels is left
        targets = make_targets(labels, None, 20)
        assert targets.nucleus.sum() == 14
        assert not targets.distances.any()

    def test_without_types_there_are_none(self) -> None:
        assert make_targets(square_labels(40, (12, 12, 9, 9)), None, 20).types is None

    def test_types_outside_nuclei_do_not_count(self) -> None:
        targets = make_targets(square_labels(40, (12, 12, 9, 9)), np.full((40, 40), 3, np.uint8), 20)
        assert targets.types is not None
        assert np.array_equal(targets.types > 0, targets.nucleus > 0)

    def test_real_nuclei(self, shared: Path) -> None:
        nuclei = find_items(shared / "hne-consep", "test")[0].read()
        targets = make_targets(nuclei.instances, nuclei.types, 164)
        inside = targets.nucleus > 0
        assert np.abs(targets.distances).max() <= 1
        assert not targets.distances[:, ~inside].any()
        # both signs in equal measure
        assert abs(float(targets.distances[:, inside].mean())) < 0.1
