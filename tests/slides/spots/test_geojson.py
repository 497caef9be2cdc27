from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely.geometry import Polygon

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.spots.geojson import Region, describe_regions, read_regions, spots_inside, write_regions

QUPATH = """{"type": "FeatureCollection", "features": [
  {"type": "Feature", "id": "0b4a", "geometry": {"type": "Polygon", "coordinates":
     [[[100, 200], [200, 200], [200, 250], [100, 250], [100, 200]],
      [[110, 210], [120, 210], [120, 220], [110, 220], [110, 210]]]},
   "properties": {"objectType": "annotation", "name": "Invasive front", "isLocked": false,
     "classification": {"name": "Tumor", "color": [200, 0, 0]}, "measurements": []}},
  {"type": "Feature", "id": "77c1", "geometry": {"type": "MultiPolygon", "plane": {"c": -1, "z": 0, "t": 0},
     "coordinates":
     [[[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]], [[[30, 0], [40, 0], [40, 10], [30, 10], [30, 0]]]]},
   "properties": {"objectType": "annotation", "classification": {"names": ["Ignore*"], "name": "Ignore*"}}}
]}"""
SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]


def _shifted(ring: list[list[float]], dx: float, dy: float = 0, scale: float = 1) -> list[list[float]]:
    return [[x * scale + dx, y * scale + dy] for x, y in ring]


def _feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": "a1",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


