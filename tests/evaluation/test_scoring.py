from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.evaluation.metrics import gene_mae, gene_pearson, mae
from napari_c2lst.evaluation.records import Entry, Trial
from napari_c2lst.evaluation.scoring import differences, gene_scores, score_trial, summary


def make_trial(
    split: str = "random", seed: int | None = 0, *, gain: float = 0.5, extra: tuple[Entry, ...] = ()
) -> Trial:
    rng = np.random.default_rng(100 + (seed or 0))
    truth = rng.gamma(2.0, 0.5, size=(80, 10))
    noise = rng.normal(0, 0.6, truth.shape)
    constant = np.ones_like(truth)
    entries = (
        Entry("real+synthetic", truth + gain * noise, "both", 300),
        Entry("mean", constant * truth.mean(0)),
        Entry("median", constant * np.median(truth, 0)),
        Entry("real", truth + noise, "alone", 300),
    )
    genes = tuple(f"G{i}" for i in range(10))
    return Trial(split, seed, 25, genes, np.arange(80), truth, (*entries, *extra))


def test_a_score_for_every_arm_baselines_first() -> None:
    trial = make_trial()
    scores = score_trial(trial, draws=200)
    assert [score.arm for score in scores] == ["mean", "median", "real", "real+synthetic"]
    assert [score.steps for score in scores] == [None, None, 300, 300]
    for score in scores:
        assert (score.split, score.seed, score.n_train, score.n_test, score.genes) == ("random", 0, 25, 80, 10)
    assert scores[2].mae.value == pytest.approx(mae(trial.truth, trial.entries[3].prediction))


def test_constant_predictors_have_no_r_rather_than_zero() -> None:
    scores = {score.arm: score for score in score_trial(make_trial(), draws=200)}
    assert scores["mean"].r is None
    assert scores["median"].r is None
    assert scores["mean"].genes_with_r == 0
    assert scores["real"].genes_with_r == 10


def test_gene_scores() -> None:
    trial = make_trial()
    rows = gene_scores(trial)
    assert len(rows) == 4 * 10
    real = [row for row in rows if row.arm == "real"]
    prediction = trial.entries[3].prediction
    assert [row.gene for row in real] == list(trial.genes)
    np.testing.assert_allclose([row.mae for row in real], gene_mae(trial.truth, prediction))
    np.testing.assert_allclose([row.r for row in real], gene_pearson(trial.truth, prediction))
    np.testing.assert_allclose([row.mean_measured for row in real], trial.truth.mean(0))
    assert all(row.r is None for row in rows if row.arm == "median")


def test_differences_within_one_trial_are_over_spots() -> None:
    found = differences([make_trial()], draws=200)
    both = found[0]
    assert (both.first, both.second, both.first_run, both.second_run) == ("real+synthetic", "real", "both", "alone")
    assert both.mae.over == "spots"
    assert both.mae.value < 0 < both.r.value
    assert both.verdict == "better in both"


def test_no_comparison_without_both_arms() -> None:
    found = differences([make_trial()], draws=200)
    assert {(d.first, d.second) for d in found} == {
        ("real+synthetic", "real"),
        ("real+synthetic", "median"),
        ("real", "median"),
    }


def test_differences_over_trials_count_each_trial_once() -> None:
    trials = [make_trial(seed=seed) for seed in range(3)]
    found = differences(trials)[0]
    single = [mae(t.truth, t.entries[0].prediction) - mae(t.truth, t.entries[3].prediction) for t in trials]
    assert found.mae.over == "runs"
    assert found.mae.n == 3
    assert found.mae.value == pytest.approx(np.mean(single))
    assert found.verdict == "better in both"


def test_repeated_runs_of_one_arm_are_averaged_within_their_trial() -> None:
    second = Entry("real+synthetic", make_trial(seed=0).entries[0].prediction + 0.1, "both again", 300)
    trials = [make_trial(seed=0, extra=(second,)), make_trial(seed=1)]
    found = differences(trials)[0]
    assert found.mae.n == 2
    one = [mae(trials[0].truth, e.prediction) for e in trials[0].entries if e.arm == "real+synthetic"]
    first = np.mean(one) - mae(trials[0].truth, trials[0].entries[3].prediction)
    other = mae(trials[1].truth, trials[1].entries[0].prediction) - mae(
        trials[1].truth, trials[1].entries[3].prediction
    )
    assert found.mae.value == pytest.approx((first + other) / 2)


