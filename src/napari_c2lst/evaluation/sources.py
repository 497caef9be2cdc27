"""Where predictions come from (predictors, or what is stored in the slide), and which may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_c2lst.common.errors import InputError, MismatchError, raise_all
from napari_c2lst.common.files import content_hash
from napari_c2lst.expression.predictor import Predictor, PredictorFacts, load_predictor
from napari_c2lst.expression.tables import SPOTS, read_written
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.identity import spots_hash
from napari_c2lst.slides.patches.cutting import PatchSpec
from napari_c2lst.slides.slide import Slide

__all__ = ["Group", "Run", "group_runs", "load_runs", "stored_runs"]


@dataclass(frozen=True, eq=False)
class Run:
    """One predictor, or what one has predicted.

    Attributes
    ----------
    name
        What to call it.
    facts
        What the predictor was trained on.
    training
        (N,) spots of the slide it was trained on.
    predictor
        To be run on the held-out spots; None where `stored` is there.
    content_hash
        Of the predictor's file: two runs of one hash are the same.
    stored
        (N, d) predictions stored in the slide, NaN where there is none.
    """

    name: str
    facts: PredictorFacts
    training: npt.NDArray[np.bool_]
    predictor: Predictor | None = None
    stored: npt.NDArray[np.float32] | None = None
    content_hash: str = ""

    @property
    def panel(self) -> GenePanel:
        """Its genes."""
        return self.facts.panel

    @property
    def spec(self) -> PatchSpec:
        """Its patches."""
        return self.facts.spec


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that may stand in one comparison: same training spots, same genes and scale, same number of steps.

    Attributes
    ----------
    label
        What sets it apart from other groups of the same split; empty where nothing does.
    """

    runs: tuple[Run, ...]
    label: str = ""

    @property
    def training(self) -> npt.NDArray[np.bool_]:
        """(N,) training spots."""
        return self.runs[0].training

    @property
    def panel(self) -> GenePanel:
        """Genes and scale."""
        return self.runs[0].panel

    @property
    def spec(self) -> PatchSpec:
        """Patches, as the baselines get them."""
        return self.runs[0].spec

    @property
    def steps(self) -> int:
        """Optimiser steps of every run."""
        return self.runs[0].facts.steps


def load_runs(
    slide: Slide, predictors: Sequence[Path], *, device: str, precision: str, root: Path | None = None
) -> list[Run]:
    """Load predictors to be scored.

    Parameters
    ----------
    root
        Runs are called by their path below it; None: by the name of their folder.

    Raises
    ------
    InputError
        If one cannot be read, or was trained on another slide; all of them at once.
    """
    runs: list[Run] = []
    problems: list[InputError] = []
    for path in predictors:
        try:
            predictor = load_predictor(path, device=device, precision=precision)
            runs.append(
                _run_of(
                    _name(path, root), predictor.facts, slide, predictor=predictor, content_hash=predictor.content_hash
                )
            )
        except InputError as problem:
            problems.append(problem)
    raise_all(problems)
    return runs


def stored_runs(slide: Slide, names: Sequence[str] = ()) -> list[Run]:
    """Read the predictions on spots that the slide holds.

    Parameters
    ----------
    names
        Which of them; none: all that were made by a predictor trained on this slide.

    Raises
    ------
    InputError
        If one that was named is not there or cannot be scored.
    """
    there = {key.removeprefix(SPOTS): key for key in getattr(slide.sdata, "tables", {}) if key.startswith(SPOTS)}
    missing = [name for name in names if name not in there]
    if missing:
        has = ", ".join(map(repr, there)) or "none"
        raise InputError(
            f"slide '{slide.name}' holds no predictions {', '.join(map(repr, missing))}",
            f"it has {has}; make some with 'c2lst predict {slide.path} --predictor RUN'",
        )
    runs = []
    for name in names or sorted(there):
        try:
            runs.append(_read_stored(slide, name, there[name]))
        except MismatchError:
            if names:  # what nobody asked for is passed over
                raise
    return runs


