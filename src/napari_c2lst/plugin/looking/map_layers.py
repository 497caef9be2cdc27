"""Gene maps as napari's layer data tuples; nothing here needs a viewer or a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_c2lst.plugin.layers import LayerData, spot_size_px

from .colours import layer_colormap, rgba
from .shown import Legend
from .surfaces import Surface
from .values import MapValues, Values

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

SPOTS_KEY, IMAGE_KEY = "map_spots", "map_image"


def spots_map(slide: Slide, values: MapValues, numbers: Values, legend: Legend) -> LayerData:
    """A map as discs of the spots' real size.

    Parameters
    ----------
    numbers
        (n,) one number for each predicted spot.
    """
    options = {
        "name": layer_name(legend),
        "size": spot_size_px(slide),
        "symbol": "disc",
        "face_color": rgba(numbers, legend.limits, legend.colours),
        "border_width": 0,
        "opacity": 0.9,
        "features": {"spot": spot_names(slide, values), legend.what: np.round(numbers, 3)},
        **_placed(slide, SPOTS_KEY, values, legend),
    }
    return values.yx - 0.5, options, "points"  # napari's (0, 0) is the centre of the first pixel, a slide's its corner


def image_map(slide: Slide, values: MapValues, surface: Surface, image: Values, legend: Legend) -> LayerData:
    """A map as an image, a grid's squares or smooth between the spots.

    Parameters
    ----------
    image
        (rows, columns) in the pixels of `surface`; NaN is transparent.
    """
    mpp = slide.mpp if slide.microns is not None else 1.0
    options = {
        "name": layer_name(legend),
        "colormap": layer_colormap(legend.colours),
        "contrast_limits": legend.limits,
        "interpolation2d": "nearest",
        "opacity": 0.75,
        "blending": "translucent",
        **_placed(slide, IMAGE_KEY, values, legend),
        "scale": (surface.step_px * mpp,) * 2,
        "translate": tuple((surface.origin_px - 0.5) * mpp),
    }
    return image, options, "image"


def layer_name(legend: Legend) -> str:
    """What the layer is called in napari's list."""
    return f"{legend.gene}, {legend.what}"


def spot_names(slide: Slide, values: MapValues) -> list[str]:
    """(n,) the names of the predicted spots."""
    assert values.spot is not None
    return [str(name) for name in slide.require_spots().ids[values.spot]]


def _placed(slide: Slide, key: str, values: MapValues, legend: Legend) -> dict[str, Any]:
    mpp, unit = (slide.mpp, "um") if slide.microns is not None else (1.0, "pixel")
    said = {
        "key": key,
        "path": str(slide.path),
        "slide": slide.name,
        "prediction": values.prediction.key,
        "gene": legend.gene,
        "what": legend.what,
        "unit": legend.unit,
    }
    return {"scale": (mpp, mpp), "units": (unit, unit), "metadata": {"c2lst": said}}
