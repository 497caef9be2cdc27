"""Make a trial: fit the baselines on the training spots and predict the held-out ones with every arm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.expression.baselines import mean_predictor, median_predictor, ridge_on_colour
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.patches.cutting import PatchSpec, iter_spot_patches, spot_patches
from napari_c2lst.slides.slide import Slide

from .heldout import HeldOut
from .records import Entry, Trial
from .sources import Run

__all__ = ["MIN_TEST", "Question", "make_trial"]

MIN_TEST = 8  # a correlation over fewer spots says nothing
BATCH = 256

Values = npt.NDArray[np.float32]
Predict = Callable[[npt.NDArray[np.uint8]], Values]


@dataclass(frozen=True, eq=False)
class Question:
    """What a trial is about.

    Attributes
    ----------
    held
        Training and held-out spots.
    panel, spec
        Genes with their scale; patches as the baselines get them.
    runs
        The predictors; none scores the baselines alone.
    label
        What sets it apart from other trials of the same split.
    """

    held: HeldOut
    panel: GenePanel
    spec: PatchSpec
    runs: tuple[Run, ...] = ()
    label: str = ""


def make_trial(
    slide: Slide, question: Question, reporter: Reporter, *, workers: int | None = None, seed: int = 0
) -> Trial:
    """Score-ready predictions of every arm on the same held-out spots.

    Patches are streamed: memory does not grow with the slide, apart from the training patches.

    Raises
    ------
    InputError
        If fewer than 8 spots are held out.
    """
    held, panel = question.held, question.panel
    test = _test_spots(slide, question, reporter)
    where = f"slide '{slide.name}'"
    truth = panel.targets(slide.counts()[test], slide.genes, where=where)
    baselines, chosen = _fit_baselines(slide, question, workers, seed)
    reporter.message(
        f"{held.split} split: ridge penalty {chosen['alpha']:g}, chosen on the {held.training.sum()} training spots"
    )
    entries = [
        Entry(run.facts.arm, run.stored[test], run.name, run.facts.steps, run.facts.seed)
        for run in question.runs
        if run.stored is not None
    ]
    live = [run for run in question.runs if run.predictor is not None]
    functions: list[tuple[PatchSpec, Predict]] = [(question.spec, baseline) for baseline in baselines.values()]
    functions += [(run.spec, _prediction(run)) for run in live]
    values = _predict(slide, test, functions, len(panel), reporter, workers)
    entries += [Entry(arm, matrix) for arm, matrix in zip(baselines, values, strict=False)]
    for run, matrix in zip(live, values[len(baselines) :], strict=True):
        if not np.isfinite(matrix).all():
            raise InputError(f"predictor '{run.name}' predicts NaN or infinity", "train it again, with a lower rate")
        entries.append(Entry(run.facts.arm, matrix, run.name, run.facts.steps, run.facts.seed))
    return Trial(
        split=held.split,
        seed=held.seed,
        n_train=int(held.training.sum()),
        genes=panel.genes,
        test=test,
        truth=truth,
        entries=tuple(entries),
        n_buffer=int(held.left_out.sum()),
        scale=panel.median_total,
        label=question.label,
    )


def _test_spots(slide: Slide, question: Question, reporter: Reporter) -> npt.NDArray[np.int64]:
    test = question.held.test.copy()
    wanted = int(test.sum())
    for run in question.runs:
        if run.stored is not None:
            test &= np.isfinite(run.stored).all(axis=1)
    found = int(test.sum())
    if found < MIN_TEST:
        raise InputError(
            f"slide '{slide.name}' has {found} held-out spots to score, at least {MIN_TEST} are needed",
            "train on fewer spots, or predict again for all held-out spots",
        )
    if found < wanted:
        reporter.message(
            f"{wanted - found} held-out spots have no stored prediction and are not scored in any arm", "warning"
        )
    return np.flatnonzero(test)


def _fit_baselines(
    slide: Slide, question: Question, workers: int | None, seed: int
) -> tuple[dict[str, Predict], dict[str, float]]:
    """Mean, median and ridge, fitted on the training spots alone."""
    training = question.held.training
    yx = slide.require_spots().yx[training]
    patches = spot_patches(slide, yx, question.spec, workers=workers)
    counts = slide.counts()[np.flatnonzero(training)]
    targets = question.panel.targets(counts, slide.genes, where=f"slide '{slide.name}'")
    ridge = ridge_on_colour(patches, targets, yx=yx, seed=seed)
    fitted: dict[str, Predict] = {
        "mean": mean_predictor(patches, targets).predict,
        "median": median_predictor(patches, targets).predict,
        "ridge": ridge.predict,
    }
    return fitted, ridge.facts


def _prediction(run: Run) -> Predict:
    assert run.predictor is not None
    return run.predictor.predict


def _predict(
    slide: Slide,
    test: npt.NDArray[np.int64],
    functions: list[tuple[PatchSpec, Predict]],
    genes: int,
    reporter: Reporter,
    workers: int | None,
) -> list[Values]:
    """Run every function over the held-out patches; patches of one kind are read once."""
    yx = slide.require_spots().yx[test]
    values = [np.empty((len(test), genes), dtype=np.float32) for _ in functions]
    specs = _distinct(spec for spec, _ in functions)
    done = 0
    for spec in specs:
        for indices, patches in iter_spot_patches(slide, yx, spec, batch=BATCH, workers=workers):
            if reporter.stop_requested():
                raise Stopped("scoring was stopped; nothing was written", "run it again")
            for matrix, (wanted, predict) in zip(values, functions, strict=True):
                if wanted == spec:
                    matrix[indices] = predict(patches)
            done += len(indices)
            reporter.progress(done, len(test) * len(specs), "held-out spots")
    return values


def _distinct(specs: Any) -> list[PatchSpec]:
    found: list[PatchSpec] = []
    for spec in specs:
        if spec not in found:
            found.append(spec)
    return found
