"""Polygons from and to GeoJSON files, as QuPath and others write them.

QuPath's coordinates are (x, y) in level-0 pixels of the image. Every feature of a file counts, with its holes and all
parts of a MultiPolygon; a shape that is empty or crosses itself is refused with its place, because what it encloses is
a guess.
"""

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from napari_c2lst.common.errors import InputError, raise_all
from napari_c2lst.common.files import atomic_file, disk_errors

from .commas import rejoined

_REDRAW = "redraw the shape in QuPath and export it again"


@dataclass(frozen=True)
class Region:
    """One feature of a file: an area with its name and class.

    Attributes
    ----------
    area
        Polygon or MultiPolygon in (x, y).
    name, label
        QuPath's name and class of the annotation; empty when it has none.
    colour
        Red, green and blue of the class, 0 to 255; None when it has none.
    """

    area: Polygon | MultiPolygon
    name: str = ""
    label: str = ""
    colour: tuple[int, int, int] | None = None


def read_regions(path: Path, *, labels: Sequence[str] = ()) -> list[Region]:
    """Read every area of a GeoJSON file.

    Parameters
    ----------
    path
        A FeatureCollection, a list of features (QuPath writes either), one feature, or a bare geometry.
    labels
        Keep only areas of these classes or names; empty keeps all.

    Raises
    ------
    InputError
        No such file, not GeoJSON, no area in it, an empty or self-crossing polygon (all of them at once), an unknown
        class.
    """
    features = _features(_load(path), path)
    regions: list[Region] = []
    problems: list[InputError] = []
    for number, feature in enumerate(features, 1):
        region = _Feature(feature, number, len(features), path)
        try:
            regions.append(region.read())
        except InputError as problem:
            problems.append(problem)
    raise_all(problems)
    if not regions:
        raise InputError(f"'{path}' holds no polygon", "export the annotations as GeoJSON, with at least one area")
    return _of_labels(regions, labels, path) if labels else regions


def write_regions(path: Path, regions: Sequence[Region]) -> None:
    """Write areas as GeoJSON that QuPath opens: one annotation each, with its name, class and colour.

    Parameters
    ----------
    path
        The file; written whole or not at all, in place of what is there.
    regions
        Areas in (x, y), level-0 pixels of the image; at least one.

    Raises
    ------
    InputError
        If there is no area, one is empty, or the file cannot be written.
    """
    if not regions:
        raise InputError("there is no shape to write", "choose spots or draw a shape first")
    empty = [number for number, region in enumerate(regions, 1) if region.area.is_empty]
    if empty:
        raise InputError(f"shape {empty[0]} of {len(regions)} is empty", "choose spots or draw a shape first")
    if not path.absolute().parent.is_dir():
        raise InputError(f"there is no folder '{path.absolute().parent}'", "choose another folder")
    text = json.dumps({"type": "FeatureCollection", "features": [_as_feature(region) for region in regions]})
    with disk_errors(path), atomic_file(path) as file:
        file.write_text(text, encoding="utf-8")


