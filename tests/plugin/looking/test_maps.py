"""Maps reach the layers, in place, and leave the viewer as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.looking.map_layers import IMAGE_KEY, LEFT_KEY, SPOTS_KEY
from napari_c2lst.plugin.looking.maps import Maps, Prepared, draw, prepare
from napari_c2lst.plugin.looking.predictions import Prediction
from napari_c2lst.plugin.session import Session
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.slides.slide import Slide


@pytest.fixture
def maps(viewer: ViewerModel, session: Session, slide: Slide) -> Maps:
    session.open(slide)
    return Maps(shared_of(viewer).canvas)


@pytest.fixture
def spots(slide: Slide, predictions: dict[str, Prediction]) -> Prepared:
    return prepare(slide, predictions["both on spots"], "spots")


@pytest.fixture
def smooth(slide: Slide, predictions: dict[str, Prediction], spots: Prepared) -> Prepared:
    return prepare(slide, predictions["both on spots"], "smooth", spots.values)


def test_numbers_in_memory_are_used_again(spots: Prepared, smooth: Prepared) -> None:
    assert smooth.values is spots.values
    assert spots.surfaces is None
    assert smooth.surfaces is not None


def test_a_divider_can_stand_anywhere_over_the_map(spots: Prepared) -> None:
    low, high = spots.x_range_px
    x = spots.values.yx[:, 1]
    assert low < x.min() < x.max() < high


def test_another_gene_keeps_the_layer(maps: Maps, spots: Prepared) -> None:
    first, second = spots.values.predicted.genes[:2]
    maps.draw(spots, first, "measured", 0.0)
    layer = maps.canvas.layer(SPOTS_KEY)
    before = layer.face_color.copy()
    said = maps.draw(spots, second, "measured", 0.0)
    assert maps.canvas.layer(SPOTS_KEY) is layer
    assert said.gene == layer.metadata["c2lst"]["gene"] == second
    assert not np.allclose(layer.face_color, before)


def test_another_gene_of_an_image_keeps_the_layer(maps: Maps, smooth: Prepared) -> None:
    first, second = smooth.values.predicted.genes[:2]
    maps.draw(smooth, first, "predicted", 0.0)
    layer = maps.canvas.layer(IMAGE_KEY)
    said = maps.draw(smooth, second, "difference", 0.0)
    assert maps.canvas.layer(IMAGE_KEY) is layer
    assert tuple(layer.contrast_limits) == pytest.approx(said.limits)
    assert smooth.surfaces is not None
    np.testing.assert_allclose(layer.data, smooth.surfaces.image(second, "difference"), equal_nan=True)


def test_the_slides_own_spots_are_hidden_meanwhile(maps: Maps, spots: Prepared) -> None:
    maps.draw(spots, spots.values.predicted.genes[0], "predicted", 0.0)
    assert not maps.canvas.layer("spots").visible
    maps.clear()
    assert maps.canvas.layer("spots").visible
    assert maps.canvas.layer(SPOTS_KEY) is None


def test_spots_that_the_user_shows_again_stay(maps: Maps, spots: Prepared) -> None:
    genes = spots.values.predicted.genes
    maps.draw(spots, genes[0], "predicted", 0.0)
    maps.canvas.layer("spots").visible = True
    maps.draw(spots, genes[1], "predicted", 0.0)
    assert maps.canvas.layer("spots").visible


def test_a_map_is_one_layer_whatever_its_form(maps: Maps, spots: Prepared, smooth: Prepared) -> None:
    gene = spots.values.predicted.genes[0]
    maps.draw(spots, gene, "predicted", 0.0)
    maps.draw(smooth, gene, "predicted", 0.0)
    assert maps.canvas.layer(SPOTS_KEY) is None
    assert maps.canvas.layer(IMAGE_KEY) is not None


def test_side_by_side_shows_both_and_goes_without_a_trace(maps: Maps, spots: Prepared, viewer: ViewerModel) -> None:
    gene = spots.values.predicted.genes[0]
    before = [layer.name for layer in viewer.layers]
    maps.draw(spots, gene, "beside", 0.0)
    left, right = maps.canvas.layer(LEFT_KEY), maps.canvas.layer(SPOTS_KEY)
    assert viewer.grid.enabled
    assert left.metadata["c2lst"]["key"] == LEFT_KEY
    np.testing.assert_allclose(left.features["value"], spots.values.measured_here(gene), atol=5e-4)
    np.testing.assert_allclose(right.features["value"], spots.values.predicted.column(gene), atol=5e-4)
    # each over a picture of its own
    positions = {layer.name: viewer.grid.position(i, viewer.layers) for i, layer in enumerate(viewer.layers)}
    assert positions[left.name] == positions[maps.canvas.layer("image").name]
    assert positions[right.name] != positions[left.name]
    maps.clear()
    assert not viewer.grid.enabled
    assert [layer.name for layer in viewer.layers] == before


def test_another_gene_side_by_side_keeps_both_layers(maps: Maps, spots: Prepared) -> None:
    first, second = spots.values.predicted.genes[:2]
    maps.draw(spots, first, "beside", 0.0)
    layers = [maps.canvas.layer(key) for key in (LEFT_KEY, SPOTS_KEY)]
    maps.draw(spots, second, "beside", 0.0)
    assert [maps.canvas.layer(key) for key in (LEFT_KEY, SPOTS_KEY)] == layers


def test_a_deleted_layer_comes_back_on_demand(maps: Maps, spots: Prepared, viewer: ViewerModel) -> None:
    gene = spots.values.predicted.genes[0]
    draw(maps.canvas, spots, gene, "predicted")
    viewer.layers.remove(maps.canvas.layer(SPOTS_KEY))
    draw(maps.canvas, spots, gene, "predicted")
    assert maps.canvas.layer(SPOTS_KEY) is not None


def test_nothing_on_the_disk_changes(maps: Maps, spots: Prepared, results_once: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in results_once.rglob("*")}
    maps.draw(spots, spots.values.predicted.genes[0], "beside", 0.0)
    assert {path: path.stat().st_mtime_ns for path in results_once.rglob("*")} == before


def test_bins_on_another_scale_are_hidden_as_well(maps: Maps, spots: Prepared, viewer: ViewerModel) -> None:
    options = {"name": "bins", "metadata": {"c2lst": {"key": "bins"}}}
    maps.canvas.add_or_update((np.zeros((4, 4), np.float32), options, "image"), "bins")
    genes = spots.values.predicted.genes
    maps.draw(spots, genes[0], "predicted", 0.0)
    bins = maps.canvas.layer("bins")
    assert not bins.visible
    bins.visible = True  # the user wants them
    maps.draw(spots, genes[1], "predicted", 0.0)
    assert bins.visible
    maps.clear()
    assert bins.visible
    assert maps.canvas.layer("spots").visible


def test_spots_that_the_user_had_hidden_stay_hidden(maps: Maps, spots: Prepared) -> None:
    maps.canvas.layer("spots").visible = False
    maps.draw(spots, spots.values.predicted.genes[0], "predicted", 0.0)
    maps.clear()
    assert not maps.canvas.layer("spots").visible


def test_spots_made_anew_under_a_map_are_hidden(maps: Maps, spots: Prepared, viewer: ViewerModel) -> None:
    genes = spots.values.predicted.genes
    maps.draw(spots, genes[0], "predicted", 0.0)
    viewer.layers.remove(maps.canvas.layer("spots"))
    maps.canvas.colouring.repaint()
    maps.draw(spots, genes[1], "predicted", 0.0)
    assert not maps.canvas.layer("spots").visible
    maps.clear()
    assert maps.canvas.layer("spots").visible


@pytest.mark.parametrize("deleted", [LEFT_KEY, SPOTS_KEY])
def test_a_map_deleted_beside_another_comes_back_in_its_own_view(
    maps: Maps, spots: Prepared, viewer: ViewerModel, deleted: str
) -> None:
    genes = spots.values.predicted.genes
    maps.draw(spots, genes[0], "beside", 0.0)
    viewer.layers.remove(maps.canvas.layer(deleted))
    maps.draw(spots, genes[1], "beside", 0.0)
    place = {layer: viewer.grid.position(i, viewer.layers) for i, layer in enumerate(viewer.layers)}
    left, right = maps.canvas.layer(LEFT_KEY), maps.canvas.layer(SPOTS_KEY)
    assert place[left] == place[maps.canvas.layer("image")] != place[right]
    maps.clear()
    assert not viewer.grid.enabled
    assert [layer for layer in viewer.layers if layer.name.startswith("Gene map")] == []


def test_clearing_without_a_map_changes_nothing(maps: Maps, viewer: ViewerModel) -> None:
    before = [(layer.name, layer.visible) for layer in viewer.layers]
    maps.clear()
    maps.clear()
    assert [(layer.name, layer.visible) for layer in viewer.layers] == before
