"""F1 of types on cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_c2lst.cells.training.type_metrics import (
    Pairing,
    TypedPoints,
    detection_f1,
    joined,
    pair,
    type_accuracy,
    type_f1,
    type_scores,
)


def points(*rows: tuple[float, float, int]) -> TypedPoints:
    table = np.array(rows, float).reshape(-1, 3)
    return TypedPoints(table[:, :2], table[:, 2].astype(np.int64))


def pairing(paired: list[tuple[int, int]], lost: list[int] = (), extra: list[int] = ()) -> Pairing:  # type: ignore[assignment]
    return Pairing(np.array(paired, np.int64).reshape(-1, 2), np.array(lost, np.int64), np.array(extra, np.int64))


class TestPair:
    def test_near_ones_are_paired_whatever_their_type(self) -> None:
        found = pair(points((10, 10, 1), (50, 50, 2)), points((52, 50, 1), (11, 10, 1)))
        assert sorted(map(tuple, found.paired.tolist())) == [(1, 1), (2, 1)]
        assert len(found.lost) == len(found.extra) == 0

    def test_twelve_pixels_are_near_thirteen_are_not(self) -> None:
        found = pair(points((0, 0, 1), (100, 0, 2)), points((12, 0, 1), (113, 0, 3)))
        assert found.paired.tolist() == [[1, 1]]
        assert (found.lost.tolist(), found.extra.tolist()) == ([2], [3])

    def test_the_sum_of_distances_is_least(self) -> None:
        # the nearest first would leave the other one 10 px away
        found = pair(points((0, 0, 1), (6, 0, 2)), points((4, 0, 1), (10, 0, 2)))
        assert sorted(map(tuple, found.paired.tolist())) == [(1, 1), (2, 2)]

    @pytest.mark.parametrize(("true", "pred"), [(0, 2), (2, 0), (0, 0)])
    def test_nothing_on_a_side(self, true: int, pred: int) -> None:
        some = [(5.0, 5.0, 1), (9.0, 9.0, 2)]
        found = pair(points(*some[:true]), points(*some[:pred]))
        assert (len(found.paired), len(found.lost), len(found.extra)) == (0, true, pred)


def test_images_are_put_together() -> None:
    both = joined([pairing([(1, 1)], [2]), pairing([(2, 1)], [], [1, 1])])
    assert both.paired.tolist() == [[1, 1], [2, 1]]
    assert (both.lost.tolist(), both.extra.tolist()) == ([2], [1, 1])
    assert len(joined([]).paired) == 0


# 3 right of type 1, 1 right of type 2, one 1 taken for 2, one 2 taken for 1; a lost 1, two made-up 2
CASE = pairing([(1, 1), (1, 1), (1, 1), (2, 2), (1, 2), (2, 1)], [1], [2, 2])


def test_detection() -> None:
    assert detection_f1(CASE) == pytest.approx(2 * 6 / (2 * 6 + 1 + 2))


def test_accuracy() -> None:
    assert type_accuracy(CASE) == pytest.approx(4 / 6)


def test_f1_of_a_type() -> None:
    assert type_f1(CASE, 1) == pytest.approx(2 * 3 / (2 * 3 + 2 * 1 + 2 * 1 + 1))
    assert type_f1(CASE, 2) == pytest.approx(2 * 1 / (2 * 1 + 2 * 1 + 2 * 1 + 2))


def test_pairs_of_other_types_do_not_count() -> None:
    more = pairing([*map(tuple, CASE.paired.tolist()), (3, 3), (3, 3)], [1], [2, 2])
    assert type_f1(more, 1) == type_f1(CASE, 1)
    assert type_f1(more, 3) == 1


def test_nothing_found_of_a_type() -> None:
    assert type_f1(CASE, 7) == 0
    assert (detection_f1(pairing([])), type_accuracy(pairing([]))) == (0, 0)


def test_all_scores_by_name() -> None:
    scores = type_scores(CASE, ["round", "long"])
    assert list(scores) == ["f1_detection", "type_accuracy", "f1_round", "f1_long"]
    assert scores["f1_long"] == type_f1(CASE, 2)
