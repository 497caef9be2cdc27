"""Maps of genes over the tissue: measured beside predicted, on one colour scale."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial import cKDTree

from napari_c2lst.evaluation.metrics import gene_pearson

from .style import INK, Tissue, add_discs, add_scale_bar, add_tissue, add_title, drawn, new_figure

__all__ = ["demo_genes", "maps_figure"]

Matrix = npt.NDArray[np.floating[Any]]

COLOURS = "viridis"  # even in lightness and safe for colour-blind readers
PASSED_OVER = "#9a9a9a"
NEIGHBOURS = 4
ALIKE = 0.75  # genes whose maps correlate more than this show the same thing twice
CLONE = re.compile(r"^[A-Z]{2}\d{6}\.\d+$|^ENS[A-Z]*\d+|^MT-|^RP[LS]\d")  # unnamed, or says little about a tissue


@drawn
def maps_figure(
    tissue: Tissue | None,
    yx_um: Matrix,
    genes: Sequence[str],
    truth: Matrix,
    predictions: Mapping[str, Matrix],
    held_out: npt.NDArray[np.bool_],
    *,
    diameter_um: float = 100.0,
    title: str = "Genes on the tissue: measured, and predicted for spots not seen in training",
) -> Figure:
    """One row a gene, the first column measured, then a column for each arm; one colour scale a row.

    Held-out spots are coloured; the others, on which a prediction proves nothing, are empty rings, in every column. The
    colour scale of a row runs from the 2nd to the 98th percentile of the *measured* values, for all its maps.

    Parameters
    ----------
    yx_um
        (N, 2) spot centres.
    truth
        (N, len(genes)) measured values on the scale of targets.
    predictions
        Label of each arm -> (N, len(genes)).
    held_out
        (N,) the spots that are scored.
    diameter_um
        True diameter of a spot; spots far apart are drawn larger, to 85 % of their pitch.
    """
    columns = {"measured": truth, **predictions}
    diameter_um = _shown_diameter(yx_um, diameter_um)
    margin = max(1.5 * diameter_um, 100.0)
    height, width = np.ptp(yx_um, axis=0) + 2 * margin
    side = min(2.6, 10.5 / len(columns))
    figure = new_figure(side * len(columns) + 1.1, side * float(np.clip(height / width, 0.4, 1.8)) * len(genes) + 0.9)
    grid: Any = figure.subplots(len(genes), len(columns), squeeze=False)
    for row, gene in enumerate(genes):
        values = truth[held_out, row]
        low, high = np.percentile(values, [2, 98])
        high = high if high > low else low + 1e-3
        for axes, (label, matrix) in zip(grid[row], columns.items(), strict=True):
            add_tissue(axes, tissue, yx_um, margin_um=margin, fade=0.55)
            add_discs(axes, yx_um[~held_out], diameter_um, facecolor="none", edgecolor=PASSED_OVER, linewidth=0.5)
            discs = _coloured(axes, yx_um[held_out], diameter_um, matrix[held_out, row], float(low), float(high))
            if row == 0:
                axes.set_title(label, weight="bold", pad=16)
            if matrix is not truth:
                _note_r(axes, values, matrix[held_out, row])
        grid[row, 0].set_ylabel(gene, rotation=0, ha="right", va="center", size=11, style="italic", labelpad=8)
        bar = figure.colorbar(discs, ax=list(grid[row]), shrink=0.8, aspect=18, pad=0.01, extend="both")
        bar.set_label("expression, log(1 + x)", size=8)
        bar.outline.set_visible(False)
    add_scale_bar(grid[-1, 0], float(width))
    add_title(figure, title)
    return figure


def demo_genes(
    targets: Matrix, genes: Sequence[str], yx_um: Matrix, training: npt.NDArray[np.bool_], *, count: int = 3
) -> list[str]:
    """Genes worth a map, chosen on training spots alone so that the choice favours no arm.

    Measurement noise is independent from spot to spot, structure of the tissue is not: so genes are ranked by the
    *covariance of neighbouring spots* (variance times Moran's I with 4 neighbours), which is the variance that
    neighbours share; the plain variance would pick the noisiest genes. Genes whose map repeats a chosen one
    (correlation above 0.75), and names that tell a reader little (unnamed clones, Ensembl ids, ribosomal and
    mitochondrial genes), stand back as long as there are others.

    Parameters
    ----------
    targets
        (N, len(genes)) on the scale of targets; only training rows are read.
    """
    x, at = np.asarray(targets[training], dtype=np.float64), yx_um[training]
    z = x - x.mean(axis=0)
    k = min(NEIGHBOURS, len(at) - 1)
    near = cKDTree(at).query(at, k=k + 1)[1][:, 1:] if k > 0 else np.zeros((len(at), 1), dtype=int)
    around = z[near].mean(axis=1)  # (training, genes): mean of the neighbours
    shared = (z * around).mean(axis=0)
    smooth = (z + k * around) / (k + 1)
    order = [int(i) for i in np.argsort(-shared, kind="stable")]
    order = [i for i in order if not CLONE.match(genes[i])] + [i for i in order if CLONE.match(genes[i])]
    chosen: list[int] = []
    for i in order:
        if len(chosen) < count and all(_correlation(smooth[:, i], smooth[:, j]) < ALIKE for j in chosen):
            chosen.append(i)
    chosen += [i for i in order if i not in chosen][: max(0, count - len(chosen))]
    return [str(genes[i]) for i in chosen[:count]]


def _correlation(a: Matrix, b: Matrix) -> float:
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean()) / spread if spread > 0 else 0.0


def _shown_diameter(yx_um: Matrix, diameter_um: float) -> float:
    """Spots as large as the pitch allows without touching: a map is read by its colours, which small dots hide."""
    if len(yx_um) < 2:
        return diameter_um
    pitch = float(np.median(cKDTree(yx_um).query(yx_um, k=2)[0][:, 1]))
    return max(diameter_um, 0.85 * pitch)


def _coloured(axes: Axes, yx_um: Matrix, diameter_um: float, values: Matrix, low: float, high: float) -> Any:
    discs = add_discs(axes, yx_um, diameter_um, cmap=COLOURS, edgecolor="none")
    discs.set_array(values)
    discs.set_clim(low, high)
    return discs


def _note_r(axes: Axes, truth: Matrix, prediction: Matrix) -> None:
    r = float(gene_pearson(truth[:, None], prediction[:, None])[0])
    text = f"r = {r:.2f}" if np.isfinite(r) else "r: none"
    axes.text(0.5, 1.01, text, transform=axes.transAxes, ha="center", va="bottom", size=8.5, color=INK)