def _file(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "shapes.geojson"
    path.write_text(json.dumps(content))
    return path


def _collection(tmp_path: Path, *features: Any) -> Path:
    return _file(tmp_path, {"type": "FeatureCollection", "features": list(features)})


def _inside(path: Path, *xy: tuple[float, float]) -> list[bool]:
    return spots_inside(read_regions(path), np.array([(y, x) for x, y in xy], dtype=float)).tolist()


def test_every_feature_of_a_file_counts(tmp_path: Path) -> None:
    path = _collection(tmp_path, *[_feature("Polygon", [_shifted(SQUARE, 20 * i)]) for i in range(3)])
    assert _inside(path, (5, 5), (25, 5), (45, 5), (15, 5), (5, 25)) == [True, True, True, False, False]


def test_x_comes_before_y(tmp_path: Path) -> None:
    path = _collection(tmp_path, _feature("Polygon", [[[0, 0], [100, 0], [100, 10], [0, 10], [0, 0]]]))
    assert _inside(path, (90, 5), (5, 90)) == [True, False]


def test_holes_are_outside_and_borders_inside(tmp_path: Path) -> None:
    path = _collection(tmp_path, _feature("Polygon", [_shifted(SQUARE, 0, scale=3), _shifted(SQUARE, 10, 10)]))
    assert _inside(path, (5, 5), (15, 15), (0, 5), (30, 30)) == [True, False, True, True]


def test_multipolygons_with_holes_and_overlapping_parts(tmp_path: Path) -> None:
    parts = [[_shifted(SQUARE, 0, scale=3), _shifted(SQUARE, 10, 10)], [_shifted(SQUARE, 100)], [_shifted(SQUARE, 105)]]
    path = _collection(tmp_path, _feature("MultiPolygon", parts))
    assert _inside(path, (5, 5), (15, 15), (107, 5), (114, 5), (60, 5)) == [True, False, True, True, False]


def test_a_spot_in_the_hole_of_one_shape_and_inside_another_is_inside(tmp_path: Path) -> None:
    ring = _feature("Polygon", [_shifted(SQUARE, 0, scale=3), _shifted(SQUARE, 10, 10)])
    path = _collection(tmp_path, ring, _feature("Polygon", [_shifted(SQUARE, 10, 10)]))
    assert _inside(path, (15, 15)) == [True]


@pytest.mark.parametrize("wrap", ["list", "feature", "geometry", "collection"])
def test_other_roots(tmp_path: Path, wrap: str) -> None:
    feature = _feature("Polygon", [SQUARE])
    content = {
        "list": [feature],
        "feature": feature,
        "geometry": feature["geometry"],
        "collection": {"type": "GeometryCollection", "geometries": [feature["geometry"]]},
    }[wrap]
    assert _inside(_file(tmp_path, content), (5, 5), (50, 5)) == [True, False]


def test_qupath_properties(tmp_path: Path) -> None:
    path = _collection(
        tmp_path,
        _feature("Polygon", [SQUARE], objectType="annotation", classification={"name": "Tumor", "color": [200, 0, 0]}),
        _feature("Polygon", [_shifted(SQUARE, 20)], objectType="annotation", classification={"name": "Tumor"}),
        _feature("Polygon", [_shifted(SQUARE, 40)], objectType="annotation", name="ROI 1", classification="Stroma"),
    )
    regions = read_regions(path)
    assert [region.label for region in regions] == ["Tumor", "Tumor", "Stroma"]
    assert describe_regions(regions) == "3 shapes (2 Tumor, 1 Stroma)"
    assert len(read_regions(path, labels=["Tumor"])) == 2
    assert len(read_regions(path, labels=["ROI 1"])) == 1
    with pytest.raises(InputError, match="of class or name 'Necrosis'") as caught:
        read_regions(path, labels=["Tumor", "Necrosis"])
    assert caught.value.hint == "it has 'ROI 1', 'Stroma', 'Tumor'"


def test_classes_with_commas_may_come_in_parts(tmp_path: Path) -> None:
    features = [
        _feature("Polygon", [_shifted(SQUARE, 20 * i)], name=n) for i, n in enumerate(["Tumor, invasive", "Fat"])
    ]
    path = _collection(tmp_path, *features)
    assert [r.name for r in read_regions(path, labels=["Tumor", "invasive"])] == ["Tumor, invasive"]
    assert len(read_regions(path, labels=["Tumor, invasive", "Fat"])) == 2


def test_shapes_without_a_class(tmp_path: Path) -> None:
    assert describe_regions(read_regions(_collection(tmp_path, _feature("Polygon", [SQUARE])))) == "1 shape"


def test_heights_are_ignored_and_open_rings_closed(tmp_path: Path) -> None:
    path = _collection(tmp_path, _feature("Polygon", [[[0, 0, 7], [10, 0, 7], [10, 10, 7], [0, 10, 7]]]))
    assert _inside(path, (5, 5)) == [True]


def test_a_self_crossing_polygon_is_refused_with_its_place(tmp_path: Path) -> None:
    bow_tie = [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]
    path = _collection(tmp_path, _feature("Polygon", [SQUARE]), _feature("Polygon", [bow_tie], name="cut"))
    with pytest.raises(InputError) as caught:
        read_regions(path)
    assert caught.value.message == f"shape 2 of 2 ('cut') in '{path}' crosses itself at x = 5.0, y = 5.0"
    assert caught.value.hint == "redraw the shape in QuPath and export it again"


def test_a_hole_that_leaves_its_polygon_is_refused(tmp_path: Path) -> None:
    path = _collection(tmp_path, _feature("Polygon", [SQUARE, _shifted(SQUARE, 5, 5)]))
    with pytest.raises(InputError, match="crosses itself"):
        read_regions(path)
    path = _collection(tmp_path, _feature("Polygon", [SQUARE, _shifted(SQUARE, 50, 50)]))
    with pytest.raises(InputError, match=r"is not valid \(hole lies outside shell\)"):
        read_regions(path)


def test_a_ring_that_touches_itself_is_kept(tmp_path: Path) -> None:
    # two squares that meet in the corner (10, 10), drawn in one stroke
    stroke = [[0, 0], [10, 0], [10, 10], [20, 10], [20, 20], [10, 20], [10, 10], [0, 10], [0, 0]]
    path = _collection(tmp_path, _feature("Polygon", [stroke]))
    assert _inside(path, (5, 5), (15, 15), (15, 5)) == [True, True, False]


@pytest.mark.parametrize(
    ("kind", "coordinates", "message"),
    [
        ("Polygon", [], "is empty"),
        ("Polygon", [[]], "is empty"),
        ("MultiPolygon", [], "is empty"),
        ("Polygon", [[[0, 0], [1, 1], [0, 0]]], "fewer than 3 corners"),
        ("Polygon", [[[0, 0], [1, 1], [2, 2], [0, 0]]], "crosses itself|encloses no area|is not valid"),
        ("Polygon", [[[0, 0], [1, None], [2, 2], [0, 0]]], "not a number|no \\(x, y\\) pairs"),
        ("Polygon", [["ab", "cd", "ef"]], "no \\(x, y\\) pairs"),
        ("Point", [3, 4], "is a Point, not an area"),
        ("LineString", [[0, 0], [1, 1]], "is a LineString, not an area"),
    ],
)
def test_shapes_that_are_no_area(tmp_path: Path, kind: str, coordinates: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"shape 1 of 1 in .*{message}"):
        read_regions(_collection(tmp_path, _feature(kind, coordinates)))


def test_a_feature_without_geometry(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shape 1 of 2 .*is empty"):
        read_regions(_collection(tmp_path, {"type": "Feature", "geometry": None}, _feature("Polygon", [SQUARE])))


def test_all_faults_at_once(tmp_path: Path) -> None:
    path = _collection(tmp_path, _feature("Point", [1, 2]), _feature("Polygon", [SQUARE]), _feature("Polygon", []))
    with pytest.raises(InputError, match=r"2 things are wrong: \(1\) shape 1 of 3 .*; \(2\) shape 3 of 3 .* is empty"):
        read_regions(path)


def test_files_that_are_no_geojson(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_regions(tmp_path / "nope.geojson")
    with pytest.raises(InputError, match="holds no polygon"):
        read_regions(_collection(tmp_path))
    with pytest.raises(InputError, match="JSON, but not GeoJSON"):
        read_regions(_file(tmp_path, {"type": "Topology"}))
    with pytest.raises(InputError, match="JSON, but not GeoJSON"):
        read_regions(_file(tmp_path, 3))
    (tmp_path / "shapes.geojson").write_text('{"type": "Feat')
    with pytest.raises(InputError, match="is not GeoJSON"):
        read_regions(tmp_path / "shapes.geojson")


def test_a_file_as_qupath_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "qupath.geojson"
    path.write_text(QUPATH)
    regions = read_regions(path)
    assert [(region.label, region.name) for region in regions] == [("Tumor", "Invasive front"), ("Ignore*", "")]
    assert regions[0].area.area == 100 * 50 - 10 * 10
    assert regions[1].area.area == 200


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_counting_crossings(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 24))
    corners = np.stack([50 + np.cos(angle) * (radius := rng.uniform(10, 50, 24)), 50 + np.sin(angle) * radius], 1)
    path = _collection(tmp_path, _feature("Polygon", [[*corners.tolist(), corners[0].tolist()]]))
    xy = rng.uniform(0, 100, (500, 2))
    assert _inside(path, *map(tuple, xy)) == [_crossings(corners, x, y) % 2 == 1 for x, y in xy]


def _crossings(corners: np.ndarray, x: float, y: float) -> int:
    """How often a ray from the point to the right meets the border."""
    (x0, y0), (x1, y1) = corners.T, np.roll(corners, -1, axis=0).T
    spans = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        meets = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    return int((spans & (meets > x)).sum())


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ({"type": "Polygon", "coordinates": 5}, "has coordinates that are no list"),
        ({"type": "Polygon", "coordinates": {"a": 1}}, "has coordinates that are no list"),
        ({"type": "Polygon", "coordinates": "abc"}, "has coordinates that are no list"),
        ({"type": "Polygon", "coordinates": [5]}, r"no \(x, y\) pairs"),
        ({"type": "Polygon", "coordinates": ["abc"]}, r"no \(x, y\) pairs"),
        ({"type": "MultiPolygon", "coordinates": 5}, "has coordinates that are no list"),
        ({"type": "MultiPolygon", "coordinates": [5]}, "is empty"),
        ({"type": "GeometryCollection", "geometries": 5}, "has geometries that are no list"),
        ({"type": "GeometryCollection", "geometries": [5]}, "is a None, not an area"),
        ({"type": "Circle", "coordinates": SQUARE}, "is a Circle, not an area"),
        (5, "is a None, not an area"),
    ],
)
def test_geometries_of_another_shape_are_one_sentence(tmp_path: Path, geometry: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"shape 1 of 1 in .*{message}") as caught:
        read_regions(_collection(tmp_path, {"type": "Feature", "geometry": geometry, "properties": None}))
    assert caught.value.hint


