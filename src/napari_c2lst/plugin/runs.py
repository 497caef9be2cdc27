"""The runs of a slide as they lie on disk: what was made, from what, and whether it is finished (no torch, no Qt)."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.run_paths import whole_settings
from napari_c2lst.common.runs import CONFIG, EVENTS, RESULT, latest_checkpoint, read_config
from napari_c2lst.jobs.tasks import TASKS, get_task

State = Literal["finished", "stopped", "running", "failed"]


@dataclass(frozen=True)
class RunInfo:
    """One run folder.

    Attributes
    ----------
    path
        The folder.
    task
        "adapt", "sample", "train", "evaluate" or "pretrain"; empty when the folder is damaged.
    state
        "finished" has a result; "running" is what the caller said runs; "failed" cannot be read (`problem` says why);
        "stopped" is everything else, and goes on where its last checkpoint stands.
    config
        `config.toml` as it stands: "kind", "settings" and, where there is one, "basis".
    result
        `result.json`: paths and figures; None before the end.
    ended
        When it ended or was last heard of, in seconds since the epoch.
    checkpoint
        The last checkpoint, or None.
    problem
        Why the folder cannot be used; empty when it can.
    """

    path: Path
    task: str
    state: State
    config: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    ended: float = 0.0
    checkpoint: Path | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """The folder's name, as menus show it."""
        return self.path.name

    @property
    def settings(self) -> dict[str, Any]:
        """The settings it was made with, their paths whole; fields without a value are left out."""
        settings = self.config.get("settings")
        if not isinstance(settings, dict):
            return {}
        return (
            whole_settings(self.path, self.config, get_task(self.task).settings_class())
            if self.task in TASKS
            else settings
        )


def find_runs(folder: Path | None, *, running: Collection[Path] = ()) -> list[RunInfo]:
    """Every run folder directly inside a folder, the newest first.

    A damaged folder is listed as "failed" and never raises; what is no run folder is passed over.

    Parameters
    ----------
    folder
        Where a slide's runs are kept (`Session.runs_folder`); None or a folder that is not there holds none.
    running
        Run folders that a job of this program is writing now: a disk cannot tell a run that works from one that was
        killed.
    """
    if folder is None or not folder.is_dir():
        return []
    busy = {path.absolute() for path in running}
    found = [read_run(path, running=path.absolute() in busy) for path in _folders(folder)]
    return sorted((run for run in found if run is not None), key=lambda run: (-run.ended, run.name))


def read_run(path: Path, *, running: bool = False) -> RunInfo | None:
    """One run folder, or None when the path is none."""
    if not (path / CONFIG).is_file():
        return None
    ended = _last_change(path)
    try:
        config = read_config(path)
    except (InputError, OSError, UnicodeDecodeError) as error:
        return RunInfo(path, "", "failed", ended=ended, problem=_in_words(error))
    task = config.get("kind")
    if not isinstance(task, str) or not isinstance(config.get("settings"), dict):
        return RunInfo(path, "", "failed", ended=ended, problem=f"'{path / CONFIG}' does not say what was run")
    checkpoint = latest_checkpoint(path)
    if running:
        return RunInfo(path, task, "running", config, None, ended, checkpoint)
    try:
        result = _result(path)
    except (ValueError, OSError) as error:
        problem = f"'{path / RESULT}' cannot be read: {_in_words(error)}"
        return RunInfo(path, task, "failed", config, None, ended, checkpoint, problem)
    return RunInfo(path, task, "stopped" if result is None else "finished", config, result, ended, checkpoint)


def _folders(folder: Path) -> list[Path]:
    try:
        # a name that begins with a dot is a run that is being made
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def _result(path: Path) -> dict[str, Any] | None:
    file = path / RESULT
    if not file.is_file():
        return None
    result = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(result, dict):
        raise ValueError("it holds no result")
    return result


def _last_change(path: Path) -> float:
    times = [(path / name).stat().st_mtime for name in (RESULT, EVENTS, CONFIG) if (path / name).is_file()]
    return max(times, default=0.0)


def _in_words(error: Exception) -> str:
    return error.message if isinstance(error, InputError) else (str(error).splitlines() or [type(error).__name__])[0]
