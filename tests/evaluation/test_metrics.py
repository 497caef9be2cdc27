from __future__ import annotations

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.evaluation.metrics import (
    Interval,
    bootstrap_mae,
    bootstrap_pearson,
    gene_mae,
    gene_pearson,
    mae,
    mean_defined,
    over_runs,
    paired_mae,
    paired_pearson,
)


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(0).gamma(2.0, 0.4, size=(120, 12)).astype(np.float32)


def noisy(truth: np.ndarray, sd: float, seed: int = 1) -> np.ndarray:
    return truth + np.random.default_rng(seed).normal(0, sd, truth.shape)


def test_mae_by_hand() -> None:
    truth = np.array([[0.0, 1.0], [2.0, 3.0]])
    prediction = np.array([[1.0, 1.0], [2.0, 0.0]])
    assert mae(truth, prediction) == 1.0
    assert gene_mae(truth, prediction).tolist() == [0.5, 1.5]


def test_pearson_agrees_with_numpy(truth: np.ndarray) -> None:
    prediction = noisy(truth, 0.5)
    expected = [np.corrcoef(truth[:, i], prediction[:, i])[0, 1] for i in range(truth.shape[1])]
    np.testing.assert_allclose(gene_pearson(truth, prediction), expected, rtol=1e-6)


def test_pearson_keeps_its_digits_far_from_zero(truth: np.ndarray) -> None:
    prediction = noisy(truth, 0.5)
    np.testing.assert_allclose(gene_pearson(truth, prediction + 1e5), gene_pearson(truth, prediction), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_prediction_has_no_correlation(truth: np.ndarray, dtype: type) -> None:
    constant = np.broadcast_to(truth.mean(axis=0).astype(dtype), truth.shape)
    assert np.isnan(gene_pearson(truth, constant)).all()
    assert mean_defined(gene_pearson(truth, constant)) == (None, 0)
    assert bootstrap_pearson(truth, constant) is None


def test_rounding_noise_is_constant_too(truth: np.ndarray) -> None:
    jitter = np.random.default_rng(3).choice([-6e-8, 0, 6e-8], size=truth.shape)
    assert np.isnan(gene_pearson(truth, truth.mean(axis=0) + jitter)).all()


def test_a_gene_that_is_never_measured_is_left_out_of_the_mean(truth: np.ndarray) -> None:
    prediction = noisy(truth, 0.3)
    truth = truth.copy()
    truth[:, 4] = 0
    r = gene_pearson(truth, prediction)
    value, count = mean_defined(r)
    assert np.isnan(r[4])
    assert count == 11
    assert value == pytest.approx(np.delete(r, 4).mean())


def test_one_spot_has_no_correlation() -> None:
    assert np.isnan(gene_pearson(np.ones((1, 3)), np.ones((1, 3)))).all()
    interval = bootstrap_mae(np.ones((1, 3)), np.zeros((1, 3)))
    assert (interval.value, interval.low, interval.high) == (1.0, None, None)


def test_the_median_flatters_the_error_but_not_r() -> None:
    # what the module warns of: sparse counts, a useful prediction, and a constant with the smaller error
    rng = np.random.default_rng(0)
    signal = rng.gamma(0.3, 1.0, size=(400, 5))
    truth = np.log1p(rng.poisson(signal))
    useful = np.log1p(signal) + 0.25
    median = np.broadcast_to(np.median(truth, axis=0), truth.shape)
    assert mae(truth, median) < mae(truth, useful)
    assert mean_defined(gene_pearson(truth, useful))[0] > 0.5
    assert mean_defined(gene_pearson(truth, median))[0] is None


def test_bootstrap_interval_holds_the_estimate_and_shrinks(truth: np.ndarray) -> None:
    prediction = noisy(truth, 0.5)
    few, many = bootstrap_mae(truth[:30], prediction[:30]), bootstrap_mae(truth, prediction)
    for interval, n in ((few, 30), (many, 120)):
        assert interval.low is not None
        assert interval.low < interval.value < interval.high
        assert (interval.n, interval.over) == (n, "spots")
    assert many.high - many.low < few.high - few.low
    assert many.value == pytest.approx(mae(truth, prediction))


def test_bootstrap_interval_agrees_with_the_standard_error(truth: np.ndarray) -> None:
    prediction = noisy(truth, 0.5)
    interval = bootstrap_mae(truth, prediction, draws=4000)
    error = np.abs(truth - prediction).mean(axis=1)
    half = 1.96 * error.std(ddof=1) / np.sqrt(len(error))
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.1)


