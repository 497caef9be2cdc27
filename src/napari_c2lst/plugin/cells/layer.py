"""Cells as napari's layer data; nothing here needs a viewer or a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.plugin.layers.placing import LayerData, pixel_um

from .raster import CellRaster
from .styles import CellLook, Rgb

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

KEY = "cells"


def cells_layer(slide: Slide, raster: CellRaster, name: str, colormap: Any) -> LayerData:
    """A raster of cells on its slide.

    Parameters
    ----------
    name
        What the layer is called.
    colormap
        From `layer_colours`.
    """
    mpp = pixel_um(slide)
    # napari's (0, 0) is the centre of the first pixel, a slide's its corner
    first = (0.5 / raster.zoom - 0.5) * mpp
    options = {
        "name": name,
        "multiscale": True,
        "colormap": colormap,
        "opacity": 1.0,
        "blending": "translucent",
        "cache": False,
        "scale": (mpp / raster.zoom,) * 2,
        "translate": (first, first),
        "features": hover_words(raster),
    }
    return list(raster.levels), options, "labels"


def layer_colours(raster: CellRaster, palette: list[Rgb], visible: NDArray[np.bool_], look: CellLook) -> Any:
    """The colours of a raster's numbers as napari takes them."""
    from napari.utils.colormaps import CyclicLabelColormap

    # as many colours as numbers: nothing goes round. A colormap by a dictionary takes two seconds to be compiled
    return CyclicLabelColormap(colors=raster.codes.colours(palette, visible, look))


def hover_words(raster: CellRaster) -> dict[str, list[Any]]:
    """What the status bar says of a pixel: the type of the nucleus, or of the most frequent ones."""
    codes = raster.codes
    index, words = [codes.picked], ["the chosen cell"]
    for t, name in enumerate(raster.columns.types):
        index += [int(codes.fill[t]), int(codes.outline[t]), *(int(each) for each in codes.density[t])]
        words += [name, name, *([f"mostly {name}"] * (codes.density.shape[1] - 1)), name]
    return {"index": index, "type": words}
