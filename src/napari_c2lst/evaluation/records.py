"""The records of scoring: what goes in (entries, trials) and what comes out (scores, differences, summaries)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .metrics import Interval

__all__ = ["Difference", "Entry", "GeneScore", "Score", "Summary", "Trial", "block_name"]

Matrix = npt.NDArray[np.floating[Any]]

UNCLEAR = "no clear difference"


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


@dataclass(frozen=True)
class Summary:
    """Means of one arm over the trials of a block, with intervals over the trials."""

    block: str
    arm: str
    mae: Interval
    against_median: Interval | None
    r: Interval | None
    runs: int


def block_name(split: str, label: str) -> str:
    """What trials of one kind of split and one set of settings are called."""
    return f"{split}, {label}" if label else split


def _better(interval: Interval, *, lower_is_better: bool) -> str:
    if not interval.clear:
        return UNCLEAR
    return "better" if (interval.value < 0) == lower_is_better else "worse"
