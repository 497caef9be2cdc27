"""napari's reader: slides by drag and drop or File > Open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .layers import LayerData, slide_layers
from .sample_data import is_sample, read_sample

Reader = Callable[[str | Sequence[str]], list[Any]]

# Kinds of files that are ours to read; plain TIFF, PNG and JPEG are left to napari's own readers.
SCANS = (".svs", ".ndpi", ".scn", ".btf")
_FILES = (*SCANS, ".h5ad", ".tsv", ".tsv.gz")
# What a reader gives napari when there is nothing to add (yet).
NOTHING_YET: list[Any] = [(None,)]


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """The reader for a path, or None when it is no slide of ours.

    This only peeks: it looks at names and at the store's own description, never at an image or a table.

    Parameters
    ----------
    path
        One path, or several that are to be opened together (a stack, which slides are not).
    """
    if not isinstance(path, str):
        if len(path) != 1:
            return None
        path = path[0]
    if is_sample(path):
        return read_sample
    return read_slide if is_slide(Path(path)) else None


def is_slide(path: Path) -> bool:
    """Whether a path is something that we rather than napari itself should open."""
    if not path.is_dir() and not path.name.lower().endswith(_FILES):
        return False
    return can_open(path)


def can_open(path: Path) -> bool:
    """Whether `open_slide` takes a path, by its looks."""
    from napari_c2lst.common.errors import InputError
    from napari_c2lst.slides.opening import find_reader
    from napari_c2lst.slides.readers.store import is_store

    try:
        find_reader(path)
        return _is_spatialdata(path) if is_store(path) else True
    except (InputError, OSError):
        return False


def _is_spatialdata(store: Path) -> bool:
    """Whether a zarr store is a SpatialData, as it says itself or by the names of its groups."""
    for name in (".zattrs", "zarr.json"):
        file = store / name
        if file.is_file() and "spatialdata_attrs" in file.read_text(errors="replace"):
            return True
    return (store / "images").is_dir() and any((store / name).is_dir() for name in ("shapes", "tables", "points"))


def read_slide(path: str | Sequence[str]) -> list[Any]:
    """Open a slide lazily as layers: the image, and its spots if it has any.

    In a window at work (a drop, a menu) nothing is returned: the slide is opened in a thread and shown when it is
    there, or the user is told what is wrong. Called from a script, the layers come back at once.

    Raises
    ------
    InputError
        From a script: if the slide is damaged or its parts do not belong together.
    """
    path = path if isinstance(path, str) else path[0]
    viewer = viewer_at_work()
    if viewer is not None:
        from .opening import open_in_viewer

        open_in_viewer(viewer, path)
        return NOTHING_YET
    return layers_of(path)


def layers_of(path: str | Path) -> list[LayerData]:
    """The layers of a slide, read here and now."""
    from napari_c2lst.slides.opening import open_slide

    return slide_layers(open_slide(path))


def viewer_at_work() -> Any | None:
    """The viewer, if we are called out of its event loop: then nothing may take seconds. None in a script."""
    try:
        import napari
        from qtpy.QtCore import QCoreApplication, QThread
    except ImportError:
        return None
    if QCoreApplication.instance() is None or QThread.currentThread().loopLevel() == 0:
        return None
    viewer = napari.current_viewer()
    return viewer if viewer is not None and hasattr(viewer, "window") else None
