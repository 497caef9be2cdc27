"""How a slide was looked at, kept in its store as one small table: gene, layers, place. Needs neither Qt nor napari."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_c2lst.plugin.guide.standing import SAVED_VIEW

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

_FORMAT = 1
# of a layer: what a user sets by hand
_LOOKS = ("name", "visible", "opacity", "blending", "contrast_limits", "gamma")


@dataclass(frozen=True)
class SavedView:
    """How a slide was looked at.

    Attributes
    ----------
    gene
        The gene that was shown; empty for none.
    layers
        Of each layer of ours, bottom first: its key and what the user had set.
    centre, zoom
        Where the camera was; None keeps it where it is.
    chosen
        Ids of the spots that were chosen.
    """

    gene: str = ""
    layers: tuple[dict[str, Any], ...] = ()
    centre: tuple[float, ...] | None = None
    zoom: float | None = None
    chosen: tuple[str, ...] = field(default=())


def view_of(viewer: Any, gene: str = "", chosen: tuple[str, ...] = ()) -> SavedView:
    """How things are looked at now.

    Parameters
    ----------
    viewer
        A viewer, or anything with `layers` and `camera`; nothing in it is changed.
    """
    layers = tuple(_looks(layer) for layer in viewer.layers if layer_key(layer))
    centre = tuple(float(value) for value in viewer.camera.center)
    return SavedView(gene, layers, centre, float(viewer.camera.zoom), chosen)


def apply_view(viewer: Any, view: SavedView) -> None:
    """Give layers of ours that are there their looks, and the camera its place."""
    by_key = {layer_key(layer): layer for layer in viewer.layers if layer_key(layer)}
    for looks in view.layers:
        layer = by_key.get(str(looks.get("key")))
        if layer is not None:
            _apply(layer, looks)
    if view.centre is not None:
        viewer.camera.center = view.centre
    if view.zoom is not None:
        viewer.camera.zoom = view.zoom


def layer_key(layer: Any) -> str:
    """The key of a layer of ours; empty for any other layer."""
    ours = (getattr(layer, "metadata", None) or {}).get("c2lst")
    return str(ours.get("key", "")) if isinstance(ours, dict) else ""


def view_table(view: SavedView) -> Any:
    """The table of a store that keeps a view."""
    import anndata
    import pandas as pd
    from spatialdata.models import TableModel

    body = {"kind": "view", "version": _FORMAT, "view": json.dumps(asdict(view))}
    empty = np.zeros((1, 1), dtype=np.float32)
    obs, var = pd.DataFrame(index=["view"]), pd.DataFrame(index=["none"])
    return TableModel.parse(anndata.AnnData(empty, obs=obs, var=var, uns={"c2lst": body}))


def read_view(slide: Slide) -> SavedView | None:
    """The view that a store keeps; None if there is none that can be read: it is never worth an error."""
    table = getattr(slide.sdata, "tables", {}).get(SAVED_VIEW)
    try:
        body = table.uns["c2lst"]
        if int(body["version"]) != _FORMAT:
            return None
        values = json.loads(str(body["view"]))
        centre, zoom = values.get("centre"), values.get("zoom")
        return SavedView(
            gene=str(values.get("gene", "")),
            layers=tuple(each for each in values.get("layers", ()) if isinstance(each, dict)),
            centre=None if centre is None else _place(centre),
            # a camera that is nowhere shows nothing
            zoom=float(zoom) if zoom is not None and 0 < float(zoom) < math.inf else None,
            chosen=tuple(str(each) for each in values.get("chosen", ())),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _place(centre: Any) -> tuple[float, ...] | None:
    place = tuple(float(value) for value in centre)
    return place if len(place) in (2, 3) and all(math.isfinite(value) for value in place) else None


def _looks(layer: Any) -> dict[str, Any]:
    about = layer.metadata["c2lst"]
    looks: dict[str, Any] = {"key": layer_key(layer)}
    # a map says which prediction it shows, and what of it
    looks |= {name: str(about[name]) for name in ("prediction", "gene", "what") if name in about}
    for name in _LOOKS:
        value = getattr(layer, name, None)
        if value is not None:
            looks[name] = _plain(value)
    colormap = getattr(layer, "colormap", None)
    if isinstance(getattr(colormap, "name", None), str):
        looks["colormap"] = colormap.name
    return looks


def _plain(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (list, tuple, np.ndarray)):
        return [float(each) for each in value]
    return float(value)


def _apply(layer: Any, looks: dict[str, Any]) -> None:
    for name in (*_LOOKS, "colormap"):
        if name not in looks or not hasattr(layer, name):
            continue
        try:
            setattr(layer, name, looks[name])
        except (ValueError, TypeError, KeyError, AttributeError):  # another napari may know other colormaps
            continue
