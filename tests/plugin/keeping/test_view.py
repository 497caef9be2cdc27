from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.guide.standing import SAVED_VIEW
from napari_c2lst.plugin.keeping.view import SavedView, apply_view, layer_key, read_view, view_of, view_table
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.store.results import write_elements

components = pytest.importorskip("napari.components")


def a_viewer() -> Any:
    viewer = components.ViewerModel()
    ours = {"c2lst": {"key": "map_image", "prediction": "c2lst_grid_both", "gene": "FASN", "what": "predicted"}}
    viewer.add_image(np.zeros((9, 9)), name="map", metadata=ours, colormap="magma", opacity=0.4, visible=False)
    viewer.add_image(np.zeros((9, 9)), name="somebody else's")
    viewer.add_points(np.zeros((2, 2)), name="spots", metadata={"c2lst": {"key": "spots"}}, blending="additive")
    viewer.camera.center, viewer.camera.zoom = (0, 5, 7), 3.0
    return viewer


def test_what_a_user_set_by_hand_comes_back() -> None:
    viewer = a_viewer()
    view = view_of(viewer, "FASN", ("a", "b"))
    assert [looks["key"] for looks in view.layers] == ["map_image", "spots"]
    assert view.layers[0]["prediction"] == "c2lst_grid_both"
    fresh = a_viewer()
    for layer in fresh.layers:
        layer.visible, layer.opacity, layer.blending = True, 1.0, "opaque"
    fresh.layers["map"].colormap = "gray"
    fresh.camera.center, fresh.camera.zoom = (0, 0, 0), 1.0
    apply_view(fresh, view)
    image, other, points = fresh.layers
    assert (image.visible, image.opacity, image.colormap.name) == (False, 0.4, "magma")
    assert points.blending == "additive"
    assert (other.opacity, other.blending) == (1.0, "opaque")  # not ours, not touched
    assert fresh.camera.center == (0, 5, 7)
    assert fresh.camera.zoom == 3.0


def test_a_store_keeps_it(store: Path) -> None:
    view = view_of(a_viewer(), "FASN", ("a",))
    write_elements(open_slide(store), tables={SAVED_VIEW: view_table(view)})
    assert read_view(open_slide(store)) == view


def test_an_empty_view_is_one(store: Path) -> None:
    write_elements(open_slide(store), tables={SAVED_VIEW: view_table(SavedView())})
    assert read_view(open_slide(store)) == SavedView()


@pytest.mark.parametrize("body", [{}, {"version": 9, "view": "{}"}, {"version": 1, "view": "["}, {"version": 1}, None])
def test_a_damaged_view_is_no_error(body: Any) -> None:
    slide = SimpleNamespace(sdata=SimpleNamespace(tables={SAVED_VIEW: SimpleNamespace(uns={"c2lst": body})}))
    assert read_view(slide) is None  # type: ignore[arg-type]


def test_a_slide_without_one(slide: Slide) -> None:
    assert read_view(slide) is None


def test_values_that_this_napari_does_not_know_are_passed_over() -> None:
    viewer = a_viewer()
    looks = {"key": "map_image", "colormap": "no such map", "opacity": 0.3, "blending": "odd", "size": 3}
    apply_view(viewer, SavedView(layers=(looks, {"key": "gone", "opacity": 0.1})))
    assert viewer.layers["map"].opacity == 0.3
    assert viewer.layers["map"].colormap.name == "magma"


def test_the_key_of_a_layer() -> None:
    assert layer_key(SimpleNamespace(metadata={"c2lst": {"key": "spots"}})) == "spots"
    assert layer_key(SimpleNamespace(metadata={"c2lst": "odd"})) == ""
    assert layer_key(SimpleNamespace()) == ""


@pytest.mark.parametrize(
    "place", ['"zoom": 0', '"zoom": -2', '"zoom": NaN', '"zoom": Infinity', '"centre": [NaN, 0]', '"centre": [1]']
)
def test_a_camera_that_is_nowhere_stays_where_it_is(place: str) -> None:
    """Else the viewer is empty, and only who knows napari well finds the slide again."""
    body = {"version": 1, "view": f'{{"gene": "FASN", {place}}}'}
    slide: Any = SimpleNamespace(sdata=SimpleNamespace(tables={SAVED_VIEW: SimpleNamespace(uns={"c2lst": body})}))
    view = read_view(slide)
    assert view is not None
    assert (view.gene, view.centre, view.zoom) == ("FASN", None, None)
    viewer = a_viewer()
    apply_view(viewer, view)
    assert (viewer.camera.center, viewer.camera.zoom) == ((0, 5, 7), 3.0)
