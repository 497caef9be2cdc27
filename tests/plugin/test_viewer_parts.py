from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.viewer_parts import camera, canvas_px, scale_bar, sees_all, soon


@pytest.mark.filterwarnings("ignore")
def test_camera_and_scale_bar_are_those_of_the_viewer() -> None:
    viewer = ViewerModel()
    camera(viewer).zoom = 3.0
    scale_bar(viewer).visible = True
    assert viewer.camera.zoom == 3.0
    assert viewer.scale_bar.visible


def test_they_are_found_where_older_versions_keep_them() -> None:
    old: Any = SimpleNamespace(camera=object(), scale_bar=object())
    assert camera(old) is old.camera
    assert scale_bar(old) is old.scale_bar


def test_the_shorter_side_of_the_canvas(make_napari_viewer: Callable[..., Any]) -> None:
    assert 0 < canvas_px(make_napari_viewer()) < 10_000
    assert canvas_px(ViewerModel()) == 600.0


def test_soon_is_once_the_event_loop_is_back(qtbot: Any) -> None:
    called: list[int] = []
    soon(lambda: called.append(1))
    assert called == []
    qtbot.waitUntil(lambda: called == [1])


def test_a_layer_is_seen_whole_until_one_zooms_in_or_moves() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros((40, 30)))
    viewer.reset_view()
    assert sees_all(viewer, layer)
    view = camera(viewer)
    fitting, middle = view.zoom, view.center
    view.zoom = 1.5 * fitting
    assert not sees_all(viewer, layer)
    view.zoom, view.center = fitting, (0.0, middle[-2] + 10, middle[-1])
    assert not sees_all(viewer, layer)
    view.zoom = 0.3 * fitting
    assert sees_all(viewer, layer)
