"""Types of nuclei in real and in synthetic patches, as violins of per-patch proportions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from napari_c2lst.cells.mixtures import spread, with_nuclei

from .patches import REAL, SYNTHETIC
from .style import INK, MUTED, add_title, drawn, new_figure

__all__ = ["composition_figure"]

Counts = npt.NDArray[np.integer[Any]]

COLOURS = {"real": REAL, "synthetic": SYNTHETIC}
WIDTH = 0.36  # of a violin; two of them and a gap share a type's place
LETTERS = 14  # of a type's name on one line


@drawn
def composition_figure(
    types: Sequence[str],
    counts: Mapping[str, Counts],
    said: str = "",
    *,
    title: str = "Nuclei of real and of synthetic patches",
) -> Figure:
    """For each type two violins: the proportions of that type in real patches, and in synthetic ones.

    A violin is the density of the proportions over patches that have nuclei, no wider than they reach; the dot is
    their mean, the bar the mean +- SD, cut at 0 and 1. All violins have one width, however many patches they stand for.

    Parameters
    ----------
    types
        (T,) names.
    counts
        ``"real"`` and ``"synthetic"`` -> (n, T) nuclei of each type in each patch.
    said
        A line below the figure, such as the distance.
    """
    figure = new_figure(max(5.2, 1.45 * len(types) + 1.2), 4.4)
    axes: Any = figure.subplots()
    for side, (name, group) in zip((-1, 1), counts.items(), strict=True):
        _draw(axes, np.arange(len(types)) + side * WIDTH * 0.58, group, COLOURS[name])
    axes.set_xticks(range(len(types)), [fill(name, LETTERS) for name in types])
    axes.tick_params(axis="x", length=0)
    axes.set(xlim=(-0.6, len(types) - 0.4), ylim=(-0.02, 1.02), ylabel="share of a patch's nuclei")
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"dot and bar: mean ± SD over patches with nuclei\n{fill(said, 90)}".rstrip(), color=MUTED)
    handles = [
        Line2D([], [], color=COLOURS[name], linewidth=6, alpha=0.55, label=_legend(name, group))
        for name, group in counts.items()
    ]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, labelcolor=INK)
    add_title(figure, title)
    return figure


def _draw(axes: Any, places: npt.NDArray[np.floating[Any]], counts: Counts, colour: str) -> None:
    shares, numbers = with_nuclei(counts), spread(counts)
    if not len(shares):
        for x in places:
            axes.text(x, 0.02, "no nuclei", rotation=90, ha="center", va="bottom", size=8, color=MUTED)
        return
    parts = axes.violinplot(list(shares.T), positions=places, widths=WIDTH, showextrema=False)
    for body in parts["bodies"]:
        body.set(facecolor=colour, edgecolor=colour, alpha=0.45, linewidth=0.8)
    sd = np.nan_to_num(numbers.sd)
    low, high = np.clip(numbers.mean - sd, 0, 1), np.clip(numbers.mean + sd, 0, 1)
    axes.vlines(places, low, high, color=colour, linewidth=2.2, zorder=3)
    axes.plot(places, numbers.mean, "o", color=colour, markersize=6, markeredgecolor="white", zorder=4)


def _legend(name: str, counts: Counts) -> str:
    """``real: 58 patches with nuclei, 2 without``."""
    numbers = spread(counts)
    return f"{name}: {numbers.patches - numbers.empty} patches with nuclei, {numbers.empty} without"
