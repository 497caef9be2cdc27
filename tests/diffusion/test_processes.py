"""Two real processes (gloo) that train one model: the same model as one, killed and gone on with, stopped together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from napari_c2lst.common.errors import InputError, RunFailure
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.common.runs import RunFolder, latest_checkpoint
from napari_c2lst.diffusion.central import load_central
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.pretraining import run
from napari_c2lst.diffusion.processes import (
    agree_to_stop,
    mean_over_processes,
    open_folder,
    packed_once,
    refuse_uneven,
)

FLAGS = {
    "preset": "small",
    "device": "cpu",
    "precision": "fp32",
    "stain": "none",
    "patch-px": "16",
    "widths": "8,16",
    "batch": "4",
    "accumulation": "2",
    "preview-every": "0",
}


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiles")
    draw = np.random.default_rng(0)
    for i in range(24):
        small = draw.integers(90, 220, size=(4, 4, 3), dtype=np.uint8)
        Image.fromarray(small).resize((32, 32)).save(folder / f"tile{i:02d}.png")
    return folder


def launch(tiles: Path, out: Path, *, steps: int, processes: int = 2, **flags: str) -> subprocess.Popen[str]:
    options = {**FLAGS, "steps": str(steps), **{k.replace("_", "-"): v for k, v in flags.items()}}
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    command = [sys.executable, *torchrun, "-m", "napari_c2lst.cli.main", "pretrain", str(tiles), "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    return subprocess.Popen(
        [*command, *given], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )


def finish(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=300)
    return said


def ranks_of(launcher: int) -> list[int]:
    """The training processes of a launcher."""
    found = subprocess.run(["pgrep", "-P", str(launcher)], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in found]


def events_of(out: Path) -> list[dict[str, Any]]:
    file = out / "events.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def weights(out: Path) -> dict[str, torch.Tensor]:
    return dict(load_central(out / "central").net.state_dict())


@pytest.fixture(scope="module")
def whole(tiles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes in one go."""
    out = tmp_path_factory.mktemp("two") / "run"
    process = launch(tiles, out, steps=10)
    said = finish(process)
    assert process.returncode == 0, said
    return out


def test_two_processes_learn_what_one_learns(tiles: Path, whole: Path, tmp_path: Path) -> None:
    """Draws do not depend on how many share a batch, so only the last digits of sums differ."""
    options = {k.replace("-", "_"): v for k, v in FLAGS.items()}
    options |= {"widths": (8, 16), "steps": 10, "tiles": (tiles,), "out": tmp_path / "one"}  # type: ignore[dict-item]
    run(PretrainSettings.resolve(**options), Reporter())
    one, two = weights(tmp_path / "one"), weights(whole)
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=2e-3, rtol=0, msg=name)
    assert json.loads((whole / "result.json").read_text())["steps"] == 10


def test_one_process_says_and_writes_it_once(whole: Path) -> None:
    events = events_of(whole)
    assert [e["step"] for e in events if e["event"] == "metrics"] == list(range(1, 11))
    assert sum("2 x " in e["text"] for e in events if e["event"] == "message") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_one_process_killed_and_the_run_gone_on_with(tiles: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = launch(tiles, out, steps=10, checkpoint_every="2")
    until = time.monotonic() + 240
    while not list(out.glob("checkpoints/step_*")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    ranks = ranks_of(process.pid)
    assert len(ranks) == 2, finish(process)
    os.kill(max(ranks), signal.SIGKILL)
    finish(process)
    assert process.returncode != 0
    assert not (out / "result.json").exists()
    again = launch(tiles, out, steps=10, checkpoint_every="2")
    said = finish(again)
    assert again.returncode == 0, said
    assert "going on after step" in said
    first, second = weights(whole), weights(out)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_one_process_asked_to_stop_stops_both_after_the_same_step(tiles: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = launch(tiles, out, steps=100_000, checkpoint_every="100000")
    until = time.monotonic() + 240
    while not learning(out) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(max(ranks_of(process.pid)), signal.SIGTERM)
    said = finish(process)
    assert process.returncode != 0
    checkpoint = latest_checkpoint(out)
    assert checkpoint is not None, said
    steps = [e["step"] for e in events_of(out) if e["event"] == "metrics"]
    assert checkpoint.name == f"step_{steps[-1]:08d}"


def learning(out: Path) -> bool:
    return any(e["event"] == "metrics" for e in events_of(out))


def test_a_batch_that_cannot_be_dealt_out_is_refused() -> None:
    settings = PretrainSettings.resolve(tiles=("t",), out="o", batch=10, preset="small")
    refuse_uneven(settings, 2)
    with pytest.raises(InputError, match="a batch of 10 cannot be dealt out evenly to 4") as caught:
        refuse_uneven(settings, 4)
    assert "--batch 8" in caught.value.hint


class Two:
    """One of two processes, the other of which says `other`: what `accelerate` gives back on both."""

    num_processes, device = 2, torch.device("cpu")

    def __init__(self, other: float, *, main: bool = True) -> None:
        self.other, self.is_main_process = other, main

    def reduce(self, mine: torch.Tensor, how: str) -> torch.Tensor:
        total = mine + self.other
        return total / 2 if how == "mean" else total

    def wait_for_everyone(self) -> None:
        """There is nobody to wait for."""


@pytest.mark.parametrize(("mine", "other", "stop"), [(False, 0, False), (False, 1, True), (True, 0, True)])
def test_all_stop_as_soon_as_one_is_asked_to(mine: bool, other: int, stop: bool) -> None:
    assert agree_to_stop(Two(other), mine) is stop  # type: ignore[arg-type]


def test_a_figure_is_that_of_all_processes() -> None:
    assert mean_over_processes(Two(3.0), 1.0) == 2.0  # type: ignore[arg-type]


def test_tiles_that_the_first_process_did_not_leave_are_told(tmp_path: Path) -> None:
    settings = PretrainSettings.resolve(tiles=("t",), out=tmp_path / "run", preset="small", device="cpu")
    folder = RunFolder.open(settings, Reporter(), kind="pretrain")
    with pytest.raises(RunFailure, match=r"the tiles in '.*run' are gone") as caught:
        packed_once(settings, folder, Two(0, main=False))  # type: ignore[arg-type]
    assert caught.value.hint == "start again"


def test_the_second_process_finds_the_folder_says_nothing_and_hears_the_stop(tmp_path: Path) -> None:
    settings = PretrainSettings.resolve(
        tiles=("t",), out=tmp_path / "run", preset="small", device="cpu", resume="never"
    )
    first = open_folder(settings, Reporter(), Two(0))  # type: ignore[arg-type]
    said = RecordingReporter(stop_after=0)
    second = open_folder(settings, said, Two(0, main=False))  # type: ignore[arg-type]
    assert second.path == first.path
    second.reporter.message("not again")
    second.reporter.metrics(1, {"loss": 1.0})
    assert said.events == []
    assert events_of(tmp_path / "run") == []
    assert second.reporter.stop_requested()


@pytest.mark.parametrize(
    ("batch", "processes", "hint"), [(3, 4, "--batch 4"), (7, 2, "--batch 6"), (9, 8, "--batch 8")]
)
def test_the_batch_to_take_instead_can_be_dealt_out(batch: int, processes: int, hint: str) -> None:
    settings = PretrainSettings.resolve(tiles=("t",), out="o", batch=batch, preset="small", device="cpu")
    with pytest.raises(InputError) as caught:
        refuse_uneven(settings, processes)
    assert caught.value.hint == f"use {hint}"
