"""One run from both sides: begun on the command line with relative paths and ended in the window, and back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from tests.diffusion.tiny import tiny_central
from tests.slides.stores import make_tiny_store

from napari_c2lst.cli.main import run as c2lst
from napari_c2lst.common.errors import Stopped
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion.adapting import run
from napari_c2lst.diffusion.central import save_central
from napari_c2lst.diffusion.settings import AdaptSettings
from napari_c2lst.plugin.runs import find_runs
from napari_c2lst.plugin.shared import Shared, shared_of
from napari_c2lst.plugin.steps.adapt import AdaptPanel
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set

FLAGS = {"preset": "small", "device": "cpu", "precision": "fp32", "steps": 6, "batch": 4, "genes": 15, "embedding": 4}
WAIT_MS = 180_000


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a tiny slide, its set and a tiny central model."""
    folder = tmp_path / "work"
    (folder / "deeper").mkdir(parents=True)
    slide = open_slide(make_tiny_store(folder / "tiny.zarr"))
    ids = slide.require_spots().ids
    mask = np.random.default_rng(0).permutation(len(ids)) < 20
    write_spot_set(slide, SpotSet.of("train", ids, mask, {}))
    save_central(tiny_central(0), folder / "central")
    monkeypatch.chdir(folder)
    return folder


def begin(slide: Path | str, central: Path | str, out: Path | str) -> None:
    """A run that is stopped after three of six steps, as the command and the child of the window run it."""
    settings = AdaptSettings.resolve(
        slide=slide, central=str(central), out=out, checkpoint_every=2, preview_every=0, **FLAGS
    )
    with pytest.raises(Stopped):
        run(settings, RecordingReporter(stop_after=3))


def command(slide: str, central: str, out: str) -> list[str]:
    flags = [part for name, value in FLAGS.items() for part in (f"--{name}", str(value))]
    return ["adapt", slide, "--central", central, "--out", out, *flags, "--preview-every", "0", "--resume", "auto"]


def test_from_the_command_line_to_the_window(
    work: Path, viewer: ViewerModel, panel_of: Callable[..., Any], qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin("tiny.zarr", "central", "tiny_c2lst/local")
    monkeypatch.chdir(work / "deeper")  # the window has another working folder
    shared: Shared = shared_of(viewer)
    shared.session.open(open_slide(work / "tiny.zarr"))
    panel = panel_of(AdaptPanel)
    assert "run 'local' was stopped" in panel.ui.message.message
    panel.ui.resume.click()
    qtbot.waitUntil(lambda: panel.job is not None and not panel._active(), timeout=WAIT_MS)
    assert (panel.job.state, panel.ui.message.level) == ("finished", "success")
    assert panel.job.settings["central"] == str(work / "central")
    assert [(each.path, each.state) for each in find_runs(shared.session.runs_folder)] == [
        (work / "tiny_c2lst" / "local", "finished")
    ]


@pytest.mark.parametrize("folder", [".", "deeper"])
def test_from_the_window_to_the_command_line_in_any_folder(
    work: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: str
) -> None:
    begin(work / "tiny.zarr", work / "central", work / "tiny_c2lst" / "local")
    monkeypatch.chdir(work / folder)
    up = "" if folder == "." else "../"
    assert c2lst(command(f"{up}tiny.zarr", f"{up}central", f"{up}tiny_c2lst/local")) == 0, capfd.readouterr().err
    assert (work / "tiny_c2lst" / "local" / "local.safetensors").is_file()


def test_another_slide_of_that_name_is_refused(work: Path, capfd: pytest.CaptureFixture[str]) -> None:
    begin("tiny.zarr", "central", "tiny_c2lst/local")
    shutil.copytree(work / "tiny.zarr", work / "deeper" / "tiny.zarr")
    assert c2lst(command("deeper/tiny.zarr", "central", "tiny_c2lst/local")) != 0
    assert "slide was 'tiny.zarr', now 'deeper/tiny.zarr'" in capfd.readouterr().err
