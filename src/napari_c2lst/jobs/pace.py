"""How long finished work took: what its progress cost, and what came on top. From run folders, or a job watched."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from napari_c2lst.common.environment import this_machine
from napari_c2lst.common.errors import C2LError
from napari_c2lst.common.reporter import GOING_ON
from napari_c2lst.common.runs import CONFIG, ENVIRONMENT, EVENTS, RESULT, read_config

TIMES = "times.jsonl"
_DAY = 86_400.0  # nothing works a day on after the last it counts: the file was touched later


@dataclass(frozen=True)
class Pace:
    """The seconds that some work took.

    Attributes
    ----------
    fixed
        Before, between and after what is counted: reading a slide, drawing figures, writing.
    varying
        Of all that is counted (steps, patches, tiles), which more work would make more.
    """

    fixed: float
    varying: float


@dataclass(frozen=True)
class Timed:
    """Finished work and how long it took.

    Attributes
    ----------
    name
        Of the run; empty for work that has no run folder.
    settings
        All settings, as JSON has them.
    result
        What it gave: counts and paths.
    machine
        "system", "cpus" and "accelerator" of the computer it was done on, as far as known.
    folder
        Where paths of its settings that mean nothing here are looked for by their names.
    """

    task: str
    name: str
    settings: Mapping[str, Any]
    result: Mapping[str, Any]
    machine: Mapping[str, Any]
    pace: Pace
    ended: float = 0.0
    folder: Path | None = None


class Watch:
    """The pace of work from its progress events as they come.

    Time counts as spent on the work between two events of the same count; a message in between may mean that
    something else was done, or that the work was stopped and went on later.
    """

    def __init__(self, begun: float) -> None:
        self._begun = self._last = begun
        self._before: tuple[str, int, float] | None = None
        self._measured: dict[str, tuple[float, int]] = {}
        self._totals: dict[str, int] = {}
        self._first: tuple[str, int, float] | None = None

    def message(self) -> None:
        """Something was said."""
        self._before = None

    def progress(self, when: float, done: int, total: int, what: str) -> None:
        """`done` of `total` units of `what` were done at a time."""
        self._totals[what] = total
        before = self._before
        if before is not None and before[0] == what and done > before[1]:
            seconds, units = self._measured.get(what, (0.0, 0))
            self._measured[what] = (seconds + when - before[2], units + done - before[1])
        self._first = self._first or (what, done, when)
        self._before, self._last = (what, done, when), when

    def pace(self, ended: float, *, paused: bool = False) -> Pace:
        """The pace of the whole, from its beginning to its end.

        Parameters
        ----------
        paused
            It was stopped and went on: only its first beginning and its last end count as what came on top.
        """
        rates = {what: seconds / units for what, (seconds, units) in self._measured.items()}
        varying = sum(rate * self._totals[what] for what, rate in rates.items())
        if not paused:
            whole = max(0.0, ended - self._begun)
            # too short to be measured in parts, or measured on too few: it is all work
            varying = min(varying, whole) if rates else whole
            return Pace(whole - varying, varying)
        what, done, when = self._first or ("", 0, self._begun)
        before = max(0.0, when - self._begun - done * rates.get(what, 0.0))
        return Pace(before + max(0.0, ended - self._last), varying)


def read_timed(run: Path) -> Timed | None:
    """A finished run and how long it took; None where its folder does not say."""
    try:
        stamps = [(run / name).stat().st_mtime_ns for name in (CONFIG, EVENTS, RESULT, ENVIRONMENT)]
    except OSError:
        return None
    return _read(run, tuple(stamps))


def earlier_work(folder: Path | None, task: str) -> list[Timed]:
    """What a task finished in a folder of runs, the newest first; what cannot be read is passed over."""
    if folder is None or not folder.is_dir():
        return []
    with suppress(OSError):
        runs = [read_timed(path) for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir()]
        found = [each for each in (*runs, *reversed(_noted(folder))) if each is not None and each.task == task]
        return sorted(found, key=lambda each: -each.ended)  # stable: of one time, the line that was written last
    return []


def note_time(
    folder: Path,
    task: str,
    settings: Mapping[str, Any],
    result: Mapping[str, Any],
    pace: Pace,
    *,
    clock: Callable[[], float] = time.time,
) -> None:
    """Write down how long work without a run folder took, in the folder of a slide's runs.

    Parameters
    ----------
    settings, result
        As JSON has them.
    """
    kept = {name: value for name, value in result.items() if isinstance(value, (int, float, str))}
    line = {
        "task": task,
        "ended": round(clock(), 3),
        "fixed": round(pace.fixed, 3),
        "varying": round(pace.varying, 3),
        "machine": this_machine(),
        "settings": dict(settings),
        "result": kept,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / TIMES).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _noted(folder: Path) -> list[Timed]:
    file, found = folder / TIMES, list[Timed]()
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else ():
        with suppress(ValueError, TypeError, KeyError):
            said = json.loads(line)
            pace = Pace(float(said["fixed"]), float(said["varying"]))
            settings, result, machine = dict(said["settings"]), dict(said["result"]), dict(said["machine"])
            found.append(Timed(str(said["task"]), "", settings, result, machine, pace, float(said["ended"]), folder))
    return found


@lru_cache(maxsize=256)
def _read(run: Path, stamps: tuple[int, ...]) -> Timed | None:
    """A run folder whose files are of these times."""
    begun, ended = stamps[3] / 1e9, stamps[2] / 1e9
    try:
        config = read_config(run)
        result = json.loads((run / RESULT).read_text(encoding="utf-8"))
        machine = json.loads((run / ENVIRONMENT).read_text(encoding="utf-8"))
        pace = _pace_of(_events(run / EVENTS), begun, ended)
        if pace is None:
            return None
        task, settings = str(config["kind"]), dict(config["settings"])
        return Timed(task, run.name, settings, dict(result), dict(machine), pace, ended, run.parent)
    except (C2LError, OSError, ValueError, TypeError, KeyError):  # a damaged folder tells nothing
        return None


def _events(file: Path) -> list[dict[str, Any]]:
    """The messages and the progress of a run, and whatever came first."""
    found: list[dict[str, Any]] = []
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            # a long run has ten thousand lines of metrics
            if not found or '"event": "progress"' in line or '"event": "message"' in line:
                found.append(json.loads(line))
    return found


def _pace_of(events: list[dict[str, Any]], begun: float, ended: float) -> Pace | None:
    """The pace of a run folder; None where its files are copies, whose own times say nothing."""
    progress = [each for each in events if each["event"] == "progress"]
    if not progress or float(events[0]["time"]) < begun - 1 or not 0 <= ended + 1 - float(progress[-1]["time"]) < _DAY:
        return None
    watch = Watch(begun)
    for each in events:
        if each["event"] == "message":
            watch.message()
        elif each["event"] == "progress":
            watch.progress(float(each["time"]), int(each["done"]), int(each["total"]), str(each.get("what", "")))
    return watch.pace(ended, paused=any(str(each.get("text", "")).startswith(GOING_ON) for each in events))
