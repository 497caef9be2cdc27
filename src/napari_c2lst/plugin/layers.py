"""The layers of a slide, as napari's layer data tuples; nothing here needs a viewer or a screen."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

LayerData = tuple[Any, dict[str, Any], str]

# When neither the slide nor the array says how wide a spot is.
_SPOT_UM = 55.0
_SPOT_PX = 50.0
_SPOT_COLOUR = "#ffd54a"


def slide_layers(slide: "Slide") -> list[LayerData]:
    """The image as a lazy pyramid and the spots as points above it, both in microns.

    Parameters
    ----------
    slide
        An open slide.

    Returns
    -------
    list of (data, options, kind)
        All layers carry the same scale and units: one layer in pixels beside layers in microns would misalign them.
    """
    layers = [image_layer(slide)]
    if slide.spots is not None:
        layers.append(spots_layer(slide))
    return layers


def image_layer(slide: "Slide") -> LayerData:
    """The image, finest level first; no pixel is read before it is shown."""
    levels = [np.moveaxis(level, 0, -1) for level in slide.pyramid.levels]  # (3, h, w) -> (h, w, 3), lazy
    several = len(levels) > 1
    options = {"name": slide.name, "rgb": True, "multiscale": several, **_placed(slide)}
    return levels if several else levels[0], options, "image"


def spots_layer(slide: "Slide") -> LayerData:
    """The spots as circles of their real size, named by their ids.

    Raises
    ------
    InputError
        If the slide is an image alone.
    """
    spots = slide.require_spots()
    options = {
        "name": f"{slide.name} spots",
        "features": {"spot": [str(name) for name in spots.ids]},
        "size": spot_size_px(slide),
        "symbol": "disc",
        "face_color": "transparent",
        "border_color": _SPOT_COLOUR,
        "border_width": 0.08,
        **_placed(slide),
    }
    # a slide's (0, 0) is the image's corner, napari's is the centre of the first pixel
    return spots.yx - 0.5, options, "points"


def spot_size_px(slide: "Slide") -> float:
    """Diameter of a spot in level-0 pixels."""
    if slide.microns is None:
        return _SPOT_PX
    diameter_um = slide.spots.diameter_um if slide.spots is not None else None
    return float((diameter_um or _SPOT_UM) / slide.microns.value)


def _placed(slide: "Slide") -> dict[str, Any]:
    microns = slide.microns
    said = {"value": microns.value, "source": microns.source, "detail": microns.detail} if microns else None
    mpp, unit = (microns.value, "um") if microns else (1.0, "pixel")
    metadata = {"c2lst": {"path": str(slide.path), "slide": slide.name, "microns_per_pixel": said}}
    return {"scale": (mpp, mpp), "units": (unit, unit), "metadata": metadata}
