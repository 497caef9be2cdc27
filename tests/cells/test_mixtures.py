"""Compositions in numbers, on cases worked out by hand."""

import math

import numpy as np
import pytest

from napari_c2lst.cells.mixtures import Floor, divergence, halves_apart, jensen_shannon, spread, with_nuclei

COUNTS = np.array([[1, 3], [0, 0], [2, 2], [0, 4]])  # shares of the first type: 1/4, none, 1/2, 0


class TestSpread:
    def test_mean_and_sd_over_patches_with_nuclei(self) -> None:
        found = spread(COUNTS)
        np.testing.assert_allclose(found.mean, [0.25, 0.75])
        np.testing.assert_allclose(found.sd, [0.25, 0.25])  # deviations 0, 1/4, -1/4; n - 1 = 2
        assert (found.patches, found.empty) == (4, 1)

    def test_every_patch_counts_the_same_however_many_nuclei_it_has(self) -> None:
        np.testing.assert_allclose(spread(np.array([[100, 0], [0, 1]])).mean, [0.5, 0.5])

    def test_nuclei_a_patch_over_all_patches(self) -> None:
        found = spread(COUNTS)
        assert found.nuclei_mean == 3.0  # (4 + 0 + 4 + 4) / 4
        assert found.nuclei_sd == 2.0  # squared deviations 1, 9, 1, 1; n - 1 = 3

    def test_one_patch_has_no_sd(self) -> None:
        found = spread(np.array([[3, 1]]))
        np.testing.assert_allclose(found.mean, [0.75, 0.25])
        assert np.isnan(found.sd).all()
        assert math.isnan(found.nuclei_sd)

    @pytest.mark.parametrize("counts", [np.zeros((2, 3), int), np.zeros((0, 3), int)])
    def test_without_nuclei_there_is_no_mean(self, counts: np.ndarray) -> None:
        found = spread(counts)
        assert found.mean.shape == found.sd.shape == (3,)
        assert np.isnan([*found.mean, *found.sd]).all()
        assert found.empty == found.patches == len(counts)

    def test_shares_of_the_others_add_up(self) -> None:
        np.testing.assert_allclose(with_nuclei(COUNTS), [[0.25, 0.75], [0.5, 0.5], [0, 1]])


class TestJensenShannon:
    def test_same_distributions(self) -> None:
        assert jensen_shannon(np.array([0.2, 0.8]), np.array([0.2, 0.8])) == 0.0

    def test_nothing_in_common_is_one_bit(self) -> None:
        assert jensen_shannon(np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.5, 0.5])) == pytest.approx(1.0)

    def test_by_hand(self) -> None:
        """p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4): half of log2(4/3), and of half of log2(2/3) + log2(2)."""
        expected = 0.5 * math.log2(4 / 3) + 0.5 * (0.5 * math.log2(2 / 3) + 0.5 * math.log2(2))
        assert expected == pytest.approx(0.311278, abs=1e-6)
        assert jensen_shannon(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(expected)

    def test_as_scipy_has_it(self) -> None:
        from scipy.spatial.distance import jensenshannon

        p, q = np.random.default_rng(0).dirichlet(np.ones(5), 2)
        assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2)
        assert jensen_shannon(p, q) == pytest.approx(jensen_shannon(q, p))

    def test_of_two_groups_it_is_that_of_their_means(self) -> None:
        first, second = np.array([[4, 0], [0, 0]]), np.array([[9, 0], [0, 1]])  # (1, 0) and (1/2, 1/2)
        assert divergence(first, second) == pytest.approx(0.311278, abs=1e-6)

    def test_a_group_without_nuclei_has_none(self) -> None:
        assert divergence(COUNTS, np.zeros((3, 2), int)) is None
        assert divergence(np.zeros((0, 2), int), COUNTS) is None


class TestHalves:
    def test_by_hand(self) -> None:
        """Patches of types A, A, B, B halve as AA | BB (1 bit) in a third of all ways, else as AB | AB (0 bits)."""
        counts = np.array([[5, 0], [1, 0], [0, 2], [0, 7]])
        found = halves_apart(counts, np.random.default_rng(0), repeats=3000)
        assert found == Floor(median=0.0, high=1.0, repeats=3000)
        kept = [halves_apart(counts, np.random.default_rng(i), repeats=1) for i in range(300)]
        assert np.mean([floor.median for floor in kept if floor]) == pytest.approx(1 / 3, abs=0.08)

    def test_the_same_patches_are_nowhere_apart(self) -> None:
        found = halves_apart(np.tile([3, 1], (7, 1)), np.random.default_rng(0))
        assert found is not None
        assert (found.median, found.high) == (pytest.approx(0, abs=1e-12), pytest.approx(0, abs=1e-12))

    def test_more_patches_lower_it_and_the_seed_decides(self) -> None:
        counts = np.random.default_rng(1).multinomial(10, [0.5, 0.3, 0.2], size=400)
        few, many = (halves_apart(counts[:n], np.random.default_rng(2), 200) for n in (20, 400))
        assert few is not None
        assert many is not None
        assert many.median < few.median < few.high
        assert halves_apart(counts[:20], np.random.default_rng(2), 200) == few
        assert halves_apart(counts[:20], np.random.default_rng(3), 200) != few

    def test_patches_without_nuclei_are_in_no_half(self) -> None:
        counts = np.array([[5, 0], [1, 0], [0, 2], [0, 7]])
        padded = np.concatenate([counts, np.zeros((50, 2), int)])
        same = halves_apart(counts, np.random.default_rng(0), 50), halves_apart(padded, np.random.default_rng(0), 50)
        assert same[0] == same[1]

    def test_too_few(self) -> None:
        assert halves_apart(np.array([[1, 0], [0, 1], [1, 1], [0, 0]]), np.random.default_rng(0)) is None


class TestAgainstTheFloor:
    """A distance means something only beside what two halves of the same patches give."""

    def drawn(self, share: float, seed: int) -> np.ndarray:
        """Counts of two types in 60 patches, the first with a share of `share`."""
        first = np.random.default_rng(seed).binomial(20, share, 60)
        return np.stack([first, 20 - first], axis=1)

    def floor(self, counts: np.ndarray) -> Floor:
        found = halves_apart(counts, np.random.default_rng(0))
        assert found is not None
        return found

    def test_sets_of_one_kind_lie_at_it(self) -> None:
        real = self.drawn(0.7, 0)
        apart = divergence(real, self.drawn(0.7, 1))
        assert apart is not None
        assert apart <= self.floor(real).high

    def test_sets_of_two_kinds_lie_far_above_it(self) -> None:
        real = self.drawn(0.7, 0)
        apart = divergence(real, self.drawn(0.3, 1))
        assert apart is not None
        assert apart > 5 * self.floor(real).high

    def test_types_are_in_the_same_order_or_it_is_another_distance(self) -> None:
        real = self.drawn(0.7, 0)
        assert divergence(real, real[:, ::-1]) > 5 * self.floor(real).high
