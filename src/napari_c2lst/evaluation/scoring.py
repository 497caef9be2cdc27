"""Scores of a trial: every arm on the same held-out spots, and the paired differences that answer a reader's questions.

A *trial* is one set of training spots with one gene panel, one predictor seed and one number of optimiser steps. Only
arms of one trial are compared with each other; several trials (splits and seeds) are summarised by their differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .arms import ARMS, COMPARISONS, arm_named
from .metrics import (
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

__all__ = [
    "Difference",
    "Entry",
    "GeneScore",
    "Score",
    "Summary",
    "Trial",
    "block_name",
    "differences",
    "gene_scores",
    "score_trial",
    "summary",
]

Matrix = npt.NDArray[np.floating[Any]]

UNCLEAR = "no clear difference"
_ORDER = {arm.key: i for i, arm in enumerate(ARMS)}


@dataclass(frozen=True, eq=False)
class Entry:
    """The predictions of one arm.

    Attributes
    ----------
    arm
        Key of the arm.
    prediction
        (n_test, d) on the scale of targets.
    run
        Name of the run it comes from; empty for baselines.
    steps
        Optimiser steps; None for baselines.
    seed
        Seed of the predictor; None for baselines.
    """

    arm: str
    prediction: Matrix
    run: str = ""
    steps: int | None = None
    seed: int | None = None


@dataclass(frozen=True, eq=False)
class Trial:
    """One training set and everything scored on its held-out spots.

    Attributes
    ----------
    split
        ``"random"``, ``"blocked"`` or how else the spots were chosen.
    seed
        Seed of the split where known.
    n_train
        Training spots.
    genes
        (d,) the panel.
    test
        (n_test,) indices of the held-out spots in the slide.
    truth
        (n_test, d) measured values on the scale of targets.
    n_buffer
        Spots neither trained on nor scored.
    scale
        Median total that spots are scaled to (of the training spots); MAEs of one scale alone can be compared.
    label
        What sets its settings apart from other trials of the same split; trials of different labels are never averaged.
    """

    split: str
    seed: int | None
    n_train: int
    genes: tuple[str, ...]
    test: npt.NDArray[np.int64]
    truth: Matrix
    entries: tuple[Entry, ...]
    n_buffer: int = 0
    scale: float | None = None
    label: str = ""

    @property
    def block(self) -> str:
        """``blocked``, or ``blocked, 600 steps`` where trials of several settings are scored."""
        return block_name(self.split, self.label)


@dataclass(frozen=True)
class Score:
    """One line of the score table.

    Attributes
    ----------
    r
        None where it is undefined for every gene.
    against_median
        Error in excess of the median predictor's, as a share of it: -0.1 is 10 % less. Unlike the MAE it compares
        between trials; None where there is no median predictor.
    scale
        As of its trial.
    """

    split: str
    seed: int | None
    arm: str
    run: str
    n_train: int
    n_test: int
    mae: Interval
    r: Interval | None
    genes: int
    genes_with_r: int
    steps: int | None
    against_median: float | None = None
    scale: float | None = None
    label: str = ""

    @property
    def block(self) -> str:
        """As of its trial."""
        return block_name(self.split, self.label)


@dataclass(frozen=True)
class GeneScore:
    """One gene of one arm; `r` is None where measurement or prediction does not vary."""

    split: str
    seed: int | None
    arm: str
    run: str
    gene: str
    mae: float
    r: float | None
    mean_measured: float
    mean_predicted: float
    sd_measured: float
    sd_predicted: float
    label: str = ""


@dataclass(frozen=True)
class Difference:
    """First arm minus second, on the same held-out spots of the same trials.

    Attributes
    ----------
    mae
        Below 0: `first` has the smaller error.
    r
        Above 0: `first` follows the pattern better; None where one of them has no r.
    first_run, second_run
        Names of the runs where the difference is of one trial.
    """

    split: str
    first: str
    second: str
    mae: Interval
    r: Interval | None
    first_run: str = ""
    second_run: str = ""
    label: str = ""

    @property
    def block(self) -> str:
        """As of its trials."""
        return block_name(self.split, self.label)

    @property
    def verdict(self) -> str:
        """What the two intervals allow to say."""
        error = _better(self.mae, lower_is_better=True)
        if self.r is None:
            return f"MAE: {error}"
        pattern = _better(self.r, lower_is_better=False)
        if error != pattern:
            return f"MAE: {error}; r: {pattern}"
        return f"{error} in either" if error == UNCLEAR else f"{error} in both"


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


@dataclass(frozen=True)
class Summary:
    """Means of one arm over the trials of a block, with intervals over the trials."""

    block: str
    arm: str
    mae: Interval
    against_median: Interval | None
    r: Interval | None
    runs: int


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


def block_name(split: str, label: str) -> str:
    """What trials of one kind of split and one set of settings are called."""
    return f"{split}, {label}" if label else split


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


def _better(interval: Interval, *, lower_is_better: bool) -> str:
    if not interval.clear:
        return UNCLEAR
    return "better" if (interval.value < 0) == lower_is_better else "worse"
