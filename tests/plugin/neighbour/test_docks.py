"""Its docks: opened once, renewed with the slide, and not at all where that would make it fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QWidget

from napari_c2lst.plugin.neighbour import docks as module
from napari_c2lst.plugin.neighbour.docks import DOCK, Neighbour, is_there, neighbour_of
from napari_c2lst.plugin.shared import forget, shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Microns


class Window:
    """A window with a slide, and what was told."""

    def __init__(self, viewer: Any, qtbot: Any) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        self.shared = shared_of(viewer)
        self.session = self.shared.session
        self.session.open(open_slide(sample_slide_path()))
        self.neighbour: Neighbour = neighbour_of(self.shared)
        self.told: list[tuple[str, str, str]] = []
        self.session.told.connect(self.hear)

    def hear(self, *said: str) -> None:
        self.told.append(said)  # type: ignore[arg-type]

    def show(self) -> None:
        self.neighbour.show()
        self.qtbot.waitUntil(lambda: not self.neighbour.busy, timeout=120_000)


@pytest.fixture
def window(make_napari_viewer: Callable[..., Any], qtbot: Any) -> Iterator[Window]:
    viewer = make_napari_viewer(show=True)
    made = Window(viewer, qtbot)
    yield made
    made.session.told.disconnect(made.hear)
    forget(viewer)
    for widget in list(viewer.window.dock_widgets.values()):
        viewer.window.remove_dock_widget(widget)


def test_opened_once_and_renewed_with_the_slide(window: Window) -> None:
    pytest.importorskip("napari_spatialdata")
    assert is_there()
    window.show()
    docks = window.viewer.window.dock_widgets
    first, lent = docks[DOCK], window.neighbour.lent
    assert window.neighbour.in_hand() is lent is not None
    window.show()
    assert (docks[DOCK], window.neighbour.lent) == (first, lent)
    slide = window.session.require_slide()
    window.session.open(replace(slide, microns=Microns(1.0, "given", "a test")))  # the size of a pixel was corrected
    window.show()
    assert docks[DOCK] is not first
    assert [layer.name for layer in window.viewer.layers].count("annotations") == 1
    assert window.viewer.layers["annotations"].metadata["sdata"] is window.neighbour.lent.sdata
    # what is drawn on would be lost to the docks, or they would fail when it goes
    window.viewer.layers.selection.active = window.viewer.layers["annotations"]
    window.viewer.layers["annotations"].add_rectangles(np.array([[0, 0], [9.0, 9.0]]))
    window.session.open(slide)
    before = docks[DOCK]
    window.show()
    assert docks[DOCK] is before
    assert "annotations" in window.told[-1][2]


def test_a_dock_that_is_not_ours_is_left_alone(window: Window) -> None:
    other = QWidget()
    window.viewer.window.add_dock_widget(other, name=DOCK)
    window.show()
    assert window.viewer.window.dock_widgets[DOCK] is other
    level, message, hint = window.told[-1]
    assert (level, message) == ("warning", "napari-spatialdata shows another SpatialData")
    assert hint == "close its docks, then press the button again"


def test_what_fails_there_is_one_sentence(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_slide: Any) -> None:
        with module.told_as("napari-spatialdata cannot be opened", "update it"):
            raise ImportError("no module named 'numba'")

    monkeypatch.setattr(module, "_lend", fail)
    window.show()
    assert window.told == [
        ("error", "napari-spatialdata cannot be opened (ImportError: no module named 'numba')", "update it")
    ]
    assert window.neighbour.lent is None


def test_drawings_that_are_not_saved_are_not_forgotten_for_another_slide(
    window: Window, make_slide: Callable[..., Any]
) -> None:
    shapes = {"regions": object()}
    lent = SimpleNamespace(slide=make_slide(), made=lambda _kind: shapes)
    window.neighbour.lent = lent  # type: ignore[assignment]
    window.show()
    assert "drawn on 'P12' are not saved" in window.told[-1][1]
    assert window.neighbour.lent is lent
    assert window.neighbour.in_hand() is None


def test_without_the_plugin_it_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from npe2 import PluginManager

    monkeypatch.setattr(PluginManager, "iter_manifests", lambda *_args, **_more: iter(()))
    assert not is_there()
