"""The score of every arm, error and correlation side by side: neither is honest alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from napari_c2lst.evaluation.arms import ARMS, Arm
from napari_c2lst.evaluation.metrics import Interval
from napari_c2lst.evaluation.records import Score

from .style import INK, MUTED, add_title, drawn, new_figure

__all__ = ["scores_figure"]

ROW = 0.34  # inches of one arm


@drawn
def scores_figure(scores: Sequence[Score], *, title: str = "Prediction on spots not seen in training") -> Figure:
    """One block a kind of split, one row an arm: MAE on the left, Pearson's r on the right.

    One trial is drawn with its 95 % interval over held-out spots; of several, each is a small dot and their mean a
    large one. The dashed line is the error of the median predictor, which ignores the patch: an arm right of it has
    learned nothing of use. MAE has an axis of its own in each block, since its scale follows the training spots; the
    percentages can be compared. Where r is undefined it says "none".
    """
    blocks = list(dict.fromkeys(score.block for score in scores))
    arms = {block: [a for a in ARMS if any(s.block == block and s.arm == a.key for s in scores)] for block in blocks}
    heights = [len(arms[block]) for block in blocks]
    figure = new_figure(8.4, ROW * sum(heights) + 0.62 * len(blocks) + 0.75)
    grid: Any = figure.subplots(len(blocks), 2, squeeze=False, gridspec_kw={"height_ratios": heights})
    reach = max([0.1, *(s.r.high or s.r.value for s in scores if s.r is not None)])  # the line at 0 is always in view
    lowest = min((s.r.low or s.r.value for s in scores if s.r is not None), default=0.0)
    for row, block in enumerate(blocks):
        own = [score for score in scores if score.block == block]
        left, right = grid[row]
        for y, arm in enumerate(arms[block]):
            mine = [score for score in own if score.arm == arm.key]
            _draw(left, y, arm, [s.mae for s in mine], _error_in_words(mine))
            with_r = [s.r for s in mine if s.r is not None]
            _draw(right, y, arm, with_r, f"{np.mean([r.value for r in with_r]):.2f}" if with_r else "")
        _finish(left, arms[block], own)
        _finish_right(right, arms[block])
        right.set_xlim(min(lowest * 1.1, -0.08 * reach), reach * 1.1)  # r has one scale everywhere
    several = len({(s.block, s.seed, s.n_train, s.n_test) for s in scores}) > len(blocks)
    spread = "small dots: single choices of training spots" if several else "bars: 95 % interval over held-out spots"
    grid[-1, 0].set_xlabel("MAE, log(1 + x)   (smaller is better)\ndashed and in %: against the median alone")
    grid[-1, 1].set_xlabel(f"Pearson's r, mean over genes   (larger is better)\n{spread}")
    add_title(figure, title)
    return figure


def _draw(axes: Any, y: int, arm: Arm, values: Sequence[Interval], text: str) -> None:
    if not values:
        place = {"transform": axes.get_yaxis_transform(), "va": "center", "size": 8}
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(0.02, y, "none: says the same everywhere", color=MUTED, bbox=box, **place)
        return
    numbers = np.array([value.value for value in values])
    if len(values) == 1 and values[0].low is not None:
        axes.plot([values[0].low, values[0].high], [y, y], color=arm.colour, linewidth=2.2, alpha=0.55)
    if len(values) > 1:
        axes.plot(
            numbers, np.full(len(numbers), y), "o", color=arm.colour, markersize=3.5, alpha=0.55, markeredgewidth=0
        )
    shape = "s" if arm.kind == "baseline" else "o"
    axes.plot(
        [numbers.mean()], [y], shape, color=arm.colour, markersize=7, markeredgecolor="white", markeredgewidth=0.8
    )
    axes.text(1.01, y, text, va="center", size=8.5, color=INK, transform=axes.get_yaxis_transform())


def _error_in_words(scores: Sequence[Score]) -> str:
    """``0.267 (-12 %)``: the mean error, and what it is against the median predictor's."""
    text = f"{np.mean([s.mae.value for s in scores]):.3f}"
    shares = [s.against_median for s in scores if s.against_median is not None]
    return f"{text} ({100 * np.mean(shares):+.0f} %)" if shares and scores[0].arm != "median" else text


def _finish(axes: Any, arms: Sequence[Arm], scores: Sequence[Score]) -> None:
    _rows(axes, len(arms))
    axes.set_yticks(range(len(arms)), [arm.label for arm in arms])
    median = [score.mae.value for score in scores if score.arm == "median"]
    if median:
        axes.axvline(float(np.mean(median)), color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    axes.set_title(_heading(scores), loc="left", size=9, color=MUTED)


def _finish_right(axes: Any, arms: Sequence[Arm]) -> None:
    _rows(axes, len(arms))
    axes.set_yticks(range(len(arms)), [""] * len(arms))
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=0)


def _rows(axes: Any, count: int) -> None:
    axes.set_ylim(count - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.12)


def _heading(scores: Sequence[Score]) -> str:
    trials = list(dict.fromkeys((s.seed, s.n_train, s.n_test) for s in scores))
    name = f"{scores[0].split} split" + (f" ({scores[0].label})" if scores[0].label else "")
    if len(trials) == 1:
        _, n_train, n_test = trials[0]
        return f"{name}: {n_train} training spots, {n_test} held out"
    return f"{name}: {len(trials)} choices of training spots"
