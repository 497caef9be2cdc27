"""Where layers lie, and how a layer says which slide it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

LayerData = tuple[Any, dict[str, Any], str]
KEY = "c2lst"
MICRONS = "c2lst_microns"  # the coordinate system of the window, as napari-spatialdata is lent it


@dataclass(frozen=True, eq=False)
class Opened:
    """A slide and how it was opened; layers carry it, so that panels know the slide of a layer that was dropped.

    Attributes
    ----------
    slide
        The slide.
    opening
        Arguments of `open_slide` besides the path.
    """

    slide: Slide
    opening: Mapping[str, Any] = field(default_factory=dict)

    def __deepcopy__(self, memo: object) -> Opened:
        """Itself: napari copies the metadata of a layer that is duplicated, and a slide may hold gigabytes."""
        return self


def placed(slide: Slide, key: str = "", opened: Opened | None = None) -> dict[str, Any]:
    """Scale, units and metadata of a layer whose data are level-0 pixels of the slide's image.

    All layers of a slide carry the same units: one layer in pixels beside layers in microns would misalign them.

    Parameters
    ----------
    key
        Stable name of the layer among those of its slide ("image", "spots", ...).
    opened
        What the layer is to remember its slide by.
    """
    mpp = pixel_um(slide)
    unit = "pixel" if slide.microns is None else "um"
    return {"scale": (mpp, mpp), "units": (unit, unit), "metadata": {KEY: described(slide, key, opened)}}


def pixel_um(slide: Slide) -> float:
    """World units per level-0 pixel: microns, or pixels where the size of a pixel is not known."""
    return 1.0 if slide.microns is None else slide.microns.value


def described(slide: Slide, key: str, opened: Opened | None = None) -> dict[str, Any]:
    """What every layer of ours says about itself under "c2lst" in its metadata."""
    microns = slide.microns
    said = {"value": microns.value, "source": microns.source, "detail": microns.detail} if microns else None
    about = {"path": str(slide.path), "slide": slide.name, "microns_per_pixel": said, "key": key}
    return about if opened is None else {**about, "opened": opened}


def opened_of(layer: Any) -> Opened | None:
    """The slide a layer of ours belongs to; None for any other layer."""
    found = about_layer(layer).get("opened")
    return found if isinstance(found, Opened) else None


def about_layer(layer: Any) -> Mapping[str, Any]:
    """What a layer of ours says about itself; empty for any other layer."""
    about = (getattr(layer, "metadata", None) or {}).get(KEY)
    return about if isinstance(about, Mapping) else {}


def mend_units(layer: Any) -> None:
    """Give a layer that another plugin made in our coordinates their units: it knows none, napari mixes none."""
    if (getattr(layer, "metadata", None) or {}).get("_current_cs") == MICRONS and not about_layer(layer):
        layer.units = (*layer.units[:-2], "um", "um")


def affine_of_raster(slide: Slide, matrix: NDArray[np.float64], offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) affine for a raster that carries the slide's scale; the raster may be turned or sheared.

    Parameters
    ----------
    matrix, offset
        Level-0 pixels (y, x) of the centre of raster pixel (row, column): `(row, column) @ matrix.T + offset`.
    """
    affine = np.eye(3)
    affine[:2, :2] = matrix
    # a slide's (0, 0) is the image's corner, napari's is the centre of the first pixel
    affine[:2, 2] = pixel_um(slide) * (np.asarray(offset) - 0.5)
    return affine


def to_world(slide: Slide, yx_px: NDArray[np.floating]) -> NDArray[np.float64]:
    """Level-0 pixels (..., 2) to the viewer's coordinates."""
    return (np.asarray(yx_px, dtype=float) - 0.5) * pixel_um(slide)


def from_world(slide: Slide, position: NDArray[np.floating]) -> NDArray[np.float64]:
    """The viewer's coordinates (..., 2) to level-0 pixels."""
    return np.asarray(position, dtype=float) / pixel_um(slide) + 0.5
