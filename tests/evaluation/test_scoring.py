from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

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
