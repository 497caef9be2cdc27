"""Where the work stands, read from the open slide and the runs on disk; nothing is remembered. Needs no Qt."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_c2lst.evaluation.arms import arm_named, is_arm
from napari_c2lst.plugin.runs import RunInfo, find_runs
from napari_c2lst.slides.facts import PREDICTIONS
from napari_c2lst.slides.naming import name_of_predictions
from napari_c2lst.slides.readers.cells_aside import cell_tables

from .steps import STEPS, Step

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session

State = Literal["done", "next", "ready", "waiting", "running", "stopped"]

SAVED_VIEW = "c2lst_view"
"""The table of a store that keeps how the slide was looked at."""

_FEWEST_SPOTS = 8


@dataclass(frozen=True)
class Standing:
    """How one step stands.

    Attributes
    ----------
    step
        The step.
    state
        "done"; "next" is the first thing to do; "ready" can be done; "waiting" needs an earlier step; "running" is at
        work; "stopped" has a run that can go on.
    said
        What there is, or what is missing, in a few words.
    """

    step: Step
    state: State
    said: str

    @property
    def words(self) -> str:
        """The state for someone who cannot see the mark."""
        return {
            "done": "done",
            "next": "next",
            "ready": "can be done",
            "waiting": "not yet",
            "running": "running",
            "stopped": "stopped, can go on",
        }[self.state]


@dataclass(frozen=True)
class Facts:
    """What there is, from the session and the disk."""

    slide: Any
    sets: dict[str, int]
    unsaved: tuple[str, ...]
    runs: tuple[RunInfo, ...]
    predictions: tuple[str, ...]
    gene: str
    saved: bool
    running: frozenset[str]
    cells: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()  # predictions of which nobody has looked at a map

    def finished(self, task: str) -> list[RunInfo]:
        """The finished runs of a task, the newest first."""
        return [run for run in self.runs if run.task == task and run.state == "finished"]

    def stopped(self, task: str) -> list[RunInfo]:
        """The runs of a task that can go on."""
        return [run for run in self.runs if run.task == task and run.state == "stopped"]

    @property
    def has_spots(self) -> bool:
        """Whether the slide has measured spots."""
        return self.slide is not None and self.slide.spots is not None


def facts_of(session: Session, running: Collection[tuple[str, Path | None]] = ()) -> Facts:
    """Gather the facts.

    Parameters
    ----------
    running
        Task and run folder of the jobs at work.
    """
    slide = session.slide
    tables = {} if slide is None else getattr(slide.sdata, "tables", {})
    stored = {name.removeprefix("c2lst_set_") for name in tables if name.startswith("c2lst_set_")}
    predictions = tuple(sorted(name for name in tables if name.startswith(PREDICTIONS)))
    runs = tuple(find_runs(session.runs_folder, running=[out for _, out in running if out is not None]))
    return Facts(
        slide=slide,
        sets={name: int(spots.mask.sum()) for name, spots in session.sets.items()},
        unsaved=tuple(sorted(session.sets.keys() - stored - {session.saving})),
        runs=runs,
        predictions=predictions,
        gene=session.gene,
        saved=SAVED_VIEW in tables,
        running=frozenset(task for task, _ in running),
        cells=tuple(cell_tables(slide.path)) if slide is not None and slide.is_zarr else (),
        unseen=_unseen(session, predictions, SAVED_VIEW in tables or any(_judges(run) for run in runs)),
    )


def _unseen(session: Session, predictions: Sequence[str], went_on: bool) -> tuple[str, ...]:
    """The predictions of which no map was shown; who went on to judge or save had looked at what was there."""
    names = sorted({name_of_predictions(table) for table in predictions})
    return tuple(name for name in names if name in session.unseen or not (went_on or name in session.looked_at))


def _judges(run: RunInfo) -> bool:
    return run.task == "evaluate" and run.state == "finished" and _scores_a_model(run)


def standings(facts: Facts) -> list[Standing]:
    """How each step stands, in their order; at most one is "next"."""
    found = [_standing(step, facts) for step in STEPS]
    for i, each in enumerate(found):
        if each.state == "running":
            break
        if each.state in ("ready", "stopped") and not each.step.optional:
            found[i] = Standing(each.step, "next", each.said)
            break
    return found


def next_step(found: Sequence[Standing]) -> Standing | None:
    """The step to do next, or None while something runs or when everything is done."""
    return next((each for each in found if each.state == "next"), None)


def _standing(step: Step, facts: Facts) -> Standing:
    if step.task and step.task in facts.running:
        return Standing(step, "running", "at work")
    state, said = _RULES[step.key](facts)
    return Standing(step, state, said)


def _open(facts: Facts) -> tuple[State, str]:
    if facts.slide is None:
        return "ready", "no slide is open"
    if facts.slide.microns is None:
        return "ready", f"{facts.slide.name}: microns per pixel are missing"
    return "done", facts.slide.name


def _select(facts: Facts) -> tuple[State, str]:
    if facts.slide is None:
        return "waiting", "open a slide first"
    if not facts.has_spots:
        return "waiting", "this image has no measured spots"
    enough = {name: n for name, n in facts.sets.items() if n >= _FEWEST_SPOTS}
    if enough:
        return "done", ", ".join(f"{name} ({n})" for name, n in enough.items())
    if facts.sets:
        return "ready", f"a set needs at least {_FEWEST_SPOTS} spots"
    return "ready", "no set of spots yet"


def _adapt(facts: Facts) -> tuple[State, str]:
    return _made(facts, "adapt", "local model", _missing_spots(facts))


def _sample(facts: Facts) -> tuple[State, str]:
    return _made(facts, "sample", "set of pairs", None if facts.finished("adapt") else "adapt a model first")


def _train(facts: Facts) -> tuple[State, str]:
    state, said = _made(facts, "train", "predictor", _missing_spots(facts))
    if state == "ready" and not facts.finished("sample"):
        return state, "without synthetic pairs: on real spots only"
    return state, said


def _predict(facts: Facts) -> tuple[State, str]:
    if facts.slide is None:
        return "waiting", "open a slide first"
    if facts.predictions:
        return "done", _count(len(facts.predictions), "prediction")
    if facts.finished("train"):
        return "ready", "no prediction yet"
    if not facts.has_spots:  # a run of another slide can be chosen in the panel
        return "ready", "with a predictor of another slide"
    return "waiting", "train a predictor first"


def _cells(facts: Facts) -> tuple[State, str]:
    if facts.slide is None:
        return "waiting", "open a slide first"
    if facts.slide.microns is None:
        return "waiting", "microns per pixel are missing"
    if facts.cells:
        return "done", _count(len(facts.cells), "result")
    return "ready", "not searched for yet; the other steps do not need them"


def _look(facts: Facts) -> tuple[State, str]:
    if not facts.predictions:
        return "waiting", "predict first"
    if facts.unseen:
        return "ready", f"new: {', '.join(facts.unseen)}"
    return ("done", f"{facts.gene} is shown") if facts.gene else ("ready", "choose a gene")


def _judge(facts: Facts) -> tuple[State, str]:
    if facts.slide is not None and not facts.has_spots:
        return "waiting", "this image has no measured spots"
    done = facts.finished("evaluate")
    if done and not any(
        _scores_a_model(run) for run in done
    ):  # the simple baselines alone, say before there was a model
        return ("ready", "baselines alone are scored") if facts.predictions else ("waiting", "predict first")
    return _made(facts, "evaluate", "score table", None if facts.predictions else "predict first")


def _scores_a_model(run: RunInfo) -> bool:
    """Whether a network is among what was scored; also where that cannot be read: the panel says what is wrong."""
    try:
        with (run.path / "scores.csv").open(encoding="utf-8", newline="") as file:
            arms = [str(line["arm"]) for line in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, csv.Error):
        return True
    return not arms or not all(is_arm(arm) and arm_named(arm).kind == "baseline" for arm in arms)


def _keep(facts: Facts) -> tuple[State, str]:
    if facts.slide is None:
        return "waiting", "open a slide first"
    if facts.unsaved:
        return "ready", f"not saved yet: {', '.join(facts.unsaved)}"
    if not (facts.has_spots or facts.predictions or facts.cells or facts.saved):
        return "waiting", "nothing to save yet"
    return ("done", "saved in the slide") if facts.saved else ("ready", "not saved yet")


def _missing_spots(facts: Facts) -> str | None:
    if facts.slide is not None and not facts.has_spots:
        return "this image has no measured spots"
    return None if _select(facts)[0] == "done" else "choose training spots first"


def _made(facts: Facts, task: str, what: str, missing: str | None) -> tuple[State, str]:
    done = facts.finished(task)
    if done:
        return "done", _count(len(done), what)
    if missing is not None:
        return "waiting", missing
    if facts.stopped(task):
        return "stopped", f"'{facts.stopped(task)[0].name}' can go on"
    return "ready", f"no {what} yet"


def _count(n: int, what: str) -> str:
    plural = what.replace("set of", "sets of") if what.startswith("set of") else f"{what}s"
    return f"{n} {what if n == 1 else plural}"


_RULES: dict[str, Callable[[Facts], tuple[State, str]]] = {
    "open": _open,
    "select": _select,
    "adapt": _adapt,
    "sample": _sample,
    "train": _train,
    "predict": _predict,
    "cells": _cells,
    "look": _look,
    "judge": _judge,
    "keep": _keep,
}
