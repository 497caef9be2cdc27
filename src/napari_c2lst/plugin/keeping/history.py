"""The steps that were done on a slide, with the settings that repeat them: from its sets, its runs and its jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_c2lst.jobs.tasks import TASKS
from napari_c2lst.plugin.runs import find_runs

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session
    from napari_c2lst.slides.spots.spotsets import SpotSet

_ORDER = list(TASKS)
# What `how` of a set keeps, and the settings of `select` that say it.
_SELECT = ("fraction", "split", "seed", "suggest", "column", "min_counts", "min_genes", "min_tissue", "patch_um")


@dataclass(frozen=True)
class Done:
    """A step that was done.

    Attributes
    ----------
    label
        One line for a menu.
    task
        Its task.
    values
        The settings that repeat it.
    """

    label: str
    task: str
    values: dict[str, Any]


def steps_done(session: Session, jobs: Iterable[Any] = ()) -> list[Done]:
    """Every step that can be repeated, in the order of the work.

    Parameters
    ----------
    jobs
        The jobs of this window: predictions leave no run folder of their own.
    """
    if session.slide is None:
        return []
    opening = {"slide": str(session.slide.path), **{k: _plain(v) for k, v in session.opening.items()}}
    found = [Done(f"Describe the slide: {session.slide.name}", "info", opening)]
    found += [each for each in (_selection(session, spots) for spots in session.sets.values()) if each is not None]
    runs = [run for run in find_runs(session.runs_folder) if run.settings and run.task in TASKS]
    found += [Done(f"{_verb(run.task)}: {run.name} ({run.state})", run.task, dict(run.settings)) for run in runs]
    known = {str(run.path.absolute()) for run in runs}
    for job in jobs:
        if job.task in TASKS and not (job.out is not None and str(Path(job.out).absolute()) in known):
            values = {name: _plain(value) for name, value in job.settings.items()}
            done = Done(f"{_verb(job.task)}: {job.label}", job.task, values)
            if done not in found:
                found.append(done)
    return sorted(found, key=lambda each: _ORDER.index(each.task))


def _selection(session: Session, spots: SpotSet) -> Done | None:
    """How to make a set again; a set that was drawn by hand has no settings that say it."""
    slide = session.require_slide()
    how: Mapping[str, Any] = spots.how
    values = {name: how[name] for name in _SELECT if how.get(name) is not None}
    ways = [name for name in ("fraction", "suggest", "column") if name in values]
    if len(ways) != 1:
        return None
    if "equals" in how:
        values["equals"] = how["equals"]
    opening = {name: _plain(value) for name, value in session.opening.items()}
    return Done(
        f"Choose spots: {spots.name}", "select", {"slide": str(slide.path), "name": spots.name, **opening, **values}
    )


def _verb(task: str) -> str:
    return {"evaluate": "Judge", "convert": "Save as"}.get(task, task.capitalize())


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
