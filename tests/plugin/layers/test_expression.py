from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.layers import Points

from napari_c2lst.plugin.layers.expression import (
    SpotRaster,
    bins_layer,
    limits_of,
    paint_spots,
    plain_spots,
    raster_of_spots,
)
from napari_c2lst.plugin.layers.placing import Opened
from napari_c2lst.plugin.layers.slide_layers import spots_layer
from napari_c2lst.slides.genes.columns import GeneColumns
from napari_c2lst.slides.readers.bins import BinRaster
from napari_c2lst.slides.slide import Slide, Spots

MakeSlide = Callable[..., Slide]


def test_limits_leave_one_odd_spot_aside() -> None:
    values = np.concatenate([np.zeros(100), np.linspace(1, 2, 999), [50.0]]).astype(np.float32)
    (low, high), (least, most) = limits_of(values)
    assert (low, least, most) == (0, 0, 50)
    assert 1.9 < high < 2.1


def test_limits_of_values_that_do_not_begin_at_nothing() -> None:
    (low, high), _ = limits_of(np.linspace(-5, 5, 1001, dtype=np.float32))
    assert -5 < low < -4.8
    assert 4.8 < high <= 5


@pytest.mark.parametrize("values", [[0, 0, 0], [3, 3], [], [np.nan, np.nan], [0, 0, 7]])
def test_limits_are_never_empty(values: list[float]) -> None:
    (low, high), (least, most) = limits_of(np.array(values, dtype=np.float32))
    assert low < high
    assert least <= low
    assert most >= high or least == 3


def points(slide: Slide) -> Points:
    data, options, _ = spots_layer(slide)
    return Points(data, **options)


def test_spots_are_coloured_through_naparis_own_mapping(make_slide: MakeSlide) -> None:
    layer = points(make_slide())
    paint_spots(layer, np.array([0.0, 1.0, 2.0], np.float32), "ERBB2", (0.0, 2.0), "viridis", 0.8)
    assert layer.face_color_mode == "colormap"
    assert layer.opacity == 0.8
    assert list(layer.features["value"]) == [0, 1, 2]
    assert list(layer.features["spot"]) == ["a", "b", "c"]
    before = layer.face_color.copy()
    layer.face_contrast_limits = (0.0, 4.0)
    layer.refresh_colors()
    assert not np.allclose(layer.face_color, before)


def test_another_gene_is_drawn_at_once_and_only_once(make_slide: MakeSlide) -> None:
    layer = points(make_slide())
    paint_spots(layer, np.array([0.0, 1.0, 2.0], np.float32), "A", (0.0, 2.0), "viridis", 0.8)
    before, drawn = layer.face_color.copy(), []
    layer._face.events.color_properties.connect(lambda _event: drawn.append(1))
    paint_spots(layer, np.array([5.0, 0.0, 0.0], np.float32), "B", (0.0, 5.0), "viridis", 0.8)
    assert np.allclose(layer.face_color[0], before[2])  # the highest of one gene has the colour of the other's
    assert np.allclose(layer.face_color[1], before[0])
    assert layer.face_contrast_limits == (0, 5)
    assert drawn == [1]
    assert layer.metadata["c2lst"]["shows"] == "B"


def test_what_the_user_set_stays_with_the_next_gene(make_slide: MakeSlide) -> None:
    layer = points(make_slide())
    paint_spots(layer, np.array([0.0, 1.0, 2.0], np.float32), "A", (0.0, 2.0), "viridis", 0.8)
    layer.opacity, layer.face_colormap = 0.3, "magma"
    paint_spots(layer, np.array([2.0, 1.0, 2.0], np.float32), "B", (0.0, 2.0), "viridis", 0.8)
    assert layer.opacity == 0.3
    assert layer.face_colormap.name == "magma"


def test_without_a_gene_spots_are_rings(make_slide: MakeSlide) -> None:
    layer = points(make_slide())
    paint_spots(layer, np.array([0.0, 1.0, 2.0], np.float32), "A", (0.0, 2.0), "viridis", 0.8)
    plain_spots(layer, thin=False)
    assert (layer.face_color[:, 3] == 0).all()
    assert (layer.border_width > 0).all()
    layer.border_color = "red"
    plain_spots(layer, thin=False)
    assert np.allclose(layer.border_color[0], [1, 0, 0, 1])  # they are rings already: nothing is drawn anew
    plain_spots(layer, thin=True)
    assert layer.opacity < 0.5


def on_array(make_slide: MakeSlide, turned: bool = True) -> Slide:
    rc = np.array([(r, c) for r in range(4, 14) for c in range(2, 12)])
    angle = 0.1 if turned else 0.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    yx = rc @ (12 * turn).T + 60
    ids = np.array([f"{r}x{c}" for r, c in rc])
    return make_slide(spots=Spots(ids, yx, 6.0, rc))


