"""Gene maps as napari's layer data tuples; nothing here needs a viewer or a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_c2lst.plugin.layers.placing import LayerData, pixel_um, placed
from napari_c2lst.plugin.layers.slide_layers import spot_size_px

from .colours import layer_colormap, rgba
from .shown import Legend
from .surfaces import Surface
from .values import MapValues, Values

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

# keys: the map as spots, the map as an image, and what was measured, on the left of it
SPOTS_KEY, IMAGE_KEY, LEFT_KEY = "map_spots", "map_image", "map_left"
_SPOT_NAMES: WeakKeyDictionary[MapValues, list[str]] = WeakKeyDictionary()
NAMES = {SPOTS_KEY: "Gene map", IMAGE_KEY: "Gene map", LEFT_KEY: "Gene map, measured"}


def spots_map(slide: Slide, values: MapValues, numbers: Values, legend: Legend, key: str = SPOTS_KEY) -> LayerData:
    """A map as discs of the spots' real size.

    Parameters
    ----------
    numbers
        (n,) one number for each predicted spot.
    """
    options = {
        "name": NAMES[key],
        "size": spot_size_px(slide),
        "symbol": "disc",
        "face_color": rgba(numbers, legend.limits, legend.colours),
        "border_width": 0,
        "opacity": 0.9,
        "features": {"spot": spot_names(slide, values), "value": np.round(numbers, 3)},
        **_placed(slide, key, values, legend),
    }
    return values.yx - 0.5, options, "points"  # napari's (0, 0) is the centre of the first pixel, a slide's its corner


def image_map(
    slide: Slide, values: MapValues, surface: Surface, image: Values, legend: Legend, key: str = IMAGE_KEY
) -> LayerData:
    """A map as an image, a grid's squares or smooth between the spots.

    Parameters
    ----------
    image
        (rows, columns) in the pixels of `surface`; NaN is transparent.
    """
    mpp = pixel_um(slide)
    options = {
        "name": NAMES[key],
        "colormap": layer_colormap(legend.colours),
        "contrast_limits": legend.limits,
        "interpolation2d": "nearest",
        "opacity": 0.75,
        "blending": "translucent",
        **_placed(slide, key, values, legend),
        "scale": (surface.step_px * mpp,) * 2,
        "translate": tuple((surface.origin_px - 0.5) * mpp),
    }
    return image, options, "image"


def spot_names(slide: Slide, values: MapValues) -> list[str]:
    """(n,) the names of the predicted spots; worked out once for all genes."""
    assert values.spot is not None
    if values not in _SPOT_NAMES:
        _SPOT_NAMES[values] = [str(name) for name in slide.require_spots().ids[values.spot]]
    return _SPOT_NAMES[values]


def _placed(slide: Slide, key: str, values: MapValues, legend: Legend) -> dict[str, Any]:
    said = {"prediction": values.prediction.key, "gene": legend.gene, "what": legend.what, "unit": legend.unit}
    options = placed(slide, key)
    options["metadata"]["c2lst"].update(said)
    return options