@pytest.mark.parametrize("features", [5, "abc", {"a": 1}, True])
def test_features_that_are_no_list(tmp_path: Path, features: Any) -> None:
    with pytest.raises(InputError, match=r"the features of '.*' are no list"):
        read_regions(_file(tmp_path, {"type": "FeatureCollection", "features": features}))


@pytest.mark.parametrize("properties", [None, 5, [], {"classification": 5}, {"classification": ["Tumor"]}])
def test_odd_properties_do_not_spoil_a_shape(tmp_path: Path, properties: Any) -> None:
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [SQUARE]}, "properties": properties}
    (region,) = read_regions(_collection(tmp_path, feature))
    assert (region.area.area, region.name, region.colour) == (100, "", None)


@pytest.mark.parametrize("colour", [[float("inf"), 0, 0], [1, 2], "#ff0000", [256, 0, 0], [-1, 0, 0], [None] * 3, 7])
def test_colours_that_are_none_are_passed_over(tmp_path: Path, colour: Any) -> None:
    path = _collection(tmp_path, _feature("Polygon", [SQUARE], classification={"name": "Tumor", "color": colour}))
    (region,) = read_regions(path)
    assert (region.label, region.colour) == ("Tumor", None)


def test_a_file_of_endless_brackets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.geojson"
    path.write_text("[" * 200_000)
    with pytest.raises(InputError, match="is not GeoJSON"):
        read_regions(path)


def test_a_folder_is_no_geojson(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not GeoJSON"):
        read_regions(tmp_path)


def test_written_regions_come_back(tmp_path: Path) -> None:
    regions = read_regions(_file(tmp_path, json.loads(QUPATH)))
    target = tmp_path / "again.geojson"
    write_regions(target, regions)
    again = read_regions(target)
    assert [(r.name, r.label, r.colour) for r in again] == [(r.name, r.label, r.colour) for r in regions]
    assert all(a.area.equals(b.area) for a, b in zip(again, regions, strict=True))


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "shapes.geojson"
    target.write_text("mine")
    for regions, message in (([], "there is no shape"), ([Region(Polygon())], "shape 1 of 1 is empty")):
        with pytest.raises(InputError, match=message):
            write_regions(target, regions)
    with pytest.raises(InputError, match="there is no folder"):
        write_regions(tmp_path / "nowhere" / "a.geojson", [Region(Polygon(SQUARE))])
    assert target.read_text() == "mine"


def test_no_spot_is_in_no_region() -> None:
    assert spots_inside([], np.zeros((3, 2))).tolist() == [False] * 3
    assert spots_inside([Region(Polygon(SQUARE))], np.zeros((0, 2))).shape == (0,)
