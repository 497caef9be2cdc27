"""Parts of a viewer that have moved between versions of napari, and a way to wait for its event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def soon(function: Callable[[], None]) -> None:
    """Call when the layers that are being added are all there; at once where no window waits for events."""
    from qtpy.QtCore import QCoreApplication, QTimer

    if QCoreApplication.instance() is None:
        function()
    else:
        QTimer.singleShot(0, function)


@contextmanager
def whoever_listens(viewer: Any) -> Iterator[None]:
    """Change layers and what is selected: a widget of another plugin that fails at it does not end it half-way.

    Napari hands errors of listeners on to who made the change, before the other listeners have heard of it.
    """
    events = viewer.layers.selection.events
    emitters = (events.changed, events.active)
    before = [emitter.ignore_callback_errors for emitter in emitters]
    for emitter in emitters:
        emitter.ignore_callback_errors = True  # they are logged
    try:
        yield
    finally:
        for emitter, was in zip(emitters, before, strict=True):
            emitter.ignore_callback_errors = was


def camera(viewer: Any) -> Any:
    """The camera; napari keeps it in its scene since 0.9."""
    return getattr(viewer, "scene", viewer).camera


def scale_bar(viewer: Any) -> Any:
    """The scale bar; napari keeps it in its canvas since 0.9."""
    return getattr(getattr(viewer, "canvas", None), "overlays", viewer).scale_bar


def canvas_px(viewer: Any) -> float:
    """Shorter side of the canvas in screen pixels."""
    return float(min(_canvas_size(viewer)))


def sees_all(viewer: Any, layer: Any) -> bool:
    """Whether a layer lies within the canvas from edge to edge, in two dimensions."""
    view = camera(viewer)
    half = np.asarray(_canvas_size(viewer), dtype=float) / (2 * view.zoom)
    centre = np.asarray(view.center[-2:], dtype=float)
    low, high = np.asarray(layer.extent.world, dtype=float)[:, -2:]
    slack = 0.01 * (high - low)  # a view that fits to the pixel
    return bool((low >= centre - half - slack).all() and (high <= centre + half + slack).all())


def _canvas_size(viewer: Any) -> tuple[float, float]:
    """Height and width of the canvas in screen pixels; napari's first ones for a viewer without a window."""
    window = getattr(viewer, "window", None)
    size = getattr(getattr(getattr(window, "_qt_viewer", None), "canvas", None), "size", None)
    return (float(size[0]), float(size[1])) if size else (800.0, 600.0)
