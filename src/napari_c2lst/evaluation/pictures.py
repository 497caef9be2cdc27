"""Which figures an evaluation draws, and the arrays they are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.pairs import Pairs
from napari_c2lst.slides.genes.genenames import match_genes
from napari_c2lst.slides.images.overview import overview
from napari_c2lst.slides.patches.cutting import PatchSpec, spot_patches
from napari_c2lst.slides.slide import Slide

from .arms import arm_named
from .figures.maps import demo_genes, maps_figure
from .figures.patches import patches_figure
from .figures.scatter import scatter_figure
from .figures.scores import scores_figure
from .figures.spots import spots_figure
from .figures.style import Tissue, save
from .heldout import HeldOut
from .records import Score, Trial
from .trials import Question

__all__ = ["Picture", "draw_pictures", "tissue_of"]

TISSUE_PX = 1400  # longer side of the picture behind the spots: sharp at the size of a figure, small in an SVG
ROWS, SYNTHETIC = 8, 3  # spots and synthetic patches of each in the figure of patches
MAPPED = ("real", "real+synthetic")


@dataclass(frozen=True)
class Picture:
    """A figure that was written."""

    caption: str
    png: Path
    svg: Path


def draw_pictures(
    slide: Slide,
    trials: Sequence[Trial],
    questions: Sequence[Question],
    scores: Sequence[Score],
    folder: Path,
    *,
    genes: Sequence[str] = (),
    pairs: Pairs | None = None,
    workers: int | None = None,
) -> list[Picture]:
    """Draw the figures of an evaluation: chosen spots, scores, maps, scatter and, with pairs, patches.

    Of several trials the one with the hardest question is mapped: a blocked split before any other.

    Parameters
    ----------
    questions
        Of the trials, in the same order.
    genes
        To be mapped; none chooses three on the training spots.
    pairs
        Synthetic pairs to show beside real patches.

    Raises
    ------
    InputError
        If a gene is not in the panel.
    """
    chosen = _hardest(trials)
    trial, question = trials[chosen], questions[chosen]
    tissue, yx_um = tissue_of(slide), slide.require_spots().yx * slide.mpp
    mapped = _genes_to_map(slide, question, yx_um, genes)
    pictures = _Pictures(folder)
    for held in _one_a_split([q.held for q in questions]):
        pictures.add(*_spots(slide, held, tissue, yx_um))
    if pairs is not None:
        figure = _patches(slide, pairs, workers)
        pictures.add(figure, "patches", "Real patches and synthetic ones made from the same spot's expression")
    pictures.add(_maps(slide, trial, tissue, yx_um, mapped), "maps", f"Genes on the tissue, {trial.block} split")
    pictures.add(_scatter(trial), "scatter", "Mean of each gene over held-out spots, measured and predicted")
    pictures.add(scores_figure(scores), "scores", "Error and correlation of every arm on spots not seen in training")
    return pictures.written


def tissue_of(slide: Slide) -> Tissue:
    """A coarse picture of the whole image, at most about 1400 px wide or high; memory stays bounded by chunks."""
    image, downsample = overview(slide.pyramid, TISSUE_PX)
    return Tissue(image, downsample * slide.mpp)


class _Pictures:
    """The figures written so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: list[Picture] = []

    def add(self, figure: Any, name: str, caption: str) -> None:
        files = save(figure, self.folder, name)
        self.written.append(Picture(caption, files.png, files.svg))


def _hardest(trials: Sequence[Trial]) -> int:
    return min(range(len(trials)), key=lambda i: (trials[i].split != "blocked", -len(trials[i].entries), i))


def _one_a_split(held: Sequence[HeldOut]) -> list[HeldOut]:
    first: dict[str, HeldOut] = {}
    for one in held:
        first.setdefault(one.split, one)
    return list(first.values())


def _genes_to_map(slide: Slide, question: Question, yx_um: npt.NDArray[np.float64], genes: Sequence[str]) -> list[str]:
    panel = question.panel
    if genes:
        found = match_genes(list(dict.fromkeys(genes)), list(panel.genes), where="the gene panel")
        return [panel.genes[i] for i in found]  # an Ensembl id may have been given without its version
    training = question.held.training
    targets = panel.targets(slide.counts()[np.flatnonzero(training)], slide.genes, where=f"slide '{slide.name}'")
    everywhere = np.ones(int(training.sum()), dtype=bool)
    return demo_genes(targets, panel.genes, yx_um[training], everywhere)


