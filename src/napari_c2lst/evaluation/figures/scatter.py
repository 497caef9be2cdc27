"""Gene-wise scatter: the mean of each gene over held-out spots, measured against predicted (figure 6B of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from .style import INK, MUTED, add_title, drawn, new_figure

__all__ = ["scatter_figure"]

Vector = npt.NDArray[np.floating[Any]]

NAMED = 4


@drawn
def scatter_figure(
    genes: Sequence[str],
    measured: Vector,
    predicted: Mapping[str, Vector],
    colours: Mapping[str, str],
    *,
    title: str = "Mean of each gene over held-out spots, measured and predicted",
) -> Figure:
    """One panel an arm, one dot a gene; on the line the prediction is right on average. The furthest genes are named.

    A gene can lie on the line although its *map* is wrong: this figure shows bias, the maps and r show structure.

    Parameters
    ----------
    genes
        (d,) names.
    measured
        (d,) mean over held-out spots.
    predicted
        Label of each arm -> (d,).
    colours
        Label of each arm -> its colour.
    """
    count = len(predicted)
    per_row = min(count, 3)
    rows = -(-count // per_row)
    figure = new_figure(2.75 * per_row + 0.3, 2.9 * rows + 0.55)
    grid: Any = figure.subplots(rows, per_row, squeeze=False, sharex=True, sharey=True)
    top = 1.05 * max(float(measured.max()), *(float(p.max()) for p in predicted.values()))
    low = min(0.0, 1.05 * min(float(p.min()) for p in predicted.values()))  # ridge may say less than none
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    for axes, (label, values) in zip(grid.flat, predicted.items(), strict=False):
        axes.plot([low, top], [low, top], color=MUTED, linewidth=0.8, zorder=1)
        axes.scatter(measured, values, s=12, color=colours[label], alpha=0.7, linewidth=0, zorder=2)
        axes.set(xlim=(low, top), ylim=(low, top), aspect="equal")
        axes.set_title(label, weight="bold", color=INK, loc="left")
        note = {"ha": "right", "va": "bottom", "linespacing": 1.3, "size": 8, "color": MUTED}
        axes.text(0.98, 0.03, _bias(measured, values), transform=axes.transAxes, **note)
        _name_far(axes, genes, measured, values)
    for axes in grid[:, 0]:
        axes.set_ylabel("predicted mean, log(1 + x)")
    for column in range(per_row):
        below = [axes for axes in grid[:, column] if axes.get_visible()][-1]
        below.set_xlabel("measured mean, log(1 + x)")
        below.tick_params(labelbottom=True)
    add_title(figure, title)
    return figure


def _bias(measured: Vector, predicted: Vector) -> str:
    gap = predicted - measured
    return f"{len(gap)} genes\nmean gap {gap.mean():+.3f}\nmean |gap| {np.abs(gap).mean():.3f}"


def _name_far(axes: Any, genes: Sequence[str], measured: Vector, predicted: Vector) -> None:
    """Name the genes furthest off the line; those in the crowd near the origin would only hide each other."""
    top = float(max(axes.get_xlim()))
    named: list[int] = []
    for i in np.argsort(-np.abs(predicted - measured)):
        if len(named) == NAMED or measured[i] <= top / 5:
            continue
        # a name is about a quarter of the panel wide and a sixteenth high
        hidden = [
            abs(measured[i] - measured[j]) < top / 4 and abs(predicted[i] - predicted[j]) < top / 16 for j in named
        ]
        if any(hidden):
            continue
        named.append(int(i))
        above = bool(predicted[i] > measured[i])
        axes.annotate(
            str(genes[i]),
            (measured[i], predicted[i]),
            xytext=(-3, 3) if above else (3, -3),
            textcoords="offset points",
            ha="right" if above else "left",
            va="bottom" if above else "top",
            size=6.5,
            style="italic",
        )
