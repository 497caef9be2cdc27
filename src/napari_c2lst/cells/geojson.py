"""Nuclei as GeoJSON that QuPath opens as detections, written one by one."""

import json
from pathlib import Path
from typing import Any

import shapely
from numpy.typing import NDArray

from napari_c2lst.common.files import atomic_file

from .facts import CellFacts
from .found import Found
from .joining import polygons

_AT_ONCE = 10_000


def write_geojson(path: Path, found: Found, px: float, facts: CellFacts, um2: float) -> None:
    """Write a FeatureCollection, whole or not at all.

    Parameters
    ----------
    path
        The file.
    found
        The nuclei.
    px
        Level-0 pixels per network pixel: polygons are in level-0 pixels, as QuPath counts them.
    facts
        Of the weights: names and colours of the types.
    um2
        Square microns per network pixel.

    Raises
    ------
    InputError
        If the disk is full.
    """
    classes = [{"name": n, "color": list(c)} for n, c in zip(facts.type_names, facts.type_colours, strict=True)]
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for start in range(0, len(found), _AT_ONCE):
            some = found.part(start, min(start + _AT_ONCE, len(found)))
            areas = polygons(some, px)
            features = [json.dumps(f) for f in _features(some, areas, classes, facts.nr_types is not None, um2)]
            file.write((",\n" if start else "\n") + ",\n".join(features))
        file.write("\n]}\n")


def _features(found: Found, areas: NDArray[Any], classes: list[Any], typed: bool, um2: float) -> list[dict[str, Any]]:
    features = []
    for row in range(len(found)):
        ring = shapely.get_coordinates(areas[row]).round(2).tolist()
        kind = int(found.type[row]) - 1 if typed else 0
        properties: dict[str, Any] = {"objectType": "detection"}
        if kind >= 0:
            properties["classification"] = classes[kind]
        properties["measurements"] = {
            "Type probability": round(float(found.type_prob[row]), 4),
            "Nucleus area um^2": round(float(found.area[row]) * um2, 3),
        }
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    return features
