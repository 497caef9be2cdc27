"""A layer that lies in napari only, from another plugin or a notebook, made the open slide."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import C2LError, InputError
from napari_c2lst.plugin.jobs.temporary_store import TemporaryStores, slide_of_array
from napari_c2lst.plugin.layers.placing import about_layer
from napari_c2lst.plugin.parts.latest import told_as
from napari_c2lst.plugin.reading import can_open
from napari_c2lst.plugin.shared import Shared, shared_of

from .opener import opener_of

_CHOOSE = "click the layer of the stained tissue in napari's list of layers, then try again"


def use_active_layer() -> None:
    """The command: make the chosen image layer of the viewer in front the open slide."""
    import napari

    viewer = napari.current_viewer()
    if viewer is not None:
        use_layer(shared_of(viewer), getattr(getattr(viewer, "window", None), "_qt_window", None))


def use_layer(shared: Shared, parent: Any = None) -> bool:
    """Make the chosen image layer the open slide; what is wrong is told. Whether it is being opened.

    Parameters
    ----------
    parent
        The window that may ask for the size of a pixel.
    """
    try:
        layer = checked(shared.canvas.stack.chosen_image())
        file = file_of(layer)
        mpp = microns_of(layer)
    except C2LError as error:
        shared.session.tell("error", error.message, error.hint)
        return False
    if mpp is None and file is None:
        agreed, mpp = ask_microns(layer, parent)
        if not agreed:
            return False
    stores, image = shared.jobs.temporary, layer.data[0] if layer.multiscale else layer.data

    def opened() -> None:
        shared.canvas.stack.hide(layer)  # in pixels it would lie askew beside layers in microns
        if file is None:
            shared.session.tell("warning", *_TEMPORARY)

    opener_of(shared).open_made(layer.name, lambda: file or _written(image, mpp, layer.name, stores), then=opened)
    return True


def checked(layer: Any) -> Any:
    """A layer that can be a slide.

    Raises
    ------
    InputError
        If there is none, or it is no picture of stained tissue.
    """
    if layer is None:
        raise InputError("no image layer is chosen", _CHOOSE)
    if type(layer).__name__ != "Image":
        raise InputError(f"'{layer.name}' holds {type(layer).__name__.lower()}, not an image", _CHOOSE)
    if about_layer(layer):
        raise InputError(f"'{layer.name}' belongs to the slide that is open", "choose an image layer of your own")
    if not layer.rgb:
        raise InputError(
            f"'{layer.name}' is a grey image: stained tissue is read from its colours",
            "choose an image in colour, or select three channels, right-click and choose Merge to RGB",
        )
    if layer.ndim != 2:
        raise InputError(f"'{layer.name}' is a stack of images", "choose a layer of a single image")
    if str(layer.dtype) != "uint8":
        raise InputError(
            f"'{layer.name}' holds {layer.dtype} numbers, not colours of 8 bits",
            "add it again as uint8, 0 to 255 (skimage.util.img_as_ubyte does that)",
        )
    return layer


def file_of(layer: Any) -> Path | None:
    """The file of a layer, where that is a slide by itself: it is opened instead of a copy."""
    path = getattr(getattr(layer, "source", None), "path", None)
    return Path(path) if path and can_open(Path(path)) else None


def microns_of(layer: Any) -> float | None:
    """Microns per pixel by the layer's scale; None where its units are no lengths.

    Raises
    ------
    InputError
        If its pixels are not square.
    """
    scale, units = abs(layer.scale[-2:]), layer.units[-2:]  # below 0 it is mirrored
    try:
        sides = [float((float(s) * unit).to("micrometer").magnitude) for s, unit in zip(scale, units, strict=True)]
    except Exception:  # pint has an error of its own for units that are no lengths, such as pixels
        return None
    if abs(sides[0] - sides[1]) > 0.01 * sides[0]:
        raise InputError(
            f"the pixels of '{layer.name}' are not square: {sides[0]:g} by {sides[1]:g} µm", "resample the image first"
        )
    return sides[1]


def ask_microns(layer: Any, parent: Any) -> tuple[bool, float | None]:
    """Whether the user goes on, and the microns per pixel; None where they are not known."""
    from qtpy.QtWidgets import QInputDialog

    given = float(layer.scale[-1])
    text = f"Microns per pixel of '{layer.name}' (0 = not known):"
    first = given if given != 1 else 0.0
    value, agreed = QInputDialog.getDouble(parent, "Use this image layer", text, first, 0.0, 100.0, 4)
    return bool(agreed), value or None


_TEMPORARY = (
    "the layer was in memory only: it and its results lie in a temporary store that is removed at the end",
    "save a copy (Keep) before you close the viewer",
)


def _written(image: Any, mpp: float | None, name: str, stores: TemporaryStores) -> Path:
    with told_as("the layer cannot be written to a temporary store", "free some space on the disk, then try again"):
        return stores.write(slide_of_array(image, mpp, _file_name(name)))


def _file_name(name: str) -> str:
    """A layer's name as a file may be called."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "layer"
