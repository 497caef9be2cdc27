from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari.layers import Points

from napari_c2lst.plugin.layers.choices import HELD_OUT_COLOUR, SET_COLOURS, choice_layer, rgba_of, sets_layer
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet

MakeSlide = Callable[..., Slide]
IDS = np.array(["a", "b", "c"])


def a_set(name: str, *chosen: bool, left_out: tuple[bool, ...] | None = None) -> SpotSet:
    return SpotSet.of(name, IDS, np.array(chosen), {}, None if left_out is None else np.array(left_out))


def layer_of(data: tuple[object, dict[str, object], str]) -> Points:
    return Points(data[0], **data[1])


def test_only_chosen_spots_are_ringed(make_slide: MakeSlide) -> None:
    layer = layer_of(choice_layer(make_slide(), np.array([True, False, True])))
    assert np.array_equal(layer.data, make_slide().spots.yx[[0, 2]] - 0.5)
    assert (layer.face_color[:, 3] == 0).all()


def test_sets_have_colours_and_held_out_spots_are_seen_as_such(make_slide: MakeSlide) -> None:
    one = a_set("train", True, False, False, left_out=(False, True, False))
    layer = layer_of(sets_layer(make_slide(), {"train": one}, {"train": "#ff0000"}))
    assert np.allclose(layer.border_color[0], [1, 0, 0, 1])
    assert np.allclose(layer.border_color[1], rgba_of(HELD_OUT_COLOUR), atol=0.01)
    assert [str(each) for each in layer.symbol] == ["disc", "x"]  # colour is not the only sign
    assert list(layer.features["set"]) == ["train", "held out"]  # the left-out spot is neither


def test_of_several_sets_none_is_taken_for_the_held_out_ones(make_slide: MakeSlide) -> None:
    sets = {"x": a_set("x", True, False, False), "y": a_set("y", False, True, False)}
    layer = layer_of(sets_layer(make_slide(), sets, {}))
    assert list(layer.features["set"]) == ["x", "y"]
    assert np.allclose(layer.border_color[0], rgba_of(SET_COLOURS[0]), atol=0.01)
    assert np.allclose(layer.border_color[1], rgba_of(SET_COLOURS[1]), atol=0.01)
    marked = layer_of(sets_layer(make_slide(), sets, {}, "x"))
    assert list(marked.features["set"]) == ["x", "y", "held out"]
