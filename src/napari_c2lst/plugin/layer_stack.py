"""Our layers in a viewer, found by key: added in a fixed order, updated in place, made again if they were deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .layers.placing import KEY, LayerData, about_layer
from .layers.tables import no_table
from .viewer_parts import whoever_listens

# From the bottom: the picture, bins, spots, predicted maps, cells (outlines over colours), marks; drawings on top.
_ORDER = ("image", "bins", "spots", "map", "cells", "sets")
# What the user may have set by hand and an update must not take back.
_KEPT = {
    "units",
    "visible",
    "opacity",
    "blending",
    "name",
    "gamma",
    "interpolation2d",
    "cache",
    "multiscale",
    "rgb",
}
_KINDS = {"image": "Image", "points": "Points", "labels": "Labels", "shapes": "Shapes", "vectors": "Vectors"}


class LayerStack:
    """The layers of one slide in one viewer, each with a stable key.

    Parameters
    ----------
    viewer
        A `napari.Viewer` or `ViewerModel`.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer

    def ours(self) -> Iterator[tuple[str, Any]]:
        """Key and layer of every layer of ours, from the bottom."""
        for layer in list(self.viewer.layers):
            about = about_layer(layer)
            if about:
                yield str(about.get("key", "")), layer

    def layer(self, key: str) -> Any | None:
        """The layer of a key; None when it is not there (any more)."""
        return next((layer for name, layer in self.ours() if name == key), None)

    def chosen_image(self) -> Any | None:
        """The layer that is chosen in napari's list; where none is, the only image that is not ours, if any."""
        active = self.viewer.layers.selection.active
        if active is not None:
            return active
        images = [each for each in self.viewer.layers if type(each).__name__ == "Image" and not about_layer(each)]
        return images[0] if len(images) == 1 else None

    def with_metadata(self, name: str) -> list[Any]:
        """Layers whose metadata have something of this name, ours or not."""
        return [layer for layer in self.viewer.layers if layer.metadata.get(name) is not None]

    def add_drawing(self, options: dict[str, Any]) -> Any:
        """An empty layer of shapes on top, which is the user's from then on."""
        with whoever_listens(self.viewer):
            return self.viewer.add_shapes(**options)

    def hide(self, layer: Any) -> None:
        """Hide a layer, ours or not; the user finds it in the list."""
        layer.visible = False

    def add_or_update(self, data: LayerData, key: str) -> Any:
        """Show layer data under a key; a layer that is there takes them in place and keeps what the user set by hand.

        Returns
        -------
        The layer.
        """
        values, options, kind = data
        options = dict(options)
        metadata = dict(options.get("metadata") or {})
        options["metadata"] = {**metadata, KEY: {**metadata.get(KEY, {}), "key": key}}
        there = self.layer(key)
        if there is not None and _fits(there, values, options, kind):
            _update(there, values, options)
            return there
        place = self._place(key)
        if there is not None:
            place = self.viewer.layers.index(there)
            self.discard(there)
        return self._insert(values, options, kind, place)

    def remove(self, key: str) -> None:
        """Take the layer of a key away, if it is there."""
        layer = self.layer(key)
        if layer is not None:
            self.discard(layer)

    def discard(self, layer: Any) -> None:
        """Take a layer away, ours or not."""
        with whoever_listens(self.viewer):
            self.viewer.layers.remove(layer)

    def select(self, layer: Any) -> None:
        """Choose a layer in napari's list."""
        with whoever_listens(self.viewer):
            self.viewer.layers.selection.active = layer

    def clear(self, keep: Any = None) -> None:
        """Take all our layers away, except those of the slide to keep (an `Opened`)."""
        for _, layer in list(self.ours()):
            if keep is None or about_layer(layer).get("opened") is not keep:
                self.discard(layer)

    def in_order(self) -> list[Any]:
        """All layers of the viewer as they belong, from the bottom; those of others stay on top, as they are."""
        ours = {id(layer): _rank(key) for key, layer in self.ours()}
        return sorted(self.viewer.layers, key=lambda layer: ours.get(id(layer), len(_ORDER)))

    def _insert(self, values: Any, options: dict[str, Any], kind: str, place: int) -> Any:
        selected = set(self.viewer.layers.selection)
        options["metadata"].setdefault("adata", no_table())
        with whoever_listens(self.viewer):
            layer = getattr(self.viewer, f"add_{kind}")(values, **options)
            at = self.viewer.layers.index(layer)
            if place < at:
                self.viewer.layers.move(at, place)
            if selected:
                # a new layer takes the selection, and with it the user's tools, away from the layer in hand
                self.viewer.layers.selection = {each for each in selected if each in self.viewer.layers} or {layer}
        return layer

    def _place(self, key: str) -> int:
        """Where a new layer belongs: below the first of ours that comes after it."""
        for at, layer in enumerate(self.viewer.layers):
            about = about_layer(layer)
            if about and _rank(str(about.get("key", ""))) > _rank(key):
                return at
        return len(self.viewer.layers)


