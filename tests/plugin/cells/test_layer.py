"""The raster as a layer of napari."""

from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.cells.layer import cells_layer, hover_words, layer_colours
from napari_c2lst.plugin.cells.raster import CellRaster
from napari_c2lst.plugin.cells.stored import CellResult, read_columns
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Microns, Slide


@pytest.fixture
def raster(result: CellResult) -> CellRaster:
    columns = read_columns(result)
    return CellRaster(columns, (300, 400), columns.area_um2 / 2.5**2)


def test_every_number_has_its_own_colour_in_napari(raster: CellRaster) -> None:
    palette, shown = [(10 * i, 20, 30) for i in range(5)], np.ones(5, bool)
    colours = raster.codes.colours(palette, shown, "outline")
    mapped = layer_colours(raster, palette, shown, "outline").map(np.arange(len(colours), dtype=raster.codes.dtype))
    np.testing.assert_allclose(mapped, colours, atol=1e-6)


def test_it_lies_on_the_slide(raster: CellRaster, result: CellResult, viewer: ViewerModel) -> None:
    slide = open_slide(result.store)
    colormap = layer_colours(raster, [(0, 0, 0)] * 5, np.ones(5, bool), "outline")
    data, options, kind = cells_layer(slide, raster, "cells", colormap)
    assert kind == "labels"
    layer = viewer.add_labels(data, **options)
    place = raster.columns.yx[100]
    world = (place - 0.5) * slide.microns.value  # type: ignore[union-attr]
    row, column = np.rint(np.asarray(layer.world_to_data(world))).astype(int)
    kind_there = raster.columns.kind[100]
    assert raster.levels[0][row, column] == raster.codes.fill[kind_there]
    np.testing.assert_allclose([row, column], place * raster.zoom, atol=1)


def test_what_the_status_bar_says(raster: CellRaster) -> None:
    words = hover_words(raster)
    said = dict(zip(words["index"], words["type"], strict=True))
    assert said[int(raster.codes.outline[1])] == "inflammatory"
    assert said[int(raster.codes.density[1, 0])] == "mostly inflammatory"
    assert said[int(raster.codes.solid[1])] == "inflammatory"
    assert len(said) == len(words["index"])


@pytest.mark.parametrize("mpp", [0.25, 2.0])
def test_its_scale_is_that_of_the_slide(raster: CellRaster, make_slide: Callable[..., Slide], mpp: float) -> None:
    slide = make_slide(Microns(mpp, "given", "a test"))
    _, options, _ = cells_layer(slide, raster, "cells", None)
    assert options["scale"] == (mpp / raster.zoom,) * 2
    # its corner is the slide's corner: half a pixel of the level is half a pixel of the slide less
    assert options["translate"][0] - options["scale"][0] / 2 == pytest.approx(-mpp / 2)
    assert options["multiscale"]
    assert not options["cache"]  # napari would keep what is drawn anew


def test_hidden_types_are_not_seen_in_napari(raster: CellRaster) -> None:
    palette = [(10 * i, 20, 30) for i in range(5)]
    shown = np.array([True, False, True, True, True])
    colormap = layer_colours(raster, palette, shown, "filled")
    numbers = np.concatenate([raster.codes.density[1], [raster.codes.fill[1], raster.codes.outline[1]]])
    assert (colormap.map(numbers.astype(raster.codes.dtype))[:, 3] == 0).all()
    assert colormap.map(np.array([raster.codes.picked], raster.codes.dtype))[0].tolist() == [1, 1, 1, 1]
