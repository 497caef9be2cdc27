"""The steps that were done on a slide, with the settings that repeat them: from its sets, its runs and its jobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_c2lst.jobs.tasks import TASKS
from napari_c2lst.plugin.runs import find_runs
from napari_c2lst.plugin.selecting.repeating import FOLDER, mark_of, settings_of, write_ids

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session
    from napari_c2lst.slides.spots.spotsets import SpotSet

_ORDER = list(TASKS)
_LOW = ("min_counts", "min_genes", "min_tissue")
_FILES = ("polygon", "ids")  # settings that name a file


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
    ids
        Names of spots that the file `values["ids"]` has to list; empty where no file is needed.
    """

    label: str
    task: str
    values: dict[str, Any]
    ids: tuple[str, ...] = ()

    def prepare(self) -> Path | None:
        """Write the list of spots that the settings name; where it lies, None where none is needed.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        return write_ids(self.ids, Path(self.values["ids"])) if self.ids else None


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
    found += [_selection(session, spots) for spots in session.sets.values()]
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


def _selection(session: Session, spots: SpotSet) -> Done:
    """How to make a set again: by its settings, or by a list of its spots where it was drawn by hand."""
    opening = {name: _plain(value) for name, value in session.opening.items()}
    values = {"slide": str(session.require_slide().path), "name": spots.name, **opening}
    label, how = f"Choose spots: {spots.name}", settings_of(spots.how)
    if how and all(Path(str(how[name])).is_file() for name in _FILES if name in how):
        return Done(label, "select", {**values, **how})
    low = {name: spots.how[name] for name in _LOW if spots.how.get(name)}
    ids = tuple(str(name) for name in spots.ids)
    return Done(label, "select", {**values, **low, "ids": str(_list_of(session, spots.name, ids))}, ids)


def _list_of(session: Session, name: str, ids: tuple[str, ...]) -> Path:
    """A file of its own for each choice: a command that was copied before keeps its meaning."""
    folder = session.runs_folder
    assert folder is not None
    return folder / FOLDER / f"{name}-{mark_of(ids)}.txt"


def _verb(task: str) -> str:
    return {"evaluate": "Judge", "convert": "Save as"}.get(task, task.capitalize())


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
