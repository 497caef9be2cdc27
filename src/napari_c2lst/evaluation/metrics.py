"""How far predictions are from measurements: numbers of one prediction, and paired differences of two.

Every array is spots x genes on the scale of targets (counts scaled to the median total of the training spots, then
log1p), so that figures of this project can stand beside each other; figures of another scale can not.

A word of warning that shapes this module: the mean absolute error flatters predictions that do not vary, because
expression is mostly small numbers. So `constant predictors` have a good error and *no* correlation, which is reported
as undefined (NaN here, "none" on paper), never as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.seeds import rng

__all__ = [
    "Interval",
    "bootstrap_mae",
    "bootstrap_pearson",
    "gene_mae",
    "gene_pearson",
    "mae",
    "mean_defined",
    "over_runs",
    "paired_mae",
    "paired_pearson",
]

Matrix = npt.NDArray[np.floating[Any]]
Vector = npt.NDArray[np.float64]

DRAWS = 1000  # bootstrap samples: the 2.5 % ends rest on 25 draws each
LEVEL = 0.95
# Less spread than this is float32 rounding: batches of different size round a constant differently.
CONSTANT = 1e-6


@dataclass(frozen=True)
class Interval:
    """A number with its confidence interval, and what was drawn again to get it.

    Attributes
    ----------
    value, low, high
        The estimate and the two ends of the interval; `low` and `high` are None where nothing can be said (one run).
    n
        How many independent things it rests on.
    over
        ``"spots"`` (bootstrap over held-out spots of one run) or ``"runs"`` (Student's t over splits and seeds).
    """

    value: float
    low: float | None
    high: float | None
    n: int
    over: Literal["spots", "runs"]

    @property
    def clear(self) -> bool:
        """True when the whole interval lies on one side of 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def text(self, digits: int = 4) -> str:
        """``-0.0210 (-0.0243 to -0.0180)``; the sign is always written."""
        value = f"{self.value:+.{digits}f}"
        if self.low is None or self.high is None:
            return f"{value} (one run: no interval)"
        return f"{value} ({self.low:+.{digits}f} to {self.high:+.{digits}f})"


def mae(truth: Matrix, prediction: Matrix) -> float:
    """Mean absolute error over all spots and genes."""
    return float(_errors(truth, prediction).mean())


def gene_mae(truth: Matrix, prediction: Matrix) -> Vector:
    """Mean absolute error of each gene over the spots, shape (genes,)."""
    errors: Vector = _errors(truth, prediction).mean(axis=0)
    return errors


def gene_pearson(truth: Matrix, prediction: Matrix) -> Vector:
    """Pearson's r of each gene over the spots, shape (genes,); NaN where measurement or prediction does not vary."""
    x, y = _pair(truth, prediction)
    if len(x) < 2:
        return np.full(x.shape[1], np.nan)
    r: Vector = _pearson(np.ones((1, len(x))), x, y)[0]
    return r


def mean_defined(values: Vector) -> tuple[float | None, int]:
    """Mean over the genes where r is defined and their number; (None, 0) where it is for none."""
    defined = values[np.isfinite(values)]
    return (float(defined.mean()), int(defined.size)) if defined.size else (None, 0)


def bootstrap_mae(truth: Matrix, prediction: Matrix, *, seed: int = 0, draws: int = DRAWS) -> Interval:
    """Mean absolute error with its interval over held-out spots."""
    per_spot = _errors(truth, prediction).mean(axis=1)
    drawn = _weights(len(per_spot), seed, draws) @ per_spot / len(per_spot)
    return _interval(float(per_spot.mean()), drawn, len(per_spot))


def bootstrap_pearson(truth: Matrix, prediction: Matrix, *, seed: int = 0, draws: int = DRAWS) -> Interval | None:
    """Mean r over genes with its interval over held-out spots; None where r is defined for no gene."""
    x, y = _pair(truth, prediction)
    value, _ = mean_defined(gene_pearson(x, y))
    if value is None:
        return None
    drawn = _mean_rows(_pearson(_weights(len(x), seed, draws), x, y))
    return _interval(value, drawn, len(x))


def paired_mae(truth: Matrix, first: Matrix, second: Matrix, *, seed: int = 0, draws: int = DRAWS) -> Interval:
    """Error of `first` minus error of `second` on the same spots: below 0, `first` is better."""
    difference = _errors(truth, first).mean(axis=1) - _errors(truth, second).mean(axis=1)
    drawn = _weights(len(difference), seed, draws) @ difference / len(difference)
    return _interval(float(difference.mean()), drawn, len(difference))


def paired_pearson(
    truth: Matrix, first: Matrix, second: Matrix, *, seed: int = 0, draws: int = DRAWS
) -> Interval | None:
    """Mean r of `first` minus that of `second`, over genes where both are defined: above 0, `first` is better.

    None where there is no such gene, as against a constant predictor.
    """
    x, y = _pair(truth, first)
    _, z = _pair(truth, second)
    gap = gene_pearson(x, y) - gene_pearson(x, z)
    shared = np.isfinite(gap)
    if not shared.any():
        return None
    x, y, z = x[:, shared], y[:, shared], z[:, shared]
    weights = _weights(len(x), seed, draws)  # the same draw for both arms: that is what makes it paired
    drawn = _mean_rows(_pearson(weights, x, y) - _pearson(weights, x, z))
    return _interval(float(gap[shared].mean()), drawn, len(x))


def over_runs(differences: npt.ArrayLike) -> Interval:
    """Mean of one difference per run (split and seed) with Student's t interval over the runs.

    Runs share one slide, so this says how much the *choice of training spots* matters, not how another slide would do.
    """
    from scipy.stats import t

    values = np.asarray(differences, dtype=np.float64)
    n = int(values.size)
    if n == 0:
        raise InputError("no run to average over", hint="evaluate at least one split and seed")
    mean = float(values.mean())
    if n == 1:
        return Interval(mean, None, None, 1, "runs")
    half = float(t.ppf(0.5 + LEVEL / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n, "runs")


def _pair(truth: Matrix, prediction: Matrix) -> tuple[Vector, Vector]:
    """Both as float64 (spots, genes), or a clear refusal."""
    x, y = np.asarray(truth, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if x.ndim != 2 or x.shape != y.shape:
        raise InputError(
            f"measured values are {x.shape} and predicted values {y.shape}; both must be spots x genes",
            hint="compare predictions of the same spots and the same genes",
        )
    if x.size == 0:
        raise InputError("no spot to score", hint="leave some spots out of training")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("measured or predicted values hold NaN or infinity", hint="look at the run that made them")
    return x, y


def _errors(truth: Matrix, prediction: Matrix) -> Vector:
    x, y = _pair(truth, prediction)
    return np.abs(x - y)


def _pearson(weights: Matrix, x: Vector, y: Vector) -> Vector:
    """Pearson's r of each gene under each row of spot weights, (draws, genes); NaN where one does not vary."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)  # centred first: the sums below then lose no digits
    total = weights.sum(axis=1, keepdims=True)
    mx, my = weights @ x / total, weights @ y / total  # (draws, genes)
    vx = np.maximum(weights @ (x * x) / total - mx * mx, 0)
    vy = np.maximum(weights @ (y * y) / total - my * my, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (weights @ (x * y) / total - mx * my) / np.sqrt(vx * vy)
    r[(np.sqrt(vx) <= CONSTANT) | (np.sqrt(vy) <= CONSTANT)] = np.nan
    clipped: Vector = np.clip(r, -1, 1)
    return clipped


def _weights(n: int, seed: int, draws: int) -> Vector:
    """How often each spot is drawn in each bootstrap sample, shape (draws, n): a function of the seed alone."""
    counts = rng(seed, "bootstrap", n).multinomial(n, np.full(n, 1 / n), size=draws)
    return counts.astype(np.float64)


def _mean_rows(values: Vector) -> Vector:
    """Mean over the defined genes of each draw; draws without one are left out."""
    defined = np.isfinite(values)
    count = defined.sum(axis=1)
    sums = np.where(defined, values, 0).sum(axis=1)
    means: Vector = sums[count > 0] / count[count > 0]
    return means


def _interval(value: float, drawn: Vector, n: int) -> Interval:
    if n < 2 or drawn.size == 0:
        return Interval(value, None, None, n, "spots")
    low, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Interval(value, float(low), float(high), n, "spots")
