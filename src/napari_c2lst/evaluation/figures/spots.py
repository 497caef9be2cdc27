"""The chosen spots on the tissue."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import INK, Tissue, add_discs, add_scale_bar, add_tissue, drawn, new_figure

__all__ = ["spots_figure"]

Mask = npt.NDArray[np.bool_]

TRAINING, HELD_OUT, BUFFER = "#0072B2", "#E69F00", "#000000"


@drawn
def spots_figure(
    tissue: Tissue | None,
    yx_um: npt.NDArray[np.floating[Any]],
    training: Mask,
    *,
    buffer: Mask | None = None,
    diameter_um: float = 100.0,
    title: str = "Training and held-out spots",
) -> Figure:
    """Training spots filled, held-out spots as rings, buffer spots as thin crosses; colour and shape both tell.

    Parameters
    ----------
    tissue
        The picture behind; None draws the spots alone.
    yx_um
        (N, 2) spot centres in microns from the picture's top-left corner.
    training, buffer
        (N,) spots trained on; spots left out of training *and* of the score: their patch overlaps a training patch.
    """
    buffer = np.zeros_like(training) if buffer is None else buffer
    held_out = ~training & ~buffer
    margin = max(2 * diameter_um, 150.0)
    height, width = np.ptp(yx_um, axis=0) + 2 * margin
    figure = new_figure(6.4, float(np.clip(6.4 * height / width, 2.5, 9)) + 0.8)
    axes = figure.add_subplot()
    add_tissue(axes, tissue, yx_um, margin_um=margin)
    add_discs(axes, yx_um[held_out], diameter_um, facecolor="none", edgecolor=HELD_OUT, linewidth=1.4)
    add_discs(axes, yx_um[training], diameter_um, facecolor=TRAINING, edgecolor="white", linewidth=0.8)
    y, x = yx_um[buffer].T
    axes.plot(x, y, linestyle="none", marker="x", color=BUFFER, markersize=4, markeredgewidth=1.0)
    add_scale_bar(axes, float(width))
    axes.set_title(title, loc="left", size=11, weight="bold")
    handles = _legend(int(training.sum()), int(held_out.sum()), int(buffer.sum()))
    figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), handletextpad=0.4, columnspacing=1.6)
    return figure


def _legend(training: int, held_out: int, buffer: int) -> list[Line2D]:
    def entry(label: str, **style: Any) -> Line2D:
        return Line2D([], [], linestyle="none", label=label, **style)

    handles = [
        entry(f"training ({training} spots)", marker="o", color=TRAINING, markersize=8),
        entry(
            f"held out, scored ({held_out})",
            marker="o",
            markerfacecolor="none",
            color=HELD_OUT,
            markersize=8,
            markeredgewidth=1.6,
        ),
    ]
    if buffer:
        handles.append(entry(f"left out of both ({buffer})", marker="x", color=INK, markersize=5))
    return handles
