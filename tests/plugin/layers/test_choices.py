from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.layers import Points

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.layers.choices import HELD_OUT_COLOUR, SET_COLOURS, choice_layer, rgba_of, sets_layer
from napari_c2lst.slides.facts import SlideFacts
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


def test_nothing_chosen_is_a_layer_without_points(make_slide: MakeSlide) -> None:
    layer = layer_of(choice_layer(make_slide(), np.zeros(3, dtype=bool)))
    assert len(layer.data) == 0


def test_a_choice_may_come_as_numbers(make_slide: MakeSlide) -> None:
    layer = layer_of(choice_layer(make_slide(), np.array([0, 1, 0])))
    assert np.array_equal(layer.data, make_slide().spots.yx[[1]] - 0.5)


def test_the_ring_of_a_choice_lies_outside_that_of_a_set(make_slide: MakeSlide) -> None:
    chosen = layer_of(choice_layer(make_slide(), np.ones(3, dtype=bool)))
    ringed = layer_of(sets_layer(make_slide(), {"x": a_set("x", True, True, True)}, {}))
    assert (chosen.size > ringed.size).all()
    assert tuple(chosen.scale) == tuple(ringed.scale) == (0.5, 0.5)


def test_sets_without_a_spot_mark_none(make_slide: MakeSlide) -> None:
    """Two sets whose spots were all taken out again."""
    sets = {"x": a_set("x", False, False, False), "y": a_set("y", False, False, False)}
    assert len(layer_of(sets_layer(make_slide(), sets, {})).data) == 0
    assert len(layer_of(sets_layer(make_slide(), {}, {})).data) == 0


def test_a_spot_of_two_sets_has_the_colour_of_the_later_one(make_slide: MakeSlide) -> None:
    sets = {"x": a_set("x", True, True, False), "y": a_set("y", False, True, False)}
    layer = layer_of(sets_layer(make_slide(), sets, {"x": "#ff0000", "y": "#0000ff"}))
    assert list(layer.features["set"]) == ["x", "y"]
    assert np.allclose(layer.border_color[1], [0, 0, 1, 1])


def test_a_spot_that_one_set_holds_out_and_another_has_is_no_cross(make_slide: MakeSlide) -> None:
    sets = {"x": a_set("x", True, False, False), "y": a_set("y", False, True, False)}
    layer = layer_of(sets_layer(make_slide(), sets, {}, "x"))
    assert [str(each) for each in layer.symbol] == ["disc", "disc", "x"]
    assert layer.size[2] < layer.size[0]
    assert layer.face_color[2, 3] == 1  # napari draws a cross by its face


def test_more_sets_than_colours_and_a_set_that_is_gone(make_slide: MakeSlide) -> None:
    sets = {f"s{i}": a_set(f"s{i}", i == 6, i == 5, False) for i in range(7)}
    layer = layer_of(sets_layer(make_slide(), sets, {}, "a set that was deleted"))
    assert list(layer.features["set"]) == ["s6", "s5"]
    assert np.allclose(layer.border_color[0], rgba_of(SET_COLOURS[0]), atol=0.01)  # the seventh has the first colour


def test_marks_of_bins_are_squares(make_slide: MakeSlide) -> None:
    slide = make_slide(facts=SlideFacts(array="squares", spot_um=112.0))
    layer = layer_of(sets_layer(slide, {"x": a_set("x", True, False, False)}, {}))
    assert [str(each) for each in layer.symbol] == ["square", "x", "x"]


def test_an_image_alone_has_no_spots_to_mark(make_slide: MakeSlide) -> None:
    with pytest.raises(InputError):
        choice_layer(make_slide(spots=None), np.zeros(0, dtype=bool))


def test_colours_of_sets_are_apart_from_each_other_and_from_what_is_not_in_one() -> None:
    colours = np.stack([rgba_of(each)[:3] for each in (*SET_COLOURS, HELD_OUT_COLOUR, "#ffd54a")])
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)[~np.eye(len(colours), dtype=bool)]
    assert apart.min() > 0.2
