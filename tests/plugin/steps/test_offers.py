"""What a step can work on, as it lies in the session and on disk; no window is needed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_c2lst.cells.facts import EMBEDDED, PANNUKE
from napari_c2lst.plugin.steps.offers import (
    predictions_of,
    runs_of,
    sets_of,
    slide_line,
    stopped_run,
    weights_of,
)


def session_of(folder: Path | None = None, spots: int | None = 283, **sets: int) -> Any:
    """As much of a session as is asked: sets by name with the number of their spots."""
    slide = SimpleNamespace(name="B4", spots=None if spots is None else range(spots), sdata=SimpleNamespace(tables={}))
    masks = {name: SimpleNamespace(mask=np.arange(300) < chosen) for name, chosen in sets.items()}
    return SimpleNamespace(slide=slide, runs_folder=folder, sets=masks)


def run(folder: Path, name: str, task: str, result: Any = None, *, at: int = 0, checkpoint: bool = False) -> Path:
    made = folder / name
    (made / "checkpoints").mkdir(parents=True)
    if checkpoint:
        (made / "checkpoints" / "step_00000003").mkdir()
    (made / "config.toml").write_text(f'kind = "{task}"\n[settings]\n')
    os.utime(made / "config.toml", (at, at))
    if result is not None:
        (made / "result.json").write_text(json.dumps(result))
        os.utime(made / "result.json", (at, at))
    return made


def test_sets_say_how_many_spots_they_have() -> None:
    session = session_of(train=71, one=1, none=0)
    assert sets_of(session) == [("train (71 spots)", "train"), ("one (1 spot)", "one"), ("none (0 spots)", "none")]


@pytest.mark.parametrize(
    ("spots", "sets", "line"),
    [
        (283, {}, "B4: 283 spots, no set of spots yet"),
        (283, {"a": 3}, "B4: 283 spots, 1 set of spots"),
        (1, {"a": 1, "b": 1}, "B4: 1 spot, 2 sets of spots"),
        (None, {}, "B4: an image without spots"),
    ],
)
def test_the_line_of_a_slide(spots: int | None, sets: dict[str, int], line: str) -> None:
    assert slide_line(session_of(spots=spots, **sets)) == line


@pytest.mark.parametrize(
    ("task", "result", "label"),
    [
        ("adapt", {"spots": 71, "steps": 300}, "r (71 spots, 300 steps)"),
        ("adapt", {"spots": 1, "steps": 3}, "r (1 spot, 3 steps)"),
        ("adapt", {"spots": 71}, "r"),
        ("adapt", {"spots": "many", "steps": None}, "r"),
        ("sample", {"patches": 1355}, "r (1,355 patches)"),
        ("sample", {"patches": "many"}, "r"),
        ("sample", {}, "r"),
        ("train", {"arm": "real+synthetic"}, "r (real+synthetic)"),
        ("train", {}, "r"),
        ("evaluate", {"spots": 3}, "r"),
    ],
)
def test_finished_runs_say_what_they_are_if_their_result_does(
    tmp_path: Path, task: str, result: dict[str, Any], label: str
) -> None:
    made = run(tmp_path, "r", task, result)
    assert runs_of(session_of(tmp_path), task) == [(label, made)]


def test_runs_come_newest_first_and_only_finished_ones_of_the_task(tmp_path: Path) -> None:
    old, new = run(tmp_path, "a_old", "train", {}, at=100), run(tmp_path, "b_new", "train", {}, at=200)
    run(tmp_path, "stopped", "train", at=300)
    run(tmp_path, "other", "adapt", {}, at=300)
    (run(tmp_path, "cut off", "train", at=300) / "result.json").write_text('{"arm"')
    (tmp_path / "a file").write_text("mine")
    (tmp_path / "a folder").mkdir()
    assert [path for _, path in runs_of(session_of(tmp_path), "train")] == [new, old]


def test_the_newest_run_that_can_go_on(tmp_path: Path) -> None:
    session = session_of(tmp_path)
    run(tmp_path, "nothing_kept", "adapt", at=400)  # no checkpoint: Run does the same
    run(tmp_path, "finished", "adapt", {}, at=300, checkpoint=True)
    run(tmp_path, "older", "adapt", at=100, checkpoint=True)
    newer = run(tmp_path, "newer", "adapt", at=200, checkpoint=True)
    found = stopped_run(session, "adapt", [])
    assert found is not None
    assert found.path == newer
    # one that a job of this window works on is not stopped
    other = stopped_run(session, "adapt", [newer])
    assert other is not None
    assert other.name == "older"
    assert stopped_run(session, "train", []) is None


def test_only_predictions_at_spots_can_be_scored() -> None:
    session = session_of()
    session.slide.sdata.tables = dict.fromkeys(
        ("table", "c2lst_spots_b", "c2lst_grid_b", "c2lst_set_train", "c2lst_spots_a")
    )
    assert predictions_of(session) == [("a", "a"), ("b", "b")]
    session.slide = None
    assert predictions_of(session) == []


def test_weights_of_the_package_come_first_and_public_ones_last(tmp_path: Path) -> None:
    mine = run(tmp_path, "mine", "train-cells", {})
    values = [value for _, value in weights_of(session_of(tmp_path))]
    assert values[-2:] == [str(mine), PANNUKE]
    assert values[:-2] in ([EMBEDDED], [])
