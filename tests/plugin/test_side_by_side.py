from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.layer_stack import LayerStack
from napari_c2lst.plugin.side_by_side import SideBySide


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
