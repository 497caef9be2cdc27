"""The layers of a slide as napari's layer data tuples; nothing here needs a viewer or a screen."""

from .placing import LayerData, Opened, opened_of, placed
from .slide_layers import image_layer, slide_layers, spot_size_px, spots_layer

__all__ = [
    "LayerData",
    "Opened",
    "image_layer",
    "opened_of",
    "placed",
    "slide_layers",
    "spot_size_px",
    "spots_layer",
]