def test_splits_are_never_averaged_together() -> None:
    trials = [make_trial("random", 0), make_trial("blocked", 0)]
    assert [d.split for d in differences(trials, draws=200) if d.second == "real"] == ["random", "blocked"]
    rows = summary([score for trial in trials for score in score_trial(trial, draws=200)])
    assert [row.block for row in rows] == ["random"] * 4 + ["blocked"] * 4
    assert all(row.runs == 1 for row in rows)


def test_summary_over_seeds() -> None:
    trials = [make_trial(seed=seed) for seed in range(3)]
    scores = [score for trial in trials for score in score_trial(trial, draws=200)]
    rows = {row.arm: row for row in summary(scores)}
    expected = np.mean([mae(t.truth, t.entries[3].prediction) for t in trials])
    assert rows["real"].mae.value == pytest.approx(expected)
    assert rows["median"].r is None
    assert rows["median"].against_median.value == 0
    assert rows["real"].runs == 3


def test_the_share_against_the_median_does_not_depend_on_the_scale() -> None:
    trial = make_trial()
    entries = tuple(replace(entry, prediction=3 * entry.prediction) for entry in trial.entries)
    larger = replace(trial, truth=3 * trial.truth, entries=entries, scale=900.0)
    once, thrice = score_trial(trial, draws=200), score_trial(larger, draws=200)
    assert thrice[2].mae.value == pytest.approx(3 * once[2].mae.value)
    assert thrice[2].against_median == pytest.approx(once[2].against_median)
    assert once[2].against_median == pytest.approx(once[2].mae.value / once[1].mae.value - 1)
    assert (once[1].against_median, thrice[0].scale) == (0, 900.0)


def test_without_a_median_there_is_nothing_to_hold_against() -> None:
    trial = make_trial()
    alone = replace(trial, entries=tuple(entry for entry in trial.entries if entry.arm == "real"))
    assert score_trial(alone, draws=200)[0].against_median is None


def test_runs_of_one_arm_are_listed_by_name() -> None:
    trial = make_trial()
    more = (Entry("real", trial.truth, "b"), Entry("real", trial.truth, "a"))
    scores = score_trial(replace(trial, entries=more), draws=100)
    assert [score.run for score in scores] == ["a", "b"]


def test_an_entry_of_no_known_arm_is_refused() -> None:
    trial = make_trial()
    with pytest.raises(InputError, match="no arm 'magic'"):
        score_trial(replace(trial, entries=(Entry("magic", trial.truth),)), draws=100)


def test_the_interval_is_a_function_of_the_seed() -> None:
    trial = make_trial()
    assert score_trial(trial, seed=1, draws=200) == score_trial(trial, seed=1, draws=200)
    first, second = (score_trial(trial, seed=seed, draws=200)[2].mae for seed in (1, 2))
    assert (first.value, first.low == second.low) == (second.value, False)


def test_runs_are_paired_with_that_of_their_own_seed() -> None:
    trial = make_trial()
    pairs = [Entry("real+synthetic", trial.truth + seed, f"both {seed}", 300, seed) for seed in (1, 2)] + [
        Entry("real", trial.truth + 3 * seed, f"alone {seed}", 300, seed) for seed in (1, 2)
    ]
    found = differences([replace(trial, entries=tuple(pairs))], draws=100)
    assert [(d.first_run, d.second_run) for d in found] == [("both 1", "alone 1"), ("both 2", "alone 2")]
    assert [d.mae.value for d in found] == [pytest.approx(-2), pytest.approx(-4)]


def test_runs_without_a_common_seed_are_paired_each_with_each() -> None:
    trial = make_trial()
    both = [Entry("real+synthetic", trial.truth + 1, f"both {seed}", 300, seed) for seed in (1, 2)]
    alone = [Entry("real", trial.truth + 2, f"alone {seed}", 300, seed) for seed in (3, 4)]
    found = differences([replace(trial, entries=(*both, *alone))], draws=100)
    assert len(found) == 4


def test_a_pattern_that_only_some_trials_have_is_averaged_over_those() -> None:
    trials = [make_trial(seed=seed) for seed in range(2)]
    flat = replace(trials[1].entries[3], prediction=np.ones_like(trials[1].truth))
    trials[1] = replace(trials[1], entries=(trials[1].entries[0], flat))
    found = differences(trials)[0]
    assert found.mae.n == 2
    assert found.r is not None
    assert found.r.n == 1
    assert found.r.low is None  # one trial has no spread


