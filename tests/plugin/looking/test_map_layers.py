"""Gene maps as layer data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_c2lst.plugin.looking.map_layers import IMAGE_KEY, LEFT_KEY, SPOTS_KEY, image_map, spot_names, spots_map
from napari_c2lst.plugin.looking.shown import Surfaces, at_places, legend
from napari_c2lst.plugin.looking.values import MapValues
from napari_c2lst.slides.slide import Slide


def test_spots_lie_where_they_are_in_their_colours(slide: Slide, both: MapValues) -> None:
    gene = both.predicted.genes[0]
    numbers = at_places(both, gene, "predicted")
    data, options, kind = spots_map(slide, both, numbers, legend(both, gene, "predicted"))
    assert kind == "points"
    np.testing.assert_allclose(data, slide.require_spots().yx - 0.5)
    assert options["face_color"].shape == (63, 4)
    assert options["features"]["spot"] == spot_names(slide, both) == [str(name) for name in slide.require_spots().ids]
    np.testing.assert_allclose(options["features"]["value"], numbers, atol=5e-4)
    assert options["scale"] == (slide.mpp, slide.mpp)
    assert options["units"] == ("um", "um")


def test_names_of_spots_are_worked_out_once_for_each_prediction(slide: Slide, both: MapValues) -> None:
    assert spot_names(slide, both) is spot_names(slide, both)
    some = replace(both, spot=both.spot[:5])
    assert spot_names(slide, some) == spot_names(slide, both)[:5]


def test_a_layer_says_what_it_shows(slide: Slide, both: MapValues) -> None:
    gene = both.predicted.genes[0]
    numbers = at_places(both, gene, "difference")
    _, options, _ = spots_map(slide, both, numbers, legend(both, gene, "difference"), LEFT_KEY)
    about = options["metadata"]["c2lst"]
    assert (about["gene"], about["what"], about["prediction"]) == (gene, "predicted − measured", "c2lst_spots_both")
    assert about["key"] == LEFT_KEY
    assert "log(1 + x)" in about["unit"]


def test_an_image_covers_the_squares_of_its_positions(slide: Slide, grid: MapValues) -> None:
    gene, surfaces = grid.predicted.genes[0], Surfaces(grid, "squares")
    image = surfaces.image(gene, "predicted")
    data, options, kind = image_map(slide, grid, surfaces.own, image, legend(grid, gene, "predicted"))
    assert kind == "image"
    assert data is image
    assert options["scale"] == pytest.approx((100.0, 100.0))
    # the centre of pixel (0, 0) is the first position; napari counts from the centre of the first level-0 pixel
    assert options["translate"] == pytest.approx(tuple((grid.yx.min(axis=0) - 0.5) * slide.mpp))
    assert options["contrast_limits"] == grid.limits(gene)
    assert options["metadata"]["c2lst"]["key"] == IMAGE_KEY != SPOTS_KEY