def test_bootstrap_is_a_function_of_the_seed(truth: np.ndarray) -> None:
    prediction = noisy(truth, 0.5)
    assert bootstrap_pearson(truth, prediction, seed=1) == bootstrap_pearson(truth, prediction, seed=1)
    assert bootstrap_pearson(truth, prediction, seed=1) != bootstrap_pearson(truth, prediction, seed=2)


def test_paired_difference_sees_what_two_intervals_hide(truth: np.ndarray) -> None:
    worse = noisy(truth, 0.5)
    better = truth + 0.97 * (worse - truth)
    a, b = bootstrap_mae(truth, better), bootstrap_mae(truth, worse)
    assert a.high > b.low  # they overlap
    difference = paired_mae(truth, better, worse)
    assert difference.value == pytest.approx(a.value - b.value)
    assert difference.value < 0
    assert difference.clear
    assert paired_pearson(truth, better, worse).clear


def test_paired_difference_of_equals_is_not_clear(truth: np.ndarray) -> None:
    first, second = noisy(truth, 0.5, seed=1), noisy(truth, 0.5, seed=2)
    assert not paired_mae(truth, first, second).clear
    assert paired_mae(truth, first, first).value == 0


def test_no_paired_r_against_a_constant(truth: np.ndarray) -> None:
    constant = np.broadcast_to(np.median(truth, axis=0), truth.shape)
    assert paired_pearson(truth, noisy(truth, 0.5), constant) is None


def test_paired_r_compares_shared_genes_only(truth: np.ndarray) -> None:
    first, second = noisy(truth, 0.4, seed=1), noisy(truth, 0.6, seed=2)
    second[:, 0] = 1.0
    shared = (gene_pearson(truth, first) - gene_pearson(truth, second))[1:]
    assert paired_pearson(truth, first, second).value == pytest.approx(shared.mean())


def test_over_runs_is_students_t() -> None:
    interval = over_runs([0.1, 0.2, 0.3])
    assert interval.value == pytest.approx(0.2)
    assert interval.high - 0.2 == pytest.approx(4.302653 * 0.1 / np.sqrt(3), rel=1e-5)
    assert interval.over == "runs"
    assert not interval.clear


def test_over_one_run_claims_nothing() -> None:
    interval = over_runs([0.1])
    assert (interval.low, interval.high, interval.clear) == (None, None, False)
    assert "no interval" in interval.text()
    with pytest.raises(InputError, match="no run"):
        over_runs([])


def test_interval_in_words() -> None:
    assert Interval(-0.021, -0.025, -0.018, 200, "spots").text(3) == "-0.021 (-0.025 to -0.018)"