def _rank(key: str) -> int:
    group = key.split(":")[0].split("_")[0]
    return _ORDER.index(group) if group in _ORDER else len(_ORDER)


def _fits(layer: Any, values: Any, options: dict[str, Any], kind: str) -> bool:
    """Whether a layer can take the data as it is."""
    if type(layer).__name__ != _KINDS.get(kind, kind.title()):
        return False
    if kind == "image":
        same = bool(options.get("rgb", False)) == bool(layer.rgb)
        return same and not layer.multiscale and not isinstance(values, list)
    return kind in ("points", "labels")


def _update(layer: Any, values: Any, options: dict[str, Any]) -> None:
    metadata = options.pop("metadata")
    features = options.pop("features", None)
    if not _is_there(layer.data, values):
        layer.data = values
    if features is not None:
        _set_features(layer, features)
    for name, value in options.items():
        # napari draws a layer anew for each attribute that is set, also to what it is
        if name not in _KEPT and not _is_there(getattr(layer, name, None), value):
            _set(layer, name, value)
    layer.metadata = {**layer.metadata, **metadata}


def _set(layer: Any, name: str, value: Any) -> None:
    """Set an attribute; colours of points are told, and drawn, once: napari tells them twice."""
    if name == "face_color" and hasattr(getattr(layer, "_face", None), "events"):
        with layer.events.face_color.blocker():
            layer.face_color = value
        return
    setattr(layer, name, value)


def _set_features(layer: Any, features: Any) -> None:
    """Set features; columns that are there take their new values in place: napari checks a new table for 5 ms."""
    table = layer.features
    if not isinstance(features, dict) or set(features) != set(table.columns) or not _columns_fit(table, features):
        layer.features = features
        return
    for name, values in features.items():
        table[name] = values
    layer.refresh_text()
    layer.events.properties()
    layer.events.features()


def _columns_fit(table: Any, features: dict[str, Any]) -> bool:
    """Whether values are as many as those of a table, and numbers where it has numbers."""
    alike = (np.asarray(values).dtype.kind in "biuf" for values in features.values())
    numbers = (table[name].dtype.kind in "biuf" for name in features)
    return all(len(values) == len(table) for values in features.values()) and list(alike) == list(numbers)


def _is_there(old: Any, new: Any) -> bool:
    """Whether a layer has these numbers or symbols already; a single one may stand for one of each point."""
    if old is new:
        return True
    if hasattr(old, "colors"):  # a colormap, known by its name: another one is a program of its own for the card
        return str(getattr(old, "name", "")) == str(getattr(new, "name", new))
    if isinstance(old, np.ndarray) and old.dtype == object:  # symbols, which are no numbers
        wanted = np.asarray(new, dtype=str)
        if wanted.shape == ():  # one of thousands of points: each kind of symbol is looked at once
            kinds = {id(each): each for each in old.tolist()}  # their own hash makes a text of each
            return {str(each) for each in kinds.values()} <= {str(wanted)}
        texts = np.asarray([str(each) for each in old])
        return wanted.shape in ((), texts.shape) and bool(np.all(texts == wanted))
    try:
        before, now = np.asarray(old, dtype=np.float64), np.asarray(new, dtype=np.float64)
    except (TypeError, ValueError):  # names, units
        return False
    return (before.shape == now.shape or now.ndim == 0) and bool(np.all(before == now))
