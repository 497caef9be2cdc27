"""Parts of a viewer that have moved between versions of napari, and a way to wait for its event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def soon(function: Callable[[], None]) -> None:
    """Call when the layers that are being added are all there; at once where no window waits for events."""
    from qtpy.QtCore import QCoreApplication, QTimer

    if QCoreApplication.instance() is None:
        function()
    else:
        QTimer.singleShot(0, function)


def camera(viewer: Any) -> Any:
    """The camera; napari keeps it in its scene since 0.9."""
    return getattr(viewer, "scene", viewer).camera


def scale_bar(viewer: Any) -> Any:
    """The scale bar; napari keeps it in its canvas since 0.9."""
    return getattr(getattr(viewer, "canvas", None), "overlays", viewer).scale_bar


def canvas_px(viewer: Any) -> float:
    """Shorter side of the canvas in screen pixels."""
    window = getattr(viewer, "window", None)
    size = getattr(getattr(getattr(window, "_qt_viewer", None), "canvas", None), "size", None)
    return float(min(size)) if size else 600.0
