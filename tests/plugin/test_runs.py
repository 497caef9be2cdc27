from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.runs import CHECKPOINTS, CONFIG, EVENTS, RESULT, RunFolder
from napari_c2lst.diffusion.settings import AdaptSettings
from napari_c2lst.plugin.runs import find_runs, read_run


class Done(TaskResult):
    loss: float


def make_run(out: Path, *, finished: bool = True) -> RunFolder:
    settings = AdaptSettings.resolve(slide=Path("a.zarr"), out=out, preset="small")
    run = RunFolder.open(settings, Reporter(), kind="adapt", basis={"slide": "sha256:1"})
    if finished:
        run.finish(Done(loss=0.5))
    return run


def at(run: Path, seconds: float) -> None:
    for name in (CONFIG, EVENTS, RESULT):
        if (run / name).exists():
            os.utime(run / name, (seconds, seconds))


def test_runs_are_read_as_the_tasks_write_them(tmp_path: Path) -> None:
    make_run(tmp_path / "first")
    make_run(tmp_path / "second", finished=False)
    at(tmp_path / "first", 1000)
    at(tmp_path / "second", 2000)
    second, first = find_runs(tmp_path)
    assert (first.name, first.task, first.state, first.ended) == ("first", "adapt", "finished", 1000)
    assert first.result == {"loss": 0.5}
    assert first.settings["steps"] == 300
    assert first.config["basis"] == {"slide": "sha256:1"}
    assert (second.name, second.state, second.result, second.checkpoint) == ("second", "stopped", None, None)
    assert not first.problem


def test_a_stopped_run_names_its_checkpoint(tmp_path: Path) -> None:
    import torch

    run = make_run(tmp_path / "local", finished=False)
    run.save_checkpoint(10, {"w": torch.zeros(2)}, {})
    (info,) = find_runs(tmp_path)
    assert info.checkpoint == tmp_path / "local" / CHECKPOINTS / "step_00000010"


def test_what_runs_now_is_known_to_the_caller_alone(tmp_path: Path, monkeypatch: object) -> None:
    make_run(tmp_path / "local")
    assert find_runs(tmp_path)[0].state == "finished"
    (info,) = find_runs(tmp_path, running=[tmp_path / "x" / ".." / "local", (tmp_path / "local")])
    assert (info.state, info.result) == ("running", None)


def test_damaged_folders_are_listed_and_never_raise(tmp_path: Path) -> None:
    for name, file, text in (
        ("cut", CONFIG, "kind = "),
        ("binary", CONFIG, "\udcff\udcfe"),
        ("empty", CONFIG, ""),
        ("other", CONFIG, "kind = 3\n[settings]\n"),
        ("result", RESULT, '{"loss": '),
        ("list", RESULT, "[]"),
    ):
        make_run(tmp_path / name)
        (tmp_path / name / file).write_text(text, errors="surrogateescape")
    found = {run.name: run for run in find_runs(tmp_path)}
    assert set(found) == {"cut", "binary", "empty", "other", "result", "list"}
    assert {run.state for run in found.values()} == {"failed"}
    assert all(run.problem for run in found.values())
    assert found["result"].task == "adapt"
    assert found["cut"].settings == {}
    assert "does not say what was run" in found["other"].problem


def test_other_things_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("mine")
    make_run(tmp_path / ".local.1234.part")
    assert find_runs(tmp_path) == []
    assert find_runs(None) == []
    assert find_runs(tmp_path / "missing") == []
    assert find_runs(tmp_path / "file.txt") == []
    assert read_run(tmp_path / "notes") is None


def test_finding_runs_needs_no_torch(tmp_path: Path) -> None:
    make_run(tmp_path / "local")
    code = (
        "import json, sys\nfrom pathlib import Path\nfrom napari_c2lst.plugin.runs import find_runs\n"
        f"runs = find_runs(Path({str(tmp_path)!r}))\n"
        "print(json.dumps([len(runs), sorted({'torch', 'qtpy', 'napari'} & sys.modules.keys())]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [1, []]


def test_settings_of_a_run_have_whole_paths_wherever_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_run(Path("runs/a"))
    monkeypatch.chdir("/")
    run = read_run(tmp_path / "runs" / "a")
    assert run is not None
    assert run.settings["slide"] == str(tmp_path / "a.zarr")
    assert run.settings["central"] == "embedded"
    assert run.config["settings"]["slide"] == "a.zarr"


def test_settings_of_a_task_of_another_version_are_given_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / CONFIG).write_text('kind = "dance"\n[settings]\nslide = "a.zarr"\n')
    run = read_run(tmp_path / "a")
    assert run is not None
    assert run.settings == {"slide": "a.zarr"}
