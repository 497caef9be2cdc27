"""The table of a cohort: one slide a line, checked as a whole before any work."""

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError, raise_all
from napari_c2lst.common.settings import TaskSettings
from napari_c2lst.jobs.tasks import get_task

from .settings import CohortSettings

SLIDE, NAME = "slide", "name"


@dataclass(frozen=True)
class Step:
    """One task on one slide.

    Attributes
    ----------
    task
        Name of the task.
    settings
        Its settings as they were given, JSON-able; the rest takes the preset's values where the work is done.
    """

    task: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One slide of a cohort and what is to be done on it, in order."""

    name: str
    slide: Path
    steps: tuple[Step, ...] = field(default=())


def read_table(settings: CohortSettings) -> list[Entry]:
    """Read a cohort's CSV; paths in it are relative to the CSV.

    Columns: ``slide`` (required), ``name`` (none = the file's name), and any setting of the tasks: ``mpp`` goes to
    every task that has it, ``predict.where`` to predict alone. An empty cell leaves a setting as it is.

    Raises
    ------
    InputError
        If the table cannot be read, names a slide twice, or a setting or path is wrong; all faults at once.
    """
    rows = _rows(settings.table)
    faults = _unknown_columns(rows, settings)
    raise_all(faults)
    entries = []
    for number, row in enumerate(rows, 2):  # line 1 holds the column names
        try:
            entries.append(_entry(row, settings))
        except InputError as error:
            faults.append(InputError(f"line {number} of '{settings.table}': {error.message}", error.hint))
    faults += [
        InputError(f"'{settings.table}' has the name {name!r} {count} times", "give each slide a name of its own")
        for name, count in Counter(entry.name for entry in entries).items()
        if count > 1
    ]
    raise_all(faults)
    return entries


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream, restkey="", restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"'{table}' cannot be read: {error}", "give a CSV with a column 'slide'") from error
    if not rows:
        raise InputError(f"'{table}' names no slide", "write a line for each slide below the column names")
    if SLIDE not in rows[0]:
        raise InputError(
            f"'{table}' has no column 'slide'; its columns are {', '.join(rows[0])}", "name the column of paths 'slide'"
        )
    return [{str(key): str(value).strip() for key, value in row.items()} for row in rows]


def _unknown_columns(rows: list[dict[str, str]], settings: CohortSettings) -> list[InputError]:
    known = {SLIDE, NAME}
    for task in settings.tasks:
        fields = set(get_task(task).settings_class().model_fields)
        known |= fields | {f"{task}.{name}" for name in fields}
    unknown = [column for column in rows[0] if column not in known]
    if not unknown:
        return []
    message = f"'{settings.table}' has columns that are no setting of {' or '.join(settings.tasks)}: {unknown}"
    return [InputError(message, f"see 'c2lst {settings.tasks[0]} --help'; take other columns out")]


def _entry(row: dict[str, str], settings: CohortSettings) -> Entry:
    if not row[SLIDE]:
        raise InputError("the slide is missing", "write its path in the column 'slide'")
    here = settings.table.absolute().parent
    slide = here / row[SLIDE]
    if not slide.exists():
        raise InputError(f"there is no slide '{slide}'", "paths are relative to the table: check it")
    steps = tuple(_step(task, slide, row, settings, here) for task in settings.tasks)
    return Entry(_name(row, slide), slide, steps)


def _name(row: dict[str, str], slide: Path) -> str:
    name = row.get(NAME) or slide.name.removesuffix(".gz").rsplit(".", 1)[0]
    if not name or any(c in name for c in "/\\:") or name.startswith("."):
        raise InputError(f"{name!r} is no name for a slide", "use letters, digits, '.', '_' and '-' in column 'name'")
    return name


def _step(task: str, slide: Path, row: dict[str, str], settings: CohortSettings, here: Path) -> Step:
    cls = get_task(task).settings_class()
    given = {name: _absolute(cls, name, value, Path.cwd()) for name, value in getattr(settings, task).items()}
    for column, cell in row.items():
        prefix, _, name = column.rpartition(".")
        if column in (SLIDE, NAME) or not cell or prefix not in ("", task) or name not in cls.model_fields:
            continue
        given[name] = _absolute(cls, name, cell, here)
    given[SLIDE] = str(slide)
    checked = cls.resolve(**given)
    return Step(task, {name: checked.model_dump(mode="json")[name] for name in given})


def _absolute(cls: type[TaskSettings], name: str, value: Any, base: Path) -> Any:
    """Paths as seen from anywhere: workers have another current folder."""
    field_ = cls.model_fields.get(name)
    is_path = field_ is not None and "Path" in str(field_.annotation)
    return str(base / str(value)) if is_path and isinstance(value, (str, Path)) else value
