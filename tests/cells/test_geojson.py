"""Nuclei for QuPath."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cells.maps import discs

from napari_c2lst.cells import geojson
from napari_c2lst.cells.facts import CONSEP_TYPES, CellFacts, CellType
from napari_c2lst.cells.found import Found
from napari_c2lst.cells.joining import polygons
from napari_c2lst.cells.postprocess import measure
from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.spots.geojson import read_regions

FACTS = CellFacts(mode="fast", nr_types=5, types=CONSEP_TYPES)


def found() -> Found:
    labels = discs((60, 90), [(20, 20), (20, 50), (40, 70)], 6)
    types = np.where(labels == 1, 3, np.where(labels == 2, 2, 0))
    return Found.of(measure(labels, types), 0, (0, 0), 90)


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_detections_with_class_and_measurements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(geojson, "_AT_ONCE", at_once)
    nuclei = found()
    geojson.write_geojson(tmp_path / "n.geojson", nuclei, 0.5, FACTS, 0.25**2)
    body = json.loads((tmp_path / "n.geojson").read_text())
    assert body["type"] == "FeatureCollection"
    first, second, untyped = body["features"]
    assert first["properties"]["objectType"] == "detection"
    assert first["properties"]["classification"] == {"name": "epithelial", "color": [255, 0, 0]}
    assert second["properties"]["classification"]["name"] == "inflammatory"
    assert "classification" not in untyped["properties"]
    measured = first["properties"]["measurements"]
    assert measured["Type probability"] == pytest.approx(1)
    assert measured["Nucleus area um^2"] == pytest.approx(nuclei.area[0] * 0.0625, abs=1e-3)
    ring = first["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    np.testing.assert_allclose(np.mean(ring[:-1], axis=0), [10.25, 10.25], atol=0.3)


def test_our_own_reader_reads_them(tmp_path: Path) -> None:
    nuclei = found()
    geojson.write_geojson(tmp_path / "n.geojson", nuclei, 1.0, FACTS, 0.0625)
    regions = read_regions(tmp_path / "n.geojson")
    assert [r.label for r in regions] == ["epithelial", "inflammatory", ""]
    assert regions[0].area.area == pytest.approx(nuclei.area[0], rel=0.1)


def test_without_types_all_are_nuclei_and_none_at_all_is_a_file_too(tmp_path: Path) -> None:
    nuclei = Found.of(measure(discs((60, 60), [(30, 30)]), None), 0, (0, 0), 60)
    plain = CellFacts(mode="fast")
    geojson.write_geojson(tmp_path / "n.geojson", nuclei, 1.0, plain, 1)
    body = json.loads((tmp_path / "n.geojson").read_text())
    assert body["features"][0]["properties"]["classification"]["name"] == "nucleus"
    geojson.write_geojson(tmp_path / "n.geojson", Found.none(), 1.0, plain, 1)
    assert json.loads((tmp_path / "n.geojson").read_text())["features"] == []


def test_names_of_other_tongues_are_read_by_anybody(tmp_path: Path) -> None:
    types = (CONSEP_TYPES[0], CellType(name='Drüse "A"', colour=(1, 2, 3)))
    nuclei = Found.of(measure(discs((60, 60), [(30, 30)]), np.ones((60, 60), int)), 0, (0, 0), 60)
    facts = CellFacts(mode="fast", nr_types=2, types=types)
    geojson.write_geojson(tmp_path / "n.geojson", nuclei, 1.0, facts, 1)
    text = (tmp_path / "n.geojson").read_bytes().decode("ascii")
    assert json.loads(text)["features"][0]["properties"]["classification"]["name"] == 'Drüse "A"'


def test_each_nucleus_is_a_line_of_its_own(tmp_path: Path) -> None:
    """A file of a million nuclei can be read line by line."""
    nuclei = found()
    geojson.write_geojson(tmp_path / "new" / "n.geojson", nuclei, 1.0, FACTS, 1)
    first, *lines, last = (tmp_path / "new" / "n.geojson").read_text().splitlines()
    assert (first, last) == ('{"type": "FeatureCollection", "features": [', "]}")
    assert [json.loads(line.rstrip(","))["type"] for line in lines] == ["Feature"] * len(nuclei)


def test_a_failed_write_keeps_the_file_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nuclei, file = found(), tmp_path / "n.geojson"
    file.write_text("of before")
    monkeypatch.setattr(geojson, "_AT_ONCE", 1)
    made = []

    def areas(some: Found, px: float) -> np.ndarray:
        made.append(polygons(some, px))
        return made[-1] if len(made) < 3 else np.array(["no polygon"], object)  # two are written by then

    monkeypatch.setattr(geojson, "polygons", areas)
    with pytest.raises(TypeError):
        geojson.write_geojson(file, nuclei, 1.0, FACTS, 1)
    assert len(made) == 3
    assert file.read_text() == "of before"
    assert [p.name for p in tmp_path.iterdir()] == ["n.geojson"]


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("dear")
    nuclei = found()
    with pytest.raises(InputError, match="notes' is not a folder"):
        geojson.write_geojson(tmp_path / "notes" / "n.geojson", nuclei, 1.0, FACTS, 1)
    assert (tmp_path / "notes").read_text() == "dear"