def _spots(slide: Slide, held: HeldOut, tissue: Tissue, yx_um: npt.NDArray[np.float64]) -> tuple[Any, str, str]:
    diameter = slide.require_spots().diameter_um or 100.0
    title = f"{slide.name}: training and held-out spots, {held.split} split"
    figure = spots_figure(tissue, yx_um, held.training, buffer=held.left_out, diameter_um=diameter, title=title)
    return figure, f"spots_{held.split}", f"Training and held-out spots, {held.split} split"


def _maps(slide: Slide, trial: Trial, tissue: Tissue, yx_um: npt.NDArray[np.float64], genes: list[str]) -> Any:
    columns = [trial.genes.index(gene) for gene in genes]
    n = len(yx_um)
    held_out = np.zeros(n, dtype=bool)
    held_out[trial.test] = True

    def everywhere(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        out = np.full((n, len(columns)), np.nan)
        out[trial.test] = values[:, columns]
        return out

    shown = [entry for entry in _one_an_arm(trial) if entry.arm in MAPPED]
    if len(shown) < 2:  # a single map says little: put the best baseline, or another arm, beside it
        shown = [entry for entry in _one_an_arm(trial) if not arm_named(entry.arm).constant]
    predictions = {arm_named(entry.arm).label: everywhere(entry.prediction) for entry in shown}
    diameter = slide.require_spots().diameter_um or 100.0
    title = f"{slide.name}: measured, and predicted for spots not seen in training ({trial.block} split)"
    return maps_figure(
        tissue, yx_um, genes, everywhere(trial.truth), predictions, held_out, diameter_um=diameter, title=title
    )


def _scatter(trial: Trial) -> Any:
    shown = [entry for entry in _one_an_arm(trial) if arm_named(entry.arm).kind == "trained"]
    shown = shown or [entry for entry in _one_an_arm(trial) if not arm_named(entry.arm).constant]
    means = {arm_named(entry.arm).label: entry.prediction.mean(axis=0) for entry in shown}
    colours = {arm_named(entry.arm).label: arm_named(entry.arm).colour for entry in shown}
    return scatter_figure(trial.genes, trial.truth.mean(axis=0), means, colours)


def _one_an_arm(trial: Trial) -> list[Any]:
    """The first run of each arm, in the order of arms."""
    first: dict[str, Any] = {}
    for entry in trial.entries:
        first.setdefault(entry.arm, entry)
    order = ["mean", "median", "ridge", "real", "synthetic", "real+synthetic"]
    return sorted(first.values(), key=lambda entry: order.index(entry.arm))


def _patches(slide: Slide, pairs: Pairs, workers: int | None) -> Any:
    """Spots from the darkest to the palest tissue, so that every kind is seen."""
    spots, spec = slide.require_spots(), pairs.facts.spec
    pure = pairs.weight == 0
    names, counts = np.unique(pairs.source_a[pure], return_counts=True)
    many = int(min(SYNTHETIC, counts.max(initial=0)))
    rows = np.flatnonzero(np.isin(spots.ids, names[counts >= max(many, 1)]))
    if not rows.size:
        raise InputError("the pairs hold no patch of a single spot's expression", "sample with --interpolate none")
    patches = spot_patches(slide, spots.yx[rows], spec, workers=workers)
    order = np.argsort(patches.mean(axis=(1, 2, 3)), kind="stable")
    picked = order[np.unique(np.linspace(0, len(order) - 1, min(ROWS, len(order))).round().astype(int))]
    synthetic = [pairs.patches[np.flatnonzero(pure & (pairs.source_a == spots.ids[rows[i]]))[:many]] for i in picked]
    labels = [str(spots.ids[rows[i]]) for i in picked]
    labels = [label if len(label) <= 10 else f"{label[:8]}…" for label in labels]
    title = f"{slide.name}: real patches, and synthetic ones made from the same spot's expression"
    return patches_figure(patches[picked], np.stack(synthetic), labels, patch_um=_patch_um(spec), title=title)


def _patch_um(spec: PatchSpec) -> float:
    return spec.patch_um
