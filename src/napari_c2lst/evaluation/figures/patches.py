"""Real patches beside synthetic ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import Rectangle

from napari_c2lst.common.errors import InputError

from .style import MUTED, ROUND_UM, add_title, drawn, new_figure

__all__ = ["patches_figure"]

Images = npt.NDArray[np.uint8]

CELL = 1.05  # inches of a patch
REAL, SYNTHETIC = "#0072B2", "#CC79A7"


@drawn
def patches_figure(
    real: Images,
    synthetic: Images,
    labels: Sequence[str],
    *,
    patch_um: float = 112.0,
    blocks: int = 2,
    title: str = "Real patches and synthetic ones made from the same spot's expression",
) -> Figure:
    """One row a spot: its real patch, then its synthetic ones; rows are laid out in `blocks` side by side.

    Parameters
    ----------
    real
        (R, px, px, 3).
    synthetic
        (R, K, px, px, 3).
    labels
        (R,) what to write before each row, such as the spot's name.
    patch_um
        Side of a patch in microns, for the scale bar.
    """
    rows, many = _check(real, synthetic, labels)
    blocks = max(1, min(blocks, rows))
    per_block = -(-rows // blocks)
    columns = 1 + many
    widths = ([0.62, 1.0, 0.08] + [1.0] * many + [0.25]) * blocks
    figure = new_figure(CELL * sum(widths), CELL * per_block + 0.75)
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.015, h_pad=0.015, wspace=0, hspace=0)
    grid = figure.add_gridspec(per_block, len(widths), width_ratios=widths)
    for row in range(rows):
        block, line = divmod(row, per_block)
        at = block * (columns + 3)
        _label(figure, grid, line, at, labels[row])
        _patch(
            figure, grid, line, at + 1, real[row], REAL, "real" if line == 0 else "", patch_um if line == 0 else None
        )
        for k in range(many):
            heading = "synthetic" if line == 0 and k == many // 2 else ""
            _patch(figure, grid, line, at + 3 + k, synthetic[row, k], SYNTHETIC, heading, None)
    add_title(figure, title)
    return figure


def _check(real: Images, synthetic: Images, labels: Sequence[str]) -> tuple[int, int]:
    rows = len(real)
    if rows == 0 or synthetic.ndim != 5 or len(synthetic) != rows or len(labels) != rows:
        raise InputError(
            f"{rows} real patches, synthetic of shape {synthetic.shape}, {len(labels)} labels do not make rows",
            hint="give one real patch, one label and K synthetic patches a row",
        )
    return rows, synthetic.shape[1]


def _label(figure: Figure, grid: GridSpec, line: int, column: int, text: str) -> None:
    axes = figure.add_subplot(grid[line, column])
    axes.axis("off")
    axes.text(1.0, 0.5, text, ha="right", va="center", size=7.5, color=MUTED, transform=axes.transAxes)


def _patch(
    figure: Figure,
    grid: GridSpec,
    line: int,
    column: int,
    image: Images,
    colour: str,
    heading: str,
    bar_um: float | None,
) -> None:
    axes: Any = figure.add_subplot(grid[line, column])
    axes.imshow(image, interpolation="bicubic")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=1.6)
    if heading:
        axes.set_title(heading, color=colour, weight="bold", pad=4)
    if bar_um is not None:
        length = max((um for um in ROUND_UM if um <= bar_um / 2), default=ROUND_UM[0])
        part = length / bar_um
        style = {"transform": axes.transAxes, "zorder": 9}
        axes.add_patch(
            Rectangle((0.05, 0.06), part, 0.04, facecolor="white", edgecolor="black", linewidth=0.4, **style)
        )
        box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
        axes.text(0.05 + part / 2, 0.15, f"{length} µm", ha="center", va="bottom", size=6.5, bbox=box, **style)
