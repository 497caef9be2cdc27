from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.colormaps import Colormap, ensure_colormap

from napari_c2lst.plugin.layer_stack import LayerStack


@pytest.fixture
def stack() -> LayerStack:
    return LayerStack(ViewerModel())


def image(value: float = 0.0, shape: tuple[int, ...] = (4, 5), **options: Any) -> tuple[Any, dict[str, Any], str]:
    return np.full(shape, value, np.float32), {"metadata": {"c2lst": {"slide": "P12"}}, **options}, "image"


def points(n: int = 3, **options: Any) -> tuple[Any, dict[str, Any], str]:
    return np.arange(2 * n, dtype=float).reshape(n, 2), {"metadata": {"c2lst": {}}, **options}, "points"


def keys(stack: LayerStack) -> list[str]:
    return [key for key, _ in stack.ours()]


def test_layers_come_in_their_order_whatever_came_first(stack: LayerStack) -> None:
    for key in ("chosen", "map_image", "spots", "image", "sets", "bins"):
        stack.add_or_update(points() if key in ("spots", "chosen", "sets") else image(), key)
    assert keys(stack) == ["image", "bins", "spots", "map_image", "sets", "chosen"]


def test_an_update_takes_the_data_and_leaves_what_the_user_set(stack: LayerStack) -> None:
    layer = stack.add_or_update(image(1.0, opacity=1.0, colormap="viridis", name="Map"), "map")
    layer.opacity, layer.visible = 0.3, False
    again = stack.add_or_update(image(2.0, opacity=1.0, colormap="magma", name="Map"), "map")
    assert again is layer
    assert layer.data[0, 0] == 2
    assert (layer.opacity, layer.visible, layer.colormap.name) == (0.3, False, "magma")
    assert layer.metadata["c2lst"] == {"slide": "P12", "key": "map"}
    assert len(stack.viewer.layers) == 1


def test_another_kind_of_layer_takes_the_same_place(stack: LayerStack) -> None:
    stack.add_or_update(image(), "image")
    first = stack.add_or_update(image(), "map")
    stack.add_or_update(points(), "chosen")
    second = stack.add_or_update(points(), "map")
    assert second is not first
    assert keys(stack) == ["image", "map", "chosen"]
    third = stack.add_or_update(image(0.0, (4, 5, 3), rgb=True), "map")
    assert third.rgb
    assert keys(stack) == ["image", "map", "chosen"]


def test_more_points_and_other_features_in_place(stack: LayerStack) -> None:
    layer = stack.add_or_update(points(3, features={"a": [1, 2, 3]}), "spots")
    assert stack.add_or_update(points(5, features={"a": range(5)}), "spots") is layer
    assert list(layer.features["a"]) == list(range(5))


def test_a_layer_the_user_deleted_is_made_again(stack: LayerStack) -> None:
    layer = stack.add_or_update(image(), "map")
    stack.viewer.layers.remove(layer)
    assert stack.layer("map") is None
    assert stack.add_or_update(image(), "map") is not layer
    assert keys(stack) == ["map"]


def test_layers_of_others_are_left_alone(stack: LayerStack) -> None:
    theirs = stack.viewer.add_image(np.zeros((3, 3)), name="map")
    stack.add_or_update(image(), "map")
    stack.remove("map")
    stack.remove("map")  # gone already
    stack.clear()
    assert list(stack.viewer.layers) == [theirs]


def test_a_new_layer_does_not_take_the_tool_out_of_the_users_hand(stack: LayerStack) -> None:
    drawing = stack.viewer.add_shapes(name="lasso")
    stack.viewer.layers.selection = {drawing}
    stack.add_or_update(image(), "map")
    assert stack.viewer.layers.selection.active is drawing


def coloured(value: float, n: int = 3) -> tuple[Any, dict[str, Any], str]:
    return points(n, face_color=np.full((n, 4), value), symbol="disc")


def test_other_colours_are_told_and_so_drawn_once(stack: LayerStack) -> None:
    layer = stack.add_or_update(coloured(0.2), "map_spots")
    told: list[str] = []
    layer.events.face_color.connect(lambda event: told.append("layer"))
    layer._face.events.colors.connect(lambda event: told.append("colours"))
    stack.add_or_update(coloured(0.7), "map_spots")
    assert len(told) == 1
    np.testing.assert_allclose(layer.face_color, 0.7)
    stack.add_or_update(coloured(0.7), "map_spots")
    assert len(told) == 1