@pytest.mark.parametrize(
    ("truth", "prediction", "words"),
    [
        (np.zeros((4, 3)), np.zeros((4, 2)), "both must be spots x genes"),
        (np.zeros(4), np.zeros(4), "both must be spots x genes"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "no spot to score"),
        (np.zeros((2, 2)), np.full((2, 2), np.nan), "NaN"),
    ],
)
def test_bad_input_is_refused(truth: np.ndarray, prediction: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        mae(truth, prediction)


def test_perfect_and_opposite_predictions(truth: np.ndarray) -> None:
    np.testing.assert_allclose(gene_pearson(truth, truth), 1)
    np.testing.assert_allclose(gene_pearson(truth, -2 * truth + 7), -1)
    assert gene_pearson(truth, truth).max() <= 1  # rounding never gives more
    assert mae(truth, truth) == 0


def test_a_gene_that_barely_varies_still_has_its_correlation() -> None:
    small = 1e-4 * np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(gene_pearson(small, 3 * small), 1)


def test_whole_numbers_are_taken_too() -> None:
    counts = np.array([[0, 3], [2, 1], [5, 0]])
    assert mae(counts, counts + 1) == 1.0
    np.testing.assert_allclose(gene_pearson(counts, counts * 2), 1)


def test_mean_of_what_is_defined() -> None:
    assert mean_defined(np.array([0.2, np.nan, 0.4])) == (pytest.approx(0.3), 2)
    assert mean_defined(np.zeros(0)) == (None, 0)


def test_bootstrap_of_r_holds_the_estimate(truth: np.ndarray) -> None:
    interval = bootstrap_pearson(truth, noisy(truth, 0.5))
    assert interval.low < interval.value < interval.high < 1
    assert interval.value == pytest.approx(gene_pearson(truth, noisy(truth, 0.5)).mean())
    assert (interval.n, interval.over) == (120, "spots")


def test_a_rarely_measured_gene_does_not_break_the_bootstrap() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((12, 1))
    truth[0] = 1.0  # in more than a third of the draws the gene does not vary at all
    interval = bootstrap_pearson(truth, rng.normal(size=(12, 1)))
    assert interval is not None
    assert np.isfinite([interval.low, interval.high]).all()


def test_paired_difference_turns_its_sign_with_the_order(truth: np.ndarray) -> None:
    first, second = noisy(truth, 0.3), noisy(truth, 0.6, seed=2)
    there, back = paired_mae(truth, first, second), paired_mae(truth, second, first)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
    r_there, r_back = paired_pearson(truth, first, second), paired_pearson(truth, second, first)
    assert (r_there.value, r_there.low) == pytest.approx((-r_back.value, -r_back.high))


def test_pairs_of_one_spot_claim_nothing() -> None:
    one = np.ones((1, 3))
    assert paired_mae(one, one, 2 * one).low is None
    assert paired_pearson(one, one, one) is None


def test_paired_predictions_must_be_of_the_same_spots(truth: np.ndarray) -> None:
    for paired in (paired_mae, paired_pearson):
        with pytest.raises(InputError, match="same spots and the same genes"):
            paired(truth, truth, truth[:5])


def test_an_interval_is_clear_on_either_side_of_zero_alone() -> None:
    ends = [(0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1), (0.0, 0.1), (-0.1, 0.0)]
    assert [Interval(0.0, low, high, 9, "spots").clear for low, high in ends] == [True, True, False, False, False]


def test_runs_that_agree_have_no_spread() -> None:
    interval = over_runs([0.25, 0.25, 0.25])
    assert (interval.low, interval.high, interval.n, interval.clear) == (0.25, 0.25, 3, True)


def test_infinite_values_are_refused(truth: np.ndarray) -> None:
    wrong = truth.copy()
    wrong[3, 2] = np.inf
    for given in ((wrong, truth), (truth, wrong)):
        with pytest.raises(InputError, match="NaN or infinity"):
            gene_mae(*given)


def test_the_error_of_a_copy_is_zero_and_its_interval_a_point(truth: np.ndarray) -> None:
    found = bootstrap_mae(truth, truth.copy(), draws=50)
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert not found.clear


def test_r_does_not_see_shift_and_stretch_but_the_error_does(truth: np.ndarray) -> None:
    moved = 3 * noisy(truth, 0.2) + 7
    np.testing.assert_allclose(gene_pearson(truth, moved), gene_pearson(truth, noisy(truth, 0.2)), atol=1e-9)
    assert mae(truth, moved) > mae(truth, noisy(truth, 0.2)) + 1


def test_the_order_of_the_spots_changes_no_estimate(truth: np.ndarray) -> None:
    order = np.random.default_rng(0).permutation(len(truth))
    found = noisy(truth, 0.5)
    assert mae(truth, found) == pytest.approx(mae(truth[order], found[order]))
    np.testing.assert_allclose(gene_pearson(truth, found), gene_pearson(truth[order], found[order]))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (5,), (2, 3, 4)])
def test_arrays_of_no_spots_or_of_other_shapes_are_refused_everywhere(shape: tuple[int, ...]) -> None:
    odd = np.zeros(shape)
    for measure in (mae, gene_mae, gene_pearson, bootstrap_mae, bootstrap_pearson):
        with pytest.raises(InputError):
            measure(odd, odd)


def test_spread_over_more_runs_gives_a_narrower_interval() -> None:
    few, many = over_runs([0.1, 0.3]), over_runs([0.1, 0.3] * 8)
    assert few.value == pytest.approx(many.value)
    assert many.high - many.low < few.high - few.low
    assert (few.n, many.n, few.over) == (2, 16, "runs")