def group_runs(runs: Sequence[Run]) -> tuple[list[Group], list[str]]:
    """Sort runs into comparisons, and say in words what keeps them apart.

    Returns
    -------
    groups
        In the order of their first run.
    notes
        One sentence for each training set whose runs could not be put into one comparison.
    """
    found: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        found.setdefault((_training_key(run), _panel_key(run), run.facts.steps), []).append(run)
    groups: list[Group] = []
    notes: list[str] = []
    for training in dict.fromkeys(key[0] for key in found):
        keys = [key for key in found if key[0] == training]
        groups += [Group(tuple(found[key])) for key in keys]
        if len(keys) > 1:
            notes.append(_apart([found[key] for key in keys]))
    return _labelled(groups), notes


def _run_of(name: str, facts: PredictorFacts, slide: Slide, **kind: Any) -> Run:
    training = np.isin(slide.require_spots().ids, facts.training_ids)
    same = facts.slide == slide.name or facts.spots_hash == spots_hash(slide.require_spots())
    if not same or not training.any():  # barcodes repeat from slide to slide: ids alone do not tell
        raise MismatchError(
            f"'{name}' was trained on slide '{facts.slide}', not on '{slide.name}'",
            f"score it on spots of '{facts.slide}' that it has not seen",
        )
    return Run(name, facts, training, **kind)


def _read_stored(slide: Slide, name: str, key: str) -> Run:
    table = slide.sdata.tables[key]
    try:
        made = read_written(table)
    except InputError as error:
        raise MismatchError(f"table '{key}' of slide '{slide.name}': {error.message}", error.hint) from error
    facts = made.predictor
    ids = slide.require_spots().ids.astype(str)
    place = {spot: row for row, spot in enumerate(table.obs_names.astype(str))}
    rows = np.array([place.get(spot, -1) for spot in ids])
    if list(table.var_names.astype(str)) != list(facts.panel.genes):
        raise MismatchError(
            f"table '{key}' of slide '{slide.name}' has other genes than its predictor", "predict again"
        )
    values = np.full((len(ids), len(facts.panel)), np.nan, dtype=np.float32)
    matrix = table.X.toarray() if hasattr(table.X, "toarray") else np.asarray(table.X)
    values[rows >= 0] = matrix[rows[rows >= 0]]
    return _run_of(name, facts, slide, stored=values, content_hash=made.predictor_hash)


def _name(path: Path, root: Path | None) -> str:
    folder = path if path.is_dir() else path.parent
    return folder.name if root is None else folder.relative_to(root).as_posix()


def _training_key(run: Run) -> bytes:
    return np.packbits(run.training).tobytes()


def _panel_key(run: Run) -> tuple[Any, ...]:
    return (run.panel.genes, round(run.panel.median_total, 3))


def _apart(groups: Sequence[Sequence[Run]]) -> str:
    steps = {run.facts.steps for group in groups for run in group}
    panels = {_panel_key(run) for group in groups for run in group}
    why = [
        text for text, many in (("optimiser steps", len(steps) > 1), ("genes or their scale", len(panels) > 1)) if many
    ]
    names = " | ".join(", ".join(f"'{run.name}' ({run.facts.steps} steps)" for run in group) for group in groups)
    return (
        f"runs of the same training spots with different {' and '.join(why)} are not compared with each other: {names}"
    )


def _labelled(groups: list[Group]) -> list[Group]:
    """Name what sets groups apart, so that trials of different settings are never averaged."""
    steps = {group.steps for group in groups}
    sizes = {len(group.panel) for group in groups}
    seen: dict[tuple[bytes, int], set[tuple[Any, ...]]] = {}
    for group in groups:
        key = (_training_key(group.runs[0]), group.steps)
        seen.setdefault(key, set()).add(_panel_key(group.runs[0]))
    panels_differ = any(len(panels) > 1 for panels in seen.values())
    labelled = []
    for group in groups:
        parts = [f"{group.steps} steps"] if len(steps) > 1 else []
        parts += [f"{len(group.panel)} genes"] if len(sizes) > 1 else []
        if panels_differ:
            text = "\n".join([*group.panel.genes, f"{group.panel.median_total:.3f}"])
            parts.append(f"panel {content_hash([text.encode()]).removeprefix('sha256:')[:6]}")
        labelled.append(Group(group.runs, ", ".join(parts)))
    return labelled
