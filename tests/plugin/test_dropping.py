"""Slides that come in through napari's own reading: drag and drop, File > Open, scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QTimer

from napari_c2lst.plugin.shared import forget, shared_of

SLIDES = {
    "layouts/spatialdata_zarr_v2/blobs.zarr": False,
    "layouts/spatialdata_zarr_v3/blobs_v3.zarr": False,
    "layouts/visium_v1_scanpy": True,
    "layouts/visium_v2_cytassist/outs": True,
    "layouts/visium_hd_seurat": True,
    "layouts/visium_hd_visiumio": True,
    "hne-wsi/CMU-1-Small-Region.svs": False,
    "her2st/B4": True,
}


@pytest.fixture
def viewer(make_napari_viewer: Callable[..., Any]) -> Iterator[Any]:
    made = make_napari_viewer(show=True)
    yield made
    forget(made)


@pytest.mark.parametrize(("path", "spots"), SLIDES.items())
def test_every_layout_is_read_by_naparis_reader(viewer: Any, shared: Path, path: str, spots: bool, qtbot: Any) -> None:
    layers = viewer.open(str(shared / path), plugin="napari-c2lst")
    assert layers, "never an empty viewer"
    assert ("Points" in [type(layer).__name__ for layer in layers]) == spots
    assert viewer.layers.units is not None
    extent = layers[0].extent.world
    assert (extent[1] > extent[0]).all()
    session = shared_of(viewer).session
    assert session.slide.path == shared / path  # panels opened later know the slide
    qtbot.waitUntil(lambda: not shared_of(viewer).canvas.colouring.reading, timeout=60_000)


def test_a_drop_on_the_window_opens_in_a_thread(viewer: Any, shared: Path, qtbot: Any) -> None:
    path = str(shared / "her2st" / "B4")
    added: list[Any] = []
    # out of the event loop, as a drop is
    QTimer.singleShot(0, lambda: added.append(viewer.open(path, plugin="napari-c2lst")))
    qtbot.waitUntil(lambda: len(added) == 1, timeout=60_000)
    assert added == [[]]
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=60_000)
    assert shared_of(viewer).session.slide.name == "B4"
    qtbot.waitUntil(lambda: not shared_of(viewer).canvas.colouring.reading, timeout=60_000)
    assert shared_of(viewer).session.gene


def test_the_sample_of_the_menu_is_opened_without_a_complaint(viewer: Any, qtbot: Any) -> None:
    """As File > Open Sample does it; what it raised would be shown with a traceback."""
    from napari._app_model import get_app_model

    failed: list[BaseException] = []
    done: list[int] = []

    def choose() -> None:
        try:
            get_app_model().commands.execute_command("napari-c2lst.her2st-b4").result()
        except Exception as error:
            failed.append(error)
        done.append(1)

    QTimer.singleShot(0, choose)
    qtbot.waitUntil(lambda: bool(done), timeout=60_000)
    assert failed == []
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=60_000)
    assert shared_of(viewer).session.slide.name == "her2st-B4"
    qtbot.waitUntil(lambda: not shared_of(viewer).canvas.colouring.reading, timeout=60_000)


def test_the_sample_is_there_for_a_script(viewer: Any) -> None:
    assert [type(layer).__name__ for layer in viewer.open_sample("napari-c2lst", "her2st-b4")] == ["Image", "Points"]


def test_a_damaged_slide_that_is_dropped_is_said(viewer: Any, tmp_path: Path, qtbot: Any) -> None:
    store = tmp_path / "x.zarr"
    (store / "images").mkdir(parents=True)
    (store / "shapes").mkdir()
    told: list[Any] = []
    shared_of(viewer).session.told.connect(lambda *said: told.append(said))
    QTimer.singleShot(0, lambda: viewer.open(str(store), plugin="napari-c2lst"))
    qtbot.waitUntil(lambda: bool(told), timeout=60_000)
    assert told[0][0] == "error"
    assert "cut off" in told[0][1]
