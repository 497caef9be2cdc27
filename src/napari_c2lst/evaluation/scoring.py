"""Scores of a trial: every arm on the same held-out spots, and the paired differences that answer a reader's questions.

A *trial* is one set of training spots with one gene panel, one predictor seed and one number of optimiser steps. Only
arms of one trial are compared with each other; several trials (splits and seeds) are summarised by their differences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arms import ARMS, COMPARISONS, arm_named
from .metrics import (
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
from .records import Difference, Entry, GeneScore, Score, Summary, Trial

__all__ = ["differences", "gene_scores", "score_trial", "summary"]


_ORDER = {arm.key: i for i, arm in enumerate(ARMS)}


def score_trial(trial: Trial, *, seed: int = 0, draws: int = 1000) -> list[Score]:
    """The score of every entry, baselines first, each with its interval over held-out spots."""
    return [_score(trial, entry, seed, draws) for entry in _in_order(trial.entries)]


def gene_scores(trial: Trial) -> list[GeneScore]:
    """The score of every gene of every entry."""
    rows = []
    for entry in _in_order(trial.entries):
        r, error = gene_pearson(trial.truth, entry.prediction), gene_mae(trial.truth, entry.prediction)
        for i, gene in enumerate(trial.genes):
            x, y = trial.truth[:, i], entry.prediction[:, i]
            defined = float(r[i]) if np.isfinite(r[i]) else None
            numbers = (float(error[i]), defined, float(x.mean()), float(y.mean()), float(x.std()), float(y.std()))
            rows.append(GeneScore(trial.split, trial.seed, entry.arm, entry.run, gene, *numbers, trial.label))
    return rows


def differences(trials: Sequence[Trial], *, seed: int = 0, draws: int = 1000) -> list[Difference]:
    """The comparisons a reader asks for, for each kind of split.

    One trial of a kind gives an interval over its held-out spots; several give one over the trials, each of which
    counts once. Where a trial has several runs of one arm, all are compared.
    """
    found = []
    for block in dict.fromkeys(trial.block for trial in trials):
        same = [trial for trial in trials if trial.block == block]
        for first, second in COMPARISONS:
            pairs = [(t, a, b) for t in same for a, b in _paired(t, first, second)]
            if len(same) == 1:
                found += [_within(t, a, b, seed, draws) for t, a, b in pairs]
            elif pairs:
                found.append(_across(same[0], first, second, pairs))
    return found


def summary(scores: Sequence[Score]) -> list[Summary]:
    """One line for each arm of each block."""
    rows = []
    for block in dict.fromkeys(score.block for score in scores):
        for arm in ARMS:
            own = [s for s in scores if s.block == block and s.arm == arm.key]
            if not own:
                continue
            with_r = [s.r.value for s in own if s.r is not None]
            r = over_runs(with_r) if with_r else None
            shares = [s.against_median for s in own if s.against_median is not None]
            against = over_runs(shares) if shares else None
            rows.append(Summary(block, arm.key, over_runs([s.mae.value for s in own]), against, r, len(own)))
    return rows


def _paired(trial: Trial, first: str, second: str) -> list[tuple[Entry, Entry]]:
    """Every run of one arm with every run of the other; with that of its own seed alone where there is one."""
    pairs = [(a, b) for a in trial.entries if a.arm == first for b in trial.entries if b.arm == second]
    same_seed = [(a, b) for a, b in pairs if a.seed == b.seed]
    return same_seed or pairs


def _in_order(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (_ORDER[arm_named(entry.arm).key], entry.run))


def _score(trial: Trial, entry: Entry, seed: int, draws: int) -> Score:
    _, with_r = mean_defined(gene_pearson(trial.truth, entry.prediction))
    return Score(
        split=trial.split,
        seed=trial.seed,
        arm=entry.arm,
        run=entry.run,
        n_train=trial.n_train,
        n_test=len(trial.truth),
        mae=bootstrap_mae(trial.truth, entry.prediction, seed=seed, draws=draws),
        r=bootstrap_pearson(trial.truth, entry.prediction, seed=seed, draws=draws),
        genes=len(trial.genes),
        genes_with_r=with_r,
        steps=entry.steps,
        against_median=_against_median(trial, entry),
        scale=trial.scale,
        label=trial.label,
    )


def _against_median(trial: Trial, entry: Entry) -> float | None:
    median = [mae(trial.truth, other.prediction) for other in trial.entries if other.arm == "median"]
    return mae(trial.truth, entry.prediction) / median[0] - 1 if median and median[0] > 0 else None


def _within(trial: Trial, first: Entry, second: Entry, seed: int, draws: int) -> Difference:
    arrays = (trial.truth, first.prediction, second.prediction)
    return Difference(
        trial.split,
        first.arm,
        second.arm,
        paired_mae(*arrays, seed=seed, draws=draws),
        paired_pearson(*arrays, seed=seed, draws=draws),
        first.run,
        second.run,
        trial.label,
    )


def _across(trial: Trial, first: str, second: str, pairs: Sequence[tuple[Trial, Entry, Entry]]) -> Difference:
    errors: dict[int, list[float]] = {}
    patterns: dict[int, list[float]] = {}
    for own, a, b in pairs:
        errors.setdefault(id(own), []).append(mae(own.truth, a.prediction) - mae(own.truth, b.prediction))
        gap = gene_pearson(own.truth, a.prediction) - gene_pearson(own.truth, b.prediction)
        value, _ = mean_defined(gap)
        if value is not None:
            patterns.setdefault(id(own), []).append(value)
    r = over_runs([float(np.mean(v)) for v in patterns.values()]) if patterns else None
    error = over_runs([float(np.mean(v)) for v in errors.values()])
    return Difference(trial.split, first, second, error, r, label=trial.label)
