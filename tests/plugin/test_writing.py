from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.layers import slide_layers
from napari_c2lst.plugin.writing import outlines, slide_of, write_geojson, write_slide
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.geojson import read_regions, spots_inside

layers = pytest.importorskip("napari.layers")


@pytest.fixture
def slide() -> Slide:
    return open_slide(sample_slide_path())


def drawn(slide: Slide, **options: Any) -> Any:
    """A square around the first spot, drawn in the viewer's coordinates (microns), as napari hands it on."""
    y, x = (slide.require_spots().yx[0] - 0.5) * slide.mpp
    square = np.array([[y - 90, x - 90], [y - 90, x + 90], [y + 90, x + 90], [y + 90, x - 90]])
    return layers.Shapes([square], shape_type="polygon", name="my tumour", **options).as_layer_data_tuple()


def test_a_slide_is_written_with_what_was_drawn(slide: Slide, tmp_path: Path) -> None:
    out = tmp_path / "copy.zarr"
    assert write_slide(str(out), [*slide_layers(slide), drawn(slide)]) == [str(out)]
    copy = open_slide(out)
    assert np.array_equal(copy.require_spots().ids, slide.require_spots().ids)
    assert copy.mpp == pytest.approx(slide.mpp)
    assert copy.pyramid.shape == slide.pyramid.shape
    (polygon,) = copy.sdata.shapes["c2lst_drawn_my_tumour"].geometry
    inside = [i for i, (y, x) in enumerate(copy.require_spots().yx) if polygon.contains(_point(x, y))]
    assert inside == [0]  # its neighbours are 200 um away


def _point(x: float, y: float) -> Any:
    from shapely import Point

    return Point(x, y)


def test_nothing_is_replaced_and_nothing_half_written(slide: Slide, tmp_path: Path, monkeypatch: Any) -> None:
    out = tmp_path / "copy.zarr"
    with pytest.raises(InputError, match=r"does not end in \.zarr"):
        write_slide(str(tmp_path / "copy"), slide_layers(slide))
    out.mkdir()
    with pytest.raises(InputError, match="is there already"):
        write_slide(str(out), slide_layers(slide))
    out.rmdir()

    def full(*_: Any, **__: Any) -> None:
        raise InputError("the disk is full")

    monkeypatch.setattr("napari_c2lst.slides.store.results.write_elements", full)
    with pytest.raises(InputError, match="disk is full"):
        write_slide(str(out), [*slide_layers(slide), drawn(slide)])
    assert list(tmp_path.iterdir()) == []


def test_a_large_slide_is_left_to_a_job(slide: Slide, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("napari_c2lst.plugin.writing._LARGEST_PX", 1000)
    with pytest.raises(InputError, match="too large to be saved from the menu"):
        write_slide(str(tmp_path / "copy.zarr"), slide_layers(slide))


def test_the_slide_of_layers(slide: Slide) -> None:
    assert slide_of(slide_layers(slide)).name == slide.name
    with pytest.raises(InputError, match="none of these layers belongs to a slide"):
        slide_of([drawn(slide)])


def test_spots_as_geojson(slide: Slide, tmp_path: Path) -> None:
    data, options, _ = next(layer for layer in slide_layers(slide) if layer[2] == "points")
    path = tmp_path / "spots.geojson"
    assert write_geojson(str(path), data, options) == [str(path)]
    features = json.loads(path.read_text())["features"]
    assert len(features) == 283
    ids = slide.require_spots().ids
    assert [feature["properties"].get("name") for feature in features[:3]] == [str(name) for name in ids[:3]]
    assert spots_inside(read_regions(path), slide.require_spots().yx).all()


def test_our_outlines_are_in_pixels_of_the_image(slide: Slide, tmp_path: Path) -> None:
    """A layer of ours holds pixels and is scaled to microns by napari; the file holds pixels again."""
    spot = slide.require_spots().yx[5]
    mpp = slide.mpp
    metadata = {"c2lst": {"microns_per_pixel": {"value": mpp}}}
    box = np.array([[-40, -40], [-40, 40], [40, 40], [40, -40]]) + spot - 0.5
    layer = layers.Shapes([box], shape_type="rectangle", scale=(mpp, mpp), metadata=metadata, name="box")
    path = tmp_path / "box.geojson"
    write_geojson(str(path), *layer.as_layer_data_tuple()[:2])
    found = spots_inside(read_regions(path), slide.require_spots().yx)
    assert np.flatnonzero(found).tolist() == [5]


def test_kinds_of_shapes() -> None:
    corners = np.array([[0.0, 0.0], [0.0, 20.0], [10.0, 20.0], [10.0, 0.0]])
    line = np.array([[0.0, 0.0], [5.0, 5.0]])
    kinds = ["rectangle", "ellipse", "path", "line", "polygon"]
    found = outlines([corners, corners, corners, line, corners], {"shape_type": kinds})
    assert [round(polygon.area) for polygon in found] == [200, 156, 200]  # a circle of 32 corners is a little smaller
    assert found[1].centroid.coords[0] == pytest.approx((10.5, 5.5))


def test_an_empty_layer_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="layer 'mine' holds no outline"):
        write_geojson(str(tmp_path / "x.geojson"), [], {"name": "mine"})
    assert list(tmp_path.iterdir()) == []


def test_napari_finds_the_writers(slide: Slide, tmp_path: Path, make_napari_viewer: Callable[..., Any]) -> None:
    from npe2 import plugin_manager

    plugin_manager.discover()
    path, points = str(tmp_path / "a.zarr"), str(tmp_path / "a.geojson")
    assert plugin_manager.get_writer(path, ["image", "points"])[0].command == "napari-c2lst.write_slide"
    assert plugin_manager.get_writer(points, ["points"])[0].command == "napari-c2lst.write_geojson"
    viewer = make_napari_viewer()
    for data, options, kind in slide_layers(slide):
        getattr(viewer, f"add_{kind}")(data, **options)
    viewer.layers.selection = {layer for layer in viewer.layers if type(layer).__name__ == "Points"}
    assert viewer.layers.save(points, selected=True, plugin="napari-c2lst") == [points]
    assert len(json.loads(Path(points).read_text())["features"]) == 283
