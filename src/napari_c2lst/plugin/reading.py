"""napari's reader: slides by drag and drop or File > Open."""

from collections.abc import Callable, Sequence
from pathlib import Path

from .layers import LayerData, slide_layers

Reader = Callable[[str | Sequence[str]], list[LayerData]]


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
    return read_slide if is_slide(Path(path)) else None


def is_slide(path: Path) -> bool:
    """Whether a path is a folder or store that `open_slide` takes; images alone are left to napari's own readers."""
    if not path.is_dir() and path.suffix != ".h5ad":
        return False
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


def read_slide(path: str | Sequence[str]) -> list[LayerData]:
    """Open a slide lazily as layers: the image, and its spots if it has any.

    Raises
    ------
    InputError
        If the slide is damaged or its parts do not belong together.
    """
    from napari_c2lst.slides.opening import open_slide

    return slide_layers(open_slide(path if isinstance(path, str) else path[0]))
