from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest

from napari_c2lst.plugin.layers.placing import (
    Opened,
    about_layer,
    affine_of_raster,
    from_world,
    mend_units,
    opened_of,
    placed,
    to_world,
)
from napari_c2lst.slides.slide import Slide

MakeSlide = Callable[..., Slide]


class Layer:
    def __init__(self, metadata: object) -> None:
        self.metadata = metadata


def test_places_go_there_and_back(make_slide: MakeSlide) -> None:
    slide = make_slide()
    yx = np.array([[0.0, 0.0], [10.5, 20.0]])
    assert np.allclose(to_world(slide, yx), [[-0.25, -0.25], [5.0, 9.75]])
    assert np.allclose(from_world(slide, to_world(slide, yx)), yx)


def test_without_microns_the_world_is_in_pixels(make_slide: MakeSlide) -> None:
    slide = make_slide(microns=None)
    assert np.allclose(to_world(slide, np.array([10.5, 20.5])), [10, 20])
    assert placed(slide)["units"] == ("pixel", "pixel")


def test_a_turned_raster_lies_on_its_pixels(make_slide: MakeSlide) -> None:
    slide = make_slide()
    matrix, offset = np.array([[14.0, 3.0], [-3.0, 14.0]]), np.array([100.0, 50.0])
    affine = affine_of_raster(slide, matrix, offset)
    for row, column in ((0, 0), (3, 5)):
        world = affine @ np.array([row * 0.5, column * 0.5, 1])  # napari: scale first, then the affine
        assert np.allclose(world[:2], to_world(slide, np.array([row, column]) @ matrix.T + offset))


def test_a_copied_layer_keeps_the_one_slide(make_slide: MakeSlide) -> None:
    opened = Opened(make_slide())
    metadata = placed(opened.slide, "spots", opened)["metadata"]
    assert opened_of(Layer(copy.deepcopy(metadata))) is opened
    assert about_layer(Layer(metadata))["key"] == "spots"


@pytest.mark.parametrize("metadata", [None, {}, {"c2lst": None}, {"c2lst": {"key": "x"}}, {"c2lst": {"opened": 3}}])
def test_other_layers_have_no_slide(metadata: object) -> None:
    assert opened_of(Layer(metadata)) is None


def test_layers_that_others_made_in_our_coordinates_get_their_units() -> None:
    from napari.layers import Image

    in_microns = {"_current_cs": "c2lst_microns"}
    theirs = Image(np.zeros((2, 4, 5)), metadata=in_microns)
    mend_units(theirs)
    assert [str(unit) for unit in theirs.units] == ["pixel", "micrometer", "micrometer"]
    for metadata in ({}, {"_current_cs": "global"}, {**in_microns, "c2lst": {"key": "map"}}):
        other = Image(np.zeros((4, 5)), metadata=metadata)
        mend_units(other)
        assert [str(unit) for unit in other.units] == ["pixel", "pixel"]
