"""The layer of cells in a viewer: made, coloured anew, drawn anew, taken away. It is made again if it was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .layer import KEY, cells_layer, layer_colours
from .raster import CellRaster
from .styles import CellLook, Rgb

if TYPE_CHECKING:
    from napari_c2lst.plugin.canvas import Canvas
    from napari_c2lst.slides.slide import Slide


class DrawnCells:
    """The cells on a canvas, as one layer.

    Parameters
    ----------
    canvas
        The layers of the slide.
    """

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas

    @property
    def seen(self) -> bool:
        """Whether the layer is there, and not hidden by the user."""
        layer = self._layer
        return layer is not None and bool(layer.visible)

    def draw(self, slide: Slide, raster: CellRaster, palette: list[Rgb], look: CellLook) -> None:
        """Show a raster, unless it is shown."""
        if self._layer is None:
            colormap = layer_colours(raster, palette, raster.visible, look)
            self._canvas.add_or_update(cells_layer(slide, raster, f"{slide.name} cells", colormap), KEY)

    def recolour(self, raster: CellRaster, palette: list[Rgb], look: CellLook, *, types: bool = False) -> None:
        """Other colours for what is shown; where other types are visible, densities are drawn anew."""
        layer = self._layer
        if layer is None:
            return
        layer.colormap = layer_colours(raster, palette, raster.visible, look)
        if types and raster.look(layer.data_level) == "density":
            self.refresh()

    def refresh(self) -> None:
        """Draw anew what is looked at."""
        layer = self._layer
        if layer is not None:
            layer.refresh(extent=False)

    def remove(self) -> None:
        """Take the layer away."""
        self._canvas.remove(KEY)

    @property
    def _layer(self) -> Any | None:
        return self._canvas.layer(KEY)