def test_very_many_spots_are_pixels_of_their_array(make_slide: MakeSlide) -> None:
    slide = on_array(make_slide)
    values = np.arange(100, dtype=np.float32)
    image, options, kind = raster_of_spots(slide, values, (0.0, 99.0), "viridis", 0.8)
    assert kind == "image"
    assert np.array_equal(image, values.reshape(10, 10))
    assert slide.spots is not None
    world = options["affine"] @ np.array([3 * 0.5, 7 * 0.5, 1])
    assert np.allclose(world[:2], (slide.spots.yx[37] - 0.5) * 0.5)


def test_very_many_spots_without_an_array_lie_within_half_their_distance(make_slide: MakeSlide) -> None:
    rng = np.random.default_rng(0)
    yx = np.array([(y, x) for y in range(20, 380, 10) for x in range(20, 580, 10)]) + rng.uniform(-1, 1, (2016, 2))
    slide = make_slide(spots=Spots(np.array([str(i) for i in range(len(yx))]), yx, 4.0))
    raster = SpotRaster.of(slide)
    image = raster.image(yx[:, 1].astype(np.float32))
    rows, columns = np.nonzero(np.isfinite(image))
    x = (np.stack([rows, columns], axis=1) @ raster.matrix.T + raster.offset)[:, 1]
    assert np.abs(image[rows, columns] - x).max() < 6


def test_without_values_very_many_spots_have_one_colour(make_slide: MakeSlide) -> None:
    image, options, _ = raster_of_spots(on_array(make_slide), None, (3.0, 4.0), "viridis", 0.8)
    assert np.unique(image).tolist() == [1.0]
    assert options["contrast_limits"] == (0.0, 2.0)


def test_bins_say_their_size_and_keep_their_units(make_slide: MakeSlide) -> None:
    bins = BinRaster(GeneColumns([], 4, []), (2, 2), np.arange(4), np.eye(2) * 16, np.zeros(2), 8.0)
    image = np.zeros((2, 2), np.float32)
    _, options, _ = bins_layer(make_slide(), bins, image, (0.0, 1.0), "magma", 0.7)
    assert options["name"] == "P12 bins of 8 um"
    assert (options["units"], options["scale"]) == (("um", "um"), (0.5, 0.5))
    assert options["metadata"]["c2lst"]["key"] == "bins"


def test_features_that_another_plugin_took_away_come_back(make_slide: MakeSlide) -> None:
    slide = make_slide()
    data, options, _ = spots_layer(slide, Opened(slide))
    layer = Points(data, **options)
    layer.features = {"theirs": np.arange(len(layer.data))}
    paint_spots(layer, np.array([0.0, 1.0, 2.0], np.float32), "ERBB2", (0.0, 2.0), "viridis", 0.8)
    assert layer.features["spot"].tolist() == [str(name) for name in slide.require_spots().ids]
    assert layer.features["value"].tolist() == [0.0, 1.0, 2.0]
    assert str(layer.face_color_mode) == "colormap"


def test_spots_on_each_other_share_a_pixel_and_its_mean(make_slide: MakeSlide) -> None:
    yx = np.array([[10.0, 10.0], [10.0, 10.0], [50.0, 10.0], [50.0, 10.0]])
    slide = make_slide(spots=Spots(np.array(list("abcd")), yx, 20.0))
    image = SpotRaster.of(slide).image(np.array([1, 3, 5, 7], np.float32))
    assert sorted(image[np.isfinite(image)]) == [2, 6]


def test_an_array_that_does_not_fit_its_spots_is_passed_over(make_slide: MakeSlide) -> None:
    rng = np.random.default_rng(0)
    rc = np.array([(r, c) for r in range(10) for c in range(10)])
    yx = rng.uniform(0, 400, (100, 2))  # nothing of the array is in it
    slide = make_slide(spots=Spots(np.array([str(i) for i in range(100)]), yx, 6.0, rc))
    raster = SpotRaster.of(slide)
    there = np.stack(np.nonzero(np.isfinite(raster.image(np.ones(100, np.float32)))), axis=1)
    placed = there @ raster.matrix.T + raster.offset
    nearest = np.linalg.norm(yx[:, None] - placed[None], axis=2).min(axis=1)
    assert nearest.max() <= raster.matrix[0, 0]


def test_the_raster_is_made_once_for_a_slide(make_slide: MakeSlide) -> None:
    one, other = on_array(make_slide), on_array(make_slide)
    assert SpotRaster.of(one) is SpotRaster.of(one)
    assert SpotRaster.of(other) is not SpotRaster.of(one)


def test_a_gene_that_was_not_measured_at_a_spot_leaves_it_blank(make_slide: MakeSlide) -> None:
    values = np.arange(100, dtype=np.float32)
    values[37] = np.nan
    image = SpotRaster.of(on_array(make_slide)).image(values)
    assert np.isnan(image[3, 7])
    assert np.isfinite(image).sum() == 99
