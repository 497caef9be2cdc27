"""Spot sets as outlines that QuPath opens: each set one annotation, made of the circles of its spots."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_c2lst.common.files import atomic_file
from napari_c2lst.plugin.layers import spot_size_px

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.spotsets import SpotSet

_CORNERS = 24
# Okabe and Ito's colours, as QuPath takes them
_COLOURS = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0), (240, 228, 66))


def write_sets(slide: Slide, sets: Mapping[str, SpotSet], path: Path) -> None:
    """Write sets as GeoJSON, in pixels of the full-resolution image, x before y; whole or not at all."""
    features = [_feature(slide, each, _COLOURS[i % len(_COLOURS)]) for i, each in enumerate(sets.values())]
    with atomic_file(path) as file:
        file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def _feature(slide: Slide, spots: SpotSet, colour: tuple[int, int, int]) -> dict[str, Any]:
    radius = spot_size_px(slide) / 2
    rings = [[circle(yx, radius)] for yx in slide.require_spots().yx[spots.mask]]
    return {
        "type": "Feature",
        "geometry": {"type": "MultiPolygon", "coordinates": rings},
        "properties": {
            "objectType": "annotation",
            "name": spots.name,
            "classification": {"name": spots.name, "color": list(colour)},
        },
    }


def circle(yx: Any, radius: float) -> list[list[float]]:
    """A closed ring of (x, y) around a place."""
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    xy = np.column_stack([yx[1] + radius * np.cos(angle), yx[0] + radius * np.sin(angle)]).round(2).tolist()
    return [*xy, xy[0]]
