"""napari's writer: layers of a slide as a SpatialData .zarr, drawings and spots as GeoJSON in pixels of the image."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import atomic_file

from .layers import LayerData

if TYPE_CHECKING:
    from shapely import Polygon

    from napari_c2lst.slides.slide import Slide

# Saving works in the window's own process: larger slides are saved by a job instead.
_LARGEST_PX = 12_000 * 12_000
_CORNERS = 32


def write_slide(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Write the slide that layers belong to as a new SpatialData, with what was drawn beside it.

    The store holds all that the slide holds (image, spots, counts, sets, predictions), whole or not at all. Shapes and
    points that are no layers of ours become shapes called `c2lst_drawn_<name>`.

    Parameters
    ----------
    path
        The .zarr to make; it must not be there.
    layers
        Layer data tuples; at least one of them a layer of ours.

    Raises
    ------
    InputError
        If no layer belongs to a slide, `path` is there already, the slide is too large to be written in this process,
        or the disk is full.
    """
    from napari_c2lst.common.reporter import Reporter
    from napari_c2lst.slides.opening import open_slide
    from napari_c2lst.slides.store.converting import refuse_target
    from napari_c2lst.slides.store.results import write_elements
    from napari_c2lst.slides.store.storing import write_store

    out = Path(path)
    slide = slide_of(layers)
    refuse_target(out, slide.path)
    if slide.pyramid.shape[0] * slide.pyramid.shape[1] > _LARGEST_PX:
        raise InputError(
            f"slide '{slide.name}' is too large to be saved from the menu",
            "save it in the step Keep > Save a copy as...",
        )
    drawn = {
        f"c2lst_drawn_{_safe(options)}": (data, options, kind)
        for data, options, kind in layers
        if _is_drawn(options, kind)
    }
    write_store(slide, out, Reporter(), source=str(slide.path.absolute()))
    try:
        if drawn:
            stored = open_slide(out)
            shapes = {name: _shapes_element(stored, layer) for name, layer in drawn.items()}
            write_elements(stored, shapes={name: element for name, element in shapes.items() if element is not None})
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)  # made a moment ago, by us
        raise
    return [path]


def write_geojson(path: str, data: Any, options: dict[str, Any]) -> list[str]:
    """Write one shapes or points layer as GeoJSON that QuPath opens, x before y, in pixels of the image.

    Layers that lie in microns are brought back to pixels by their own scale.

    Raises
    ------
    InputError
        If there is nothing in the layer, or the disk is full.
    """
    polygons = outlines(data, options)
    if not polygons:
        raise InputError(f"layer '{options.get('name', '')}' holds no outline", "draw one, or choose another layer")
    names = _names(options, len(polygons))
    features = [
        _feature(polygon, name, str(options.get("name", ""))) for polygon, name in zip(polygons, names, strict=True)
    ]
    with atomic_file(Path(path)) as file:
        file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return [path]


def slide_of(layers: Sequence[LayerData]) -> Slide:
    """The slide that layers belong to.

    Raises
    ------
    InputError
        If none of them belongs to a slide.
    """
    from napari_c2lst.slides.opening import open_slide

    for _, options, _ in layers:
        about = (options.get("metadata") or {}).get("c2lst") or {}
        if getattr(about.get("opened"), "slide", None) is not None:
            return about["opened"].slide
        if about.get("path"):
            return open_slide(Path(about["path"]))
    raise InputError("none of these layers belongs to a slide", "open a slide: Plugins > C2L-ST > Open slide...")


def outlines(data: Any, options: dict[str, Any]) -> list[Polygon]:
    """What is drawn in a layer, as polygons of (x, y) in level-0 pixels.

    Parameters
    ----------
    data
        Of a shapes layer a list of (n, 2) corners; of a points layer (n, 2) places.
    options
        Its options: `shape_type`, `size`, and the scale and places of the layer against the slide's pixels.
    """
    from shapely import Polygon

    if isinstance(data, np.ndarray) and data.ndim == 2:
        sizes = np.broadcast_to(np.asarray(options.get("size", 10.0), dtype=float), len(data))
        return [Polygon(_circle(yx, size / 2)) for yx, size in zip(_pixels(data, options), sizes, strict=True)]
    kinds = options.get("shape_type", "polygon")
    kinds = [kinds] * len(data) if isinstance(kinds, str) else list(kinds)
    found = []
    for corners, kind in zip(data, kinds, strict=True):
        yx = _pixels(_ellipse(np.asarray(corners)) if kind == "ellipse" else np.asarray(corners), options)
        if kind not in ("line", "path") and len(yx) >= 3:
            found.append(Polygon(yx[:, ::-1]))
    return found


def _pixels(yx: NDArray[Any], options: dict[str, Any]) -> NDArray[np.float64]:
    """Data of a layer to level-0 pixels: a layer of ours holds pixels; another one is placed by its transform."""
    about = (options.get("metadata") or {}).get("c2lst") or {}
    yx = np.asarray(yx, dtype=float)[:, -2:]
    microns = about.get("microns_per_pixel")
    if not about:
        scale = np.asarray(options.get("scale", (1.0, 1.0)), dtype=float)[-2:]
        shift = np.asarray(options.get("translate", (0.0, 0.0)), dtype=float)[-2:]
        return (yx * scale + shift) / float(options.get("_mpp", 1.0)) + 0.5
    own = float(microns["value"]) if microns else 1.0
    scale = np.asarray(options.get("scale", (own, own)), dtype=float)[-2:] / own
    shift = np.asarray(options.get("translate", (0.0, 0.0)), dtype=float)[-2:] / own
    # napari's (0, 0) is the centre of the first pixel, a slide's its corner
    return yx * scale + shift + 0.5


def _shapes_element(slide: Slide, layer: LayerData) -> Any:
    import geopandas
    from spatialdata.models import ShapesModel

    from napari_c2lst.expression.grid import image_transformations

    data, options, _ = layer
    mpp = slide.microns.value if slide.microns is not None else 1.0
    polygons = outlines(data, {**options, "_mpp": mpp})
    if not polygons:
        return None
    return ShapesModel.parse(geopandas.GeoDataFrame(geometry=polygons), transformations=image_transformations(slide))


def _is_drawn(options: dict[str, Any], kind: str) -> bool:
    return kind in ("shapes", "points") and not (options.get("metadata") or {}).get("c2lst")


def _ellipse(corners: NDArray[Any]) -> NDArray[np.float64]:
    """The outline of the ellipse in a box of four corners, which may be turned."""
    centre = corners.mean(axis=0)
    one, other = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    return centre + np.cos(angle)[:, None] * one + np.sin(angle)[:, None] * other


def _circle(yx: NDArray[np.float64], radius: float) -> list[tuple[float, float]]:
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    return [(float(yx[1] + radius * np.cos(a)), float(yx[0] + radius * np.sin(a))) for a in angle]


def _names(options: dict[str, Any], count: int) -> list[str]:
    features = options.get("features")
    column = next((name for name in ("name", "spot", "class") if features is not None and name in features), None)
    names = [] if column is None else [str(value) for value in features[column]]
    return names if len(names) == count else [""] * count


def _feature(polygon: Polygon, name: str, layer: str) -> dict[str, Any]:
    ring = [[round(float(x), 2), round(float(y), 2)] for x, y in polygon.exterior.coords]
    properties = {"objectType": "annotation", "classification": {"name": layer}} | ({"name": name} if name else {})
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties}


def _safe(options: dict[str, Any]) -> str:
    return "".join(c if c.isalnum() else "_" for c in str(options.get("name", "shapes"))) or "shapes"