def test_a_symbol_that_is_there_is_not_set_again_and_another_is(stack: LayerStack) -> None:
    layer = stack.add_or_update(coloured(0.2), "map_spots")
    told: list[Any] = []
    layer.events.symbol.connect(told.append)
    stack.add_or_update(coloured(0.2), "map_spots")
    assert told == []
    layer.symbol = ["disc", "square", "disc"]
    told.clear()
    stack.add_or_update(coloured(0.2), "map_spots")
    assert len(told) == 1
    assert {str(each) for each in layer.symbol} == {"disc"}


def test_points_can_go_and_come(stack: LayerStack) -> None:
    layer = stack.add_or_update(coloured(0.2), "map_spots")
    stack.add_or_update(coloured(0.2, 0), "map_spots")
    assert stack.add_or_update(coloured(0.4, 5), "map_spots") is layer
    np.testing.assert_allclose(layer.face_color, np.full((5, 4), 0.4))


def test_features_take_new_values_in_the_table_that_is_there(stack: LayerStack) -> None:
    layer = stack.add_or_update(points(3, features={"spot": ["a", "b", "c"], "value": [1.0, 2.0, 3.0]}), "map_spots")
    layer.text = "{value}"
    table, told = layer.features, []
    layer.events.features.connect(told.append)
    stack.add_or_update(points(3, features={"spot": ["a", "b", "c"], "value": [4.0, 5.5, 6.0]}), "map_spots")
    assert layer.features is table
    assert list(table["value"]) == [4.0, 5.5, 6.0]
    assert list(layer.text.values) == ["4.0", "5.5", "6.0"]
    assert len(told) == 1


@pytest.mark.parametrize(
    "features",
    [
        {"value": [1.0, 2.0, 3.0]},
        {"spot": [1, 2, 3], "value": [1.0, 2.0, 3.0]},
        {"spot": list("abcd"), "value": 4 * [1]},
    ],
)
def test_features_that_do_not_fit_the_table_make_another(stack: LayerStack, features: dict[str, Any]) -> None:
    first = {"spot": ["a", "b", "c"], "value": [1.0, 2.0, 3.0]}
    layer = stack.add_or_update(points(3, features=first), "map_spots")
    stack.add_or_update(points(len(features["value"]), features=features), "map_spots")
    assert {name: list(layer.features[name]) for name in layer.features} == features


def test_a_colormap_is_set_only_when_it_is_another_one(stack: LayerStack) -> None:
    layer = stack.add_or_update(image(colormap="viridis"), "map")
    told: list[Any] = []
    layer.events.colormap.connect(told.append)
    stack.add_or_update(image(1.0, colormap="viridis"), "map")
    stack.add_or_update(image(1.0, colormap=ensure_colormap("viridis")), "map")
    assert told == []
    stack.add_or_update(image(1.0, colormap="magma"), "map")
    assert [layer.colormap.name, len(told)] == ["magma", 1]
    own = Colormap([[0, 0, 0, 1], [1, 0, 0, 1]], name="own")
    stack.add_or_update(image(1.0, colormap=own), "map")
    assert [layer.colormap.name, len(told)] == ["own", 2]


def test_a_listener_that_fails_at_a_selection_does_not_end_our_work_half_way(stack: LayerStack) -> None:
    def fail(_event: object) -> None:
        raise AttributeError("theirs")

    stack.add_or_update(image(), "image")
    changed = stack.viewer.layers.selection.events.changed
    changed.connect(fail)
    spots = stack.add_or_update(points(), "spots")
    stack.add_or_update(points(), "chosen")
    stack.select(spots)
    assert stack.viewer.layers.selection.active is spots
    stack.remove("spots")
    stack.clear()
    assert len(stack.viewer.layers) == 0
    with pytest.raises(AttributeError):  # what others do is theirs
        stack.viewer.add_image(np.zeros((4, 5)))


def test_each_layer_of_ours_has_a_table_if_an_empty_one(stack: LayerStack) -> None:
    assert stack.add_or_update(image(), "map").metadata["adata"].shape == (1, 0)
    given = points(metadata={"c2lst": {}, "adata": "its own"})
    assert stack.add_or_update(given, "spots").metadata["adata"] == "its own"


def test_layers_by_what_their_metadata_have_and_one_to_draw_on(stack: LayerStack) -> None:
    drawing = stack.add_drawing({"name": "annotations"})
    drawing.metadata.update(sdata="a SpatialData", name=None)
    stack.add_or_update(image(), "image")
    assert stack.with_metadata("sdata") == [drawing]
    assert stack.with_metadata("name") == []
    stack.discard(drawing)
    assert keys(stack) == ["image"]
