"""The command "Open slide...": one dialog for every kind of slide, which never asks for a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .opener import open_in_viewer
from .picker import SlideDialog


def open_slide_dialog() -> None:
    """Ask for a slide and open it in the viewer that is in front."""
    import napari

    viewer = napari.current_viewer()
    if viewer is not None:
        ask_and_open(viewer)


def ask_and_open(viewer: Any) -> str:
    """Ask for a slide and open it; the path, or nothing when the user thought better of it."""
    from napari.utils.history import get_open_history, update_open_history

    recent = next((folder for folder in get_open_history() if Path(folder).is_dir()), str(Path.home()))
    window = getattr(getattr(viewer, "window", None), "_qt_window", None)
    path = SlideDialog.ask(window, recent)
    if path:
        update_open_history(path)
        open_in_viewer(viewer, path)
    return path
