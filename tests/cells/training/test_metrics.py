"""HoVer-Net's scores on cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.cells.training.nuclei import disc_image, square_labels

from napari_c2lst.cells.training.metrics import Overlaps, aji, dice, instance_scores, panoptic_quality

EMPTY = np.zeros((20, 20), np.int32)
# two nuclei of 16 and 24 pixels
TRUE = square_labels(20, (2, 2, 4, 4), (10, 10, 4, 6))


def quality(true: np.ndarray, pred: np.ndarray) -> tuple[float, float, float]:
    q = panoptic_quality(Overlaps.of(true, pred))
    return q.dq, q.sq, q.pq


class TestOverlaps:
    def test_pairs_and_areas(self) -> None:
        pred = square_labels(20, (2, 2, 4, 8), (0, 0, 1, 1))
        o = Overlaps.of(TRUE, pred)
        assert o.true_area.tolist() == [16, 24]
        assert o.pred_area.tolist() == [32, 1]
        assert (o.rows.tolist(), o.columns.tolist(), o.shared.tolist()) == ([0], [0], [16])
        assert o.union.tolist() == [32]
        assert o.iou.tolist() == [0.5]

    def test_ids_need_not_follow_one_another(self) -> None:
        far = np.where(TRUE == 2, 900, TRUE * 7)
        assert instance_scores(TRUE, far) == instance_scores(TRUE, TRUE)

    def test_maps_without_background(self) -> None:
        full = np.ones((4, 4), np.int32)
        assert Overlaps.of(full, full).true_area.tolist() == [16]

    def test_other_sizes_are_refused(self) -> None:
        with pytest.raises(ValueError, match="label maps of"):
            Overlaps.of(TRUE, np.zeros((4, 4), np.int32))


def test_the_truth_is_perfect() -> None:
    scores = instance_scores(TRUE, TRUE)
    assert set(scores) == {"dice", "aji", "dq", "sq", "pq"}
    assert all(value == pytest.approx(1, abs=1e-6) for value in scores.values())


def test_nothing_found() -> None:
    assert instance_scores(TRUE, EMPTY) == {"dice": 0, "aji": 0, "dq": 0, "sq": 0, "pq": 0}


def test_nothing_there() -> None:
    assert instance_scores(EMPTY, TRUE) == {"dice": 0, "aji": 0, "dq": 0, "sq": 0, "pq": 0}
    assert (dice(EMPTY, EMPTY), aji(Overlaps.of(EMPTY, EMPTY))) == (1, 1)


class TestDice:
    def test_by_hand(self) -> None:
        pred = square_labels(20, (2, 2, 4, 8))  # the first nucleus and as much beside it
        assert dice(TRUE, pred) == pytest.approx(2 * 16 / (40 + 32))

    def test_it_knows_no_nuclei(self) -> None:
        joined = (TRUE > 0).astype(np.int32)
        assert dice(TRUE, joined) == 1


class TestAji:
    def test_by_hand(self) -> None:
        # the first is found twice as large, the second is missed, and one of 9 pixels is made up
        pred = square_labels(20, (2, 2, 4, 8), (16, 0, 3, 3))
        assert aji(Overlaps.of(TRUE, pred)) == pytest.approx(16 / (32 + 24 + 9))

    def test_two_nuclei_taken_for_one(self) -> None:
        true = square_labels(20, (2, 2, 4, 4), (2, 6, 4, 4))
        joined = (true > 0).astype(np.int32)
        # each of the two is paired with the same one: it stands twice below the line
        assert aji(Overlaps.of(true, joined)) == pytest.approx((16 + 16) / (32 + 32))

    def test_one_nucleus_in_two_pieces(self) -> None:
        true = square_labels(20, (2, 2, 4, 8))
        split = square_labels(20, (2, 2, 4, 6), (2, 8, 4, 2))
        # the better piece is its pair, the other one is made up
        assert aji(Overlaps.of(true, split)) == pytest.approx(24 / (32 + 8))


class TestPanoptic:
    def test_by_hand(self) -> None:
        # 3 of 4 columns of the first (IoU 0.75), the second exactly, one made up
        pred = square_labels(20, (2, 2, 4, 3), (10, 10, 4, 6), (17, 0, 2, 2))
        dq = 2 / (2 + 0.5)
        assert quality(TRUE, pred) == pytest.approx((dq, (0.75 + 1) / 2, dq * 1.75 / 2), abs=1e-5)

    def test_half_is_not_enough(self) -> None:
        pred = square_labels(20, (2, 2, 4, 8), (10, 10, 4, 6))  # the first has an IoU of one half
        assert quality(TRUE, pred)[0] == pytest.approx(1 / (1 + 0.5 + 0.5))

    def test_pairs_must_be_unique(self) -> None:
        with pytest.raises(ValueError, match=r"below 0\.5"):
            panoptic_quality(Overlaps.of(TRUE, TRUE), 0.4)


def test_against_the_definitions_pixel_by_pixel() -> None:
    """Every pair of nuclei compared on the whole image, as the definitions read."""
    true = disc_image(80, 14, seed=3).instances
    pred = np.roll(disc_image(80, 14, seed=3).instances, (2, 3), (0, 1))
    pred[pred == 6] = 0
    ious = {
        (t, p): ((true == t) & (pred == p)).sum() / ((true == t) | (pred == p)).sum()
        for t in np.unique(true)[1:]
        for p in np.unique(pred)[1:]
    }
    matched = [iou for iou in ious.values() if iou > 0.5]
    total = len(np.unique(true)) + len(np.unique(pred)) - 2
    scores = instance_scores(true, pred)
    assert scores["dq"] == pytest.approx(2 * len(matched) / total)
    assert scores["sq"] == pytest.approx(np.mean(matched), abs=1e-5)
    shared = joined = 0
    used = set()
    for t in np.unique(true)[1:]:
        best = max(np.unique(pred)[1:], key=lambda p: ious[t, p])
        if ious[t, best] > 0:
            used.add(best)
            shared += ((true == t) & (pred == best)).sum()
            joined += ((true == t) | (pred == best)).sum()
        else:
            joined += (true == t).sum()
    joined += sum((pred == p).sum() for p in np.unique(pred)[1:] if p not in used)
    assert scores["aji"] == pytest.approx(shared / joined)
