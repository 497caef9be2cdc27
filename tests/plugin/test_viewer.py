"""With a real napari window (under Xvfb)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.layers import slide_layers
from napari_c2lst.plugin.sample_data import her2st_b4
from napari_c2lst.slides.slide import Slide

pytest.importorskip("napari")


def show(viewer: Any, layers: list[Any]) -> np.ndarray[Any, Any]:
    for data, options, kind in layers:
        getattr(viewer, f"add_{kind}")(data, **options)
    viewer.reset_view()
    picture: np.ndarray[Any, Any] = viewer.screenshot(canvas_only=True, flash=False)
    return picture[..., :3]


def test_a_slide_is_seen(make_napari_viewer: Callable[..., Any], make_slide: Callable[..., Slide]) -> None:
    viewer = make_napari_viewer(show=True)
    picture = show(viewer, slide_layers(make_slide()))
    assert [layer.name for layer in viewer.layers] == ["P12", "P12 spots"]
    assert [str(u) for u in viewer.layers[0].units] == ["micrometer", "micrometer"]
    assert viewer.layers.units is not None  # None would mean layers of different units, misaligned
    # in microns: 400 x 600 px at 0.5 um
    extent = viewer.layers["P12"].extent.world
    assert np.allclose(extent[1] - extent[0], (200, 300), atol=1)
    assert picture.std() > 20
    yellow = (picture[..., 0] > 200) & (picture[..., 1] > 150) & (picture[..., 2] < 120)
    assert yellow.sum() > 30  # the spots' rings


def test_spots_lie_on_the_pixels_they_name(
    make_napari_viewer: Callable[..., Any], make_slide: Callable[..., Slide]
) -> None:
    viewer = make_napari_viewer(show=True)
    show(viewer, slide_layers(make_slide()))
    image, spots = viewer.layers
    for yx in spots.data:
        world = spots.data_to_world(yx)
        assert np.allclose(image.world_to_data(world), yx)


def test_the_sample_slide_is_seen(make_napari_viewer: Callable[..., Any]) -> None:
    viewer = make_napari_viewer(show=True)
    layers = her2st_b4()
    picture = show(viewer, layers)
    assert [kind for _, _, kind in layers] == ["image", "points"]
    assert len(layers[1][0]) == 283
    assert picture.std() > 10
    pink = picture[..., 0].astype(int) - picture[..., 1] > 15
    assert pink.mean() > 0.02  # stained tissue, not an empty canvas


def test_dropped_on_the_window(make_napari_viewer: Callable[..., Any]) -> None:
    from napari_c2lst.slides.sample_data import sample_slide_path

    viewer = make_napari_viewer(show=True)
    viewer.open(str(sample_slide_path()), plugin="napari-c2lst")
    assert [type(layer).__name__ for layer in viewer.layers] == ["Image", "Points"]