def test_trials_of_other_settings_are_never_averaged_together() -> None:
    trials = [replace(make_trial(seed=seed), label=label) for label in ("6 steps", "600 steps") for seed in (0, 1)]
    found = [d for d in differences(trials) if (d.first, d.second) == ("real+synthetic", "real")]
    assert [(d.label, d.mae.n) for d in found] == [("6 steps", 2), ("600 steps", 2)]
    assert [d.block for d in found] == ["random, 6 steps", "random, 600 steps"]


def test_nothing_to_compare() -> None:
    assert differences([]) == []
    assert summary([]) == []
    trial = make_trial()
    assert differences([replace(trial, entries=trial.entries[1:3])], draws=100) == []


def test_a_perfect_median_leaves_no_share() -> None:
    trial = make_trial()
    zero = np.zeros_like(trial.truth)
    entries = (Entry("median", zero), Entry("real", zero + 1))
    scores = score_trial(replace(trial, truth=zero, entries=entries), draws=100)
    assert [score.against_median for score in scores] == [None, None]  # nothing to divide by
    assert scores[1].mae.value == 1


def test_gene_scores_say_how_much_predictions_vary() -> None:
    trial = make_trial()
    halved = replace(trial, entries=(Entry("real", 0.5 * trial.truth),))
    for row in gene_scores(halved):
        assert row.sd_predicted == pytest.approx(0.5 * row.sd_measured)
        assert row.mean_predicted == pytest.approx(0.5 * row.mean_measured)
        assert row.r == pytest.approx(1)


def shuffled(trial: Trial, seed: int = 7) -> Trial:
    order = np.random.default_rng(seed).permutation(len(trial.genes))
    entries = tuple(replace(entry, prediction=entry.prediction[:, order]) for entry in trial.entries)
    return replace(trial, genes=tuple(trial.genes[i] for i in order), truth=trial.truth[:, order], entries=entries)


def test_the_order_of_the_genes_changes_no_score() -> None:
    for one, other in zip(
        score_trial(make_trial(), draws=100), score_trial(shuffled(make_trial()), draws=100), strict=True
    ):
        assert one.mae.value == pytest.approx(other.mae.value)
        assert (one.r is None) == (other.r is None)
        assert one.r is None or one.r.value == pytest.approx(other.r.value)


def test_the_order_of_the_entries_changes_no_line() -> None:
    trial = make_trial()
    turned = replace(trial, entries=trial.entries[::-1])
    assert score_trial(trial, draws=100) == score_trial(turned, draws=100)
    assert gene_scores(trial) == gene_scores(turned)


def test_differences_are_those_of_the_scores() -> None:
    trial = make_trial()
    score = {one.arm: one for one in score_trial(trial, draws=100)}
    for row in differences([trial], draws=100):
        assert row.mae.value == pytest.approx(score[row.first].mae.value - score[row.second].mae.value)
        if row.r is not None:
            assert row.r.value == pytest.approx(score[row.first].r.value - score[row.second].r.value)


def test_mean_over_genes_is_the_score() -> None:
    trial = make_trial()
    rows = gene_scores(trial)
    for score in score_trial(trial, draws=100):
        own = [row for row in rows if row.arm == score.arm]
        assert np.mean([row.mae for row in own]) == pytest.approx(score.mae.value)
        if score.r is not None:
            assert np.mean([row.r for row in own]) == pytest.approx(score.r.value)


def test_an_entry_with_a_hole_is_refused_by_name_of_the_fault() -> None:
    trial = make_trial()
    hole = trial.entries[0].prediction.copy()
    hole[3, 4] = np.nan
    with pytest.raises(InputError, match="NaN or infinity"):
        score_trial(replace(trial, entries=(replace(trial.entries[0], prediction=hole),)), draws=100)


def test_an_entry_of_other_spots_is_refused() -> None:
    trial = make_trial()
    short = replace(trial.entries[0], prediction=trial.entries[0].prediction[1:])
    with pytest.raises(InputError, match=r"\(80, 10\) and predicted values \(79, 10\)"):
        score_trial(replace(trial, entries=(short,)), draws=100)


def test_summary_of_one_trial_has_its_numbers_and_no_interval() -> None:
    scores = score_trial(make_trial(), draws=100)
    for row, score in zip(summary(scores), scores, strict=True):
        assert (row.arm, row.runs) == (score.arm, 1)
        assert (row.mae.value, row.mae.low) == (score.mae.value, None)
        assert (row.r is None) == (score.r is None)
    assert summary([]) == []
