from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.layer_stack import LayerStack
from napari_c2lst.plugin.side_by_side import SideBySide
from napari_c2lst.plugin.viewer_parts import camera


@pytest.fixture
def stack() -> LayerStack:
    made = LayerStack(ViewerModel())
    for key in ("image", "spots", "map_image"):
        data: tuple[Any, dict[str, Any], str] = (np.zeros((4, 5), np.float32), {"name": key}, "image")
        made.add_or_update(data, key)
    return made


def visible(stack: LayerStack) -> list[str]:
    return [key for key, layer in stack.ours() if layer.visible]


def test_two_layers_each_over_the_tissue(stack: LayerStack) -> None:
    stack.layer("spots").visible = False
    pair = SideBySide(stack)
    pair.begin("spots", "map_image")
    grid = stack.viewer.canvas.grid
    assert grid.enabled
    assert tuple(grid.shape) == (1, 2)
    cells = [grid.position(i, list(stack.viewer.layers)) for i in range(4)]
    assert visible(stack) == ["image", "spots", "image_beside", "map_image"]
    assert cells[0] == cells[1] != cells[2] == cells[3]


def test_the_single_view_comes_back_as_it_was(stack: LayerStack) -> None:
    stack.layer("spots").visible = False
    pair = SideBySide(stack)
    pair.begin("spots", "map_image")
    pair.end()
    pair.end()
    assert not stack.viewer.canvas.grid.enabled
    assert [key for key, _ in stack.ours()] == ["image", "spots", "map_image"]
    assert visible(stack) == ["image", "map_image"]


def test_nothing_happens_without_both_layers(stack: LayerStack) -> None:
    SideBySide(stack).begin("spots", "gone")
    assert not stack.viewer.canvas.grid.enabled
    assert len(stack.viewer.layers) == 3


def test_who_saw_the_whole_slide_sees_it_whole_in_each_half_and_again_in_the_end(stack: LayerStack) -> None:
    stack.viewer.reset_view()
    view, pair = camera(stack.viewer), SideBySide(stack)
    before = view.zoom, view.center
    pair.begin("spots", "map_image")
    assert view.zoom < 0.9 * before[0]
    pair.end()
    assert (view.zoom, view.center) == before


def test_who_looks_at_a_place_stays_there(stack: LayerStack) -> None:
    stack.viewer.reset_view()
    view, pair = camera(stack.viewer), SideBySide(stack)
    view.zoom *= 3
    view.center = (0.0, 1.0, 1.0)
    place = view.zoom, view.center
    pair.begin("spots", "map_image")
    assert (view.zoom, view.center) == place
    pair.end()
    assert (view.zoom, view.center) == place


def test_who_moved_while_two_views_were_shown_stays_there_too(stack: LayerStack) -> None:
    stack.viewer.reset_view()
    view, pair = camera(stack.viewer), SideBySide(stack)
    pair.begin("spots", "map_image")
    view.zoom *= 5
    place = view.zoom, view.center
    pair.end()
    assert (view.zoom, view.center) == place
