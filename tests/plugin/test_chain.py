"""The whole way through the dock, with real child processes and a few training steps."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from benchmarks.gallery import QUICK, Tour
from qtpy.QtWidgets import QApplication

from napari_c2lst.plugin.dock import C2LDock
from napari_c2lst.plugin.keeping.commands import command_line
from napari_c2lst.plugin.runs import find_runs
from napari_c2lst.plugin.shared import forget, shared_of
from napari_c2lst.slides.sample_data import sample_slide_path

pytestmark = pytest.mark.slow

NEXT = {"train": "done", "predict": "done", "look": "done", "judge": "done", "keep": "done"}


def docked(viewer: Any) -> C2LDock:
    dock = C2LDock(viewer)
    viewer.window.add_dock_widget(dock, name="C2L-ST", area="right")
    return dock


def test_open_to_keep_and_open_again(make_napari_viewer: Callable[..., Any], tmp_path: Path, qtbot: Any) -> None:
    store = tmp_path / "her2st-B4.zarr"
    shutil.copytree(sample_slide_path(), store)
    viewer = make_napari_viewer(show=True)
    before = {child.pid for child in psutil.Process().children(recursive=True)}  # the screen, where it is Xvfb
    dock = docked(viewer)
    tour = Tour(viewer, dock, QUICK)
    tour.run(store)
    QApplication.processEvents()
    session = tour.session
    assert {key: dock._found[key].state for key in NEXT} == NEXT
    assert [said for said in tour.said if said[0] == "error"] == []
    runs = {run.task: run for run in find_runs(session.runs_folder)}
    assert {task: run.state for task, run in runs.items()} == dict.fromkeys(
        ("adapt", "sample", "train", "evaluate"), "finished"
    )
    assert (runs["adapt"].path / "local.safetensors").exists()
    line = command_line("train", runs["train"].settings)
    assert "--preset small" in line
    assert "--steps 8" in line
    gene, sets, layers = session.gene, set(session.sets), [layer.name for layer in viewer.layers]
    assert gene
    assert sets == {"train"}
    assert "torch" not in sys.modules or "pytest" in sys.modules  # another test of this process may have loaded it
    tour.close()
    dock.shut()
    forget(viewer)
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before

    fresh = make_napari_viewer(show=True)
    again = docked(fresh)
    second = Tour(fresh, again, QUICK)
    second.open(store)
    second.wait(lambda: again._found["judge"].state == "done", 60)
    second.wait(lambda: {layer.name for layer in fresh.layers} >= set(layers) - {"her2st-B4 spot sets"}, 60)
    assert second.session.gene == gene
    assert set(second.session.sets) == sets
    assert shared_of(fresh).canvas.layer("map_spots") is not None
    assert {key: again._found[key].state for key in NEXT} == NEXT
    second.close()
    again.shut()