def spots_inside(regions: Iterable[Region], yx: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points lie inside any region (its border included, its holes not).

    Parameters
    ----------
    yx
        (N, 2) points, in the same coordinates as the regions but (y, x).

    Returns
    -------
    (N,)
    """
    inside = np.zeros(len(yx), dtype=bool)
    for region in regions:
        shapely.prepare(region.area)
        inside |= shapely.intersects_xy(region.area, yx[:, 1], yx[:, 0])
    return inside


def describe_regions(regions: Sequence[Region]) -> str:
    """'3 shapes (2 Tumor, 1 Stroma)'."""
    total = f"{len(regions)} shape{'s' if len(regions) != 1 else ''}"
    labels = Counter(region.label or region.name or "no class" for region in regions)
    if set(labels) == {"no class"}:
        return total
    return f"{total} ({', '.join(f'{n} {label}' for label, n in labels.most_common())})"


@dataclass(frozen=True)
class _Feature:
    """A feature on its way to a `Region`, with what is needed to say where it stands."""

    raw: Any
    number: int
    count: int
    path: Path

    @property
    def place(self) -> str:
        name = self._name() or self._label()
        return f"shape {self.number} of {self.count}{f' ({name!r})' if name else ''} in '{self.path}'"

    def read(self) -> Region:
        geometry = self.raw.get("geometry") if isinstance(self.raw, dict) else None
        parts = [self._polygon(rings) for rings in self._polygons(geometry)]
        if not parts:
            raise InputError(f"{self.place} is empty", _REDRAW)
        area = parts[0] if len(parts) == 1 else shapely.union_all(parts)
        return Region(area, self._name(), self._label(), self._colour())

    def _polygons(self, geometry: Any) -> list[Any]:
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        if kind == "Polygon":
            return [self._list(geometry, "coordinates")]
        if kind == "MultiPolygon":
            return self._list(geometry, "coordinates")
        if kind == "GeometryCollection":
            return [rings for part in self._list(geometry, "geometries") for rings in self._polygons(part)]
        if geometry is None:
            raise InputError(f"{self.place} is empty", _REDRAW)
        raise InputError(f"{self.place} is a {kind}, not an area", "draw a closed shape, or leave it out of the export")

    def _list(self, geometry: dict[str, Any], key: str) -> list[Any]:
        value = geometry.get(key) or []
        if not isinstance(value, list):
            raise InputError(f"{self.place} has {key} that are no list", _REDRAW)
        return value

    def _polygon(self, rings: Any) -> Polygon | MultiPolygon:
        if not isinstance(rings, list) or not rings or not rings[0]:
            raise InputError(f"{self.place} is empty", _REDRAW)
        outer, *holes = [self._ring(ring) for ring in rings]
        polygon = Polygon(outer, [hole for hole in holes if len(hole)])
        if not polygon.is_valid:
            polygon = self._untangled(polygon)
        if polygon.area == 0:
            raise InputError(f"{self.place} encloses no area", _REDRAW)
        return polygon

    def _ring(self, ring: Any) -> NDArray[np.float64]:
        try:
            corners = np.asarray([point[:2] for point in ring], dtype=np.float64).reshape(-1, 2)
        except (TypeError, ValueError, IndexError, KeyError):
            raise InputError(f"{self.place} has corners that are no (x, y) pairs", _REDRAW) from None
        if not np.isfinite(corners).all():
            raise InputError(f"{self.place} has a corner that is not a number", _REDRAW)
        if 0 < len(np.unique(corners, axis=0)) < 3:
            raise InputError(f"{self.place} has fewer than 3 corners", _REDRAW)
        return corners

    def _untangled(self, polygon: Polygon) -> Polygon | MultiPolygon:
        """Accept a ring that only touches itself in a point (brush strokes do); refuse one that crosses itself."""
        reason = shapely.is_valid_reason(polygon)
        fault, _, point = reason.rstrip("]").partition("[")
        if fault.strip() == "Ring Self-intersection":
            mended = shapely.make_valid(polygon)
            if isinstance(mended, Polygon | MultiPolygon):
                return mended
        x, y = (float(value) for value in point.split()[:2])
        what = "crosses itself" if "ntersection" in fault else f"is not valid ({fault.strip().lower()})"
        raise InputError(f"{self.place} {what} at x = {x:.1f}, y = {y:.1f}", _REDRAW)

    def _properties(self) -> dict[str, Any]:
        properties = self.raw.get("properties") if isinstance(self.raw, dict) else None
        return properties if isinstance(properties, dict) else {}

    def _name(self) -> str:
        return str(self._properties().get("name") or "")

    def _label(self) -> str:
        label = self._properties().get("classification") or self._properties().get("class") or ""
        return str(label.get("name") or "") if isinstance(label, dict) else str(label)

    def _colour(self) -> tuple[int, int, int] | None:
        """The colour of the class, or an annotation's own; anything that is none is passed over."""
        label = self._properties().get("classification")
        colour: Any = (label.get("color") if isinstance(label, dict) else None) or self._properties().get("color")
        try:
            red, green, blue = (int(value) for value in colour)
        except (TypeError, ValueError, OverflowError):
            return None
        return (red, green, blue) if all(0 <= value <= 255 for value in (red, green, blue)) else None


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"there is no file '{path}'", "give a GeoJSON file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"'{path}' is not GeoJSON: {error}", "export the annotations as GeoJSON") from None


def _features(content: Any, path: Path) -> list[Any]:
    if isinstance(content, list):
        return content
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "FeatureCollection":
        features = content.get("features") or []
        if not isinstance(features, list):
            raise InputError(f"the features of '{path}' are no list", "export the annotations as GeoJSON")
        return features
    if kind == "Feature":
        return [content]
    if kind in {"Polygon", "MultiPolygon", "GeometryCollection"}:
        return [{"type": "Feature", "geometry": content}]
    raise InputError(f"'{path}' is JSON, but not GeoJSON (its type is {kind!r})", "export the annotations as GeoJSON")


def _as_feature(region: Region) -> dict[str, Any]:
    properties: dict[str, Any] = {"objectType": "annotation"}
    if region.name:
        properties["name"] = region.name
    if region.label:
        colour = {} if region.colour is None else {"color": list(region.colour)}
        properties["classification"] = {"name": region.label, **colour}
    elif region.colour is not None:
        properties["color"] = list(region.colour)
    # a hundredth of a pixel is far below what can be drawn
    geometry = json.loads(shapely.to_geojson(shapely.transform(region.area, lambda xy: xy.round(2))))
    return {"type": "Feature", "id": str(uuid.uuid4()), "geometry": geometry, "properties": properties}


def _of_labels(regions: list[Region], labels: Sequence[str], path: Path) -> list[Region]:
    known = {text for region in regions for text in (region.label, region.name) if text}
    labels = rejoined(labels, sorted(known))
    unknown = [label for label in labels if label not in known]
    if unknown:
        raise InputError(
            f"no shape in '{path}' is of class or name {', '.join(map(repr, unknown))}",
            f"it has {', '.join(map(repr, sorted(known)[:10])) or 'no named shape'}",
        )
    return [region for region in regions if region.label in labels or region.name in labels]
