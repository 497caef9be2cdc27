"""Compositions that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from napari_c2lst.cells.comparing import HALVES, compare, compose, jensen_shannon
from napari_c2lst.common.errors import InputError

NAMES = ("round", "long")


def drawn(share: float, patches: int = 60, nuclei: int = 20, seed: int = 0) -> np.ndarray:
    """Counts of two types, the first with a share of `share`."""
    first = np.random.default_rng(seed).binomial(nuclei, share, patches)
    return np.stack([first, nuclei - first], axis=1)


class TestCompose:
    def test_every_patch_counts_the_same(self) -> None:
        # shares of the first type 0.5 and 0.9, although the second patch has ten times the nuclei
        c = compose(np.array([[1, 1], [18, 2]]))
        assert c.mean == pytest.approx([0.7, 0.3])
        assert c.sd == pytest.approx([0.2 * np.sqrt(2)] * 2)
        assert (c.patches, c.empty) == (2, 0)

    def test_patches_without_nuclei_are_counted_apart(self) -> None:
        c = compose(np.array([[0, 0], [3, 1], [0, 0]]))
        assert c.mean == pytest.approx([0.75, 0.25])
        assert c.sd == pytest.approx([0, 0])
        assert (c.patches, c.empty) == (1, 2)

    def test_without_nuclei_there_is_no_composition(self) -> None:
        with pytest.raises(InputError, match="none of 3 patches has nuclei"):
            compose(np.zeros((3, 2), int))


class TestDistance:
    def test_the_same_is_zero_and_nothing_shared_is_one(self) -> None:
        assert jensen_shannon(np.array([0.2, 0.8]), np.array([0.2, 0.8])) == 0
        assert jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1)

    def test_by_hand(self) -> None:
        # p = (1, 0), q = (1/2, 1/2), middle (3/4, 1/4)
        p_part = np.log2(4 / 3)
        q_part = 0.5 * np.log2(2 / 3) + 0.5 * np.log2(2)
        expected = np.sqrt((p_part + q_part) / 2)
        assert jensen_shannon(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(expected)

    def test_as_scipy_has_it(self) -> None:
        p, q = np.random.default_rng(0).random((2, 6))
        assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, 2))
        assert jensen_shannon(p, q) == pytest.approx(jensen_shannon(q, p))


class TestCompare:
    def test_sets_of_one_kind_are_at_the_floor(self) -> None:
        c = compare(drawn(0.7), drawn(0.7, seed=1), NAMES)
        assert 0 < c.floor < c.floor_high
        assert c.distance <= c.floor_high

    def test_sets_of_two_kinds_are_far_above_it(self) -> None:
        c = compare(drawn(0.7), drawn(0.3, seed=1), NAMES)
        assert c.distance > 5 * c.floor_high

    def test_the_seed_decides_the_halves(self) -> None:
        one, same, other = (compare(drawn(0.7), drawn(0.6), NAMES, seed) for seed in (0, 0, 1))
        assert one.floor == same.floor != other.floor
        assert one.distance == other.distance
        assert HALVES >= 100

    def test_rows_and_lines(self) -> None:
        c = compare(np.array([[1, 1], [18, 2]] * 2), np.array([[1, 3], [0, 0]]), NAMES)
        first = c.rows()[0]
        assert (first["type"], first["real"], first["synthetic"]) == ("round", pytest.approx(0.7), pytest.approx(0.25))
        text = "\n".join(c.lines())
        assert "70.0 +- 23.1 %" in text
        assert "25.0 +-  0.0 %" in text
        assert "4 real and 1 synthetic patches with nuclei (0 and 1 without)" in text
        assert f"Jensen-Shannon distance {c.distance:.3f}" in text

    def test_other_types_are_refused(self) -> None:
        with pytest.raises(InputError, match="counts of 2 and 3 types, 2 names"):
            compare(drawn(0.5), np.ones((5, 3), int), NAMES)

    def test_too_few_patches_for_halves(self) -> None:
        with pytest.raises(InputError, match="3 real patches have nuclei"):
            compare(drawn(0.5, patches=3), drawn(0.5), NAMES)
