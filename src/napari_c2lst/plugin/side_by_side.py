"""Two layers beside each other over the same tissue, moving together (napari's grid)."""

from __future__ import annotations

from typing import Any

from .layer_stack import LayerStack

_IMAGE, _COPY = "image", "image_beside"


class SideBySide:
    """Left and right view of one slide.

    Parameters
    ----------
    stack
        The layers.
    """

    def __init__(self, stack: LayerStack) -> None:
        self.stack = stack
        self._visible: dict[str, bool] = {}
        self._before: tuple[bool, int, tuple[int, int]] | None = None

    def begin(self, left: str, right: str) -> None:
        """Show the layers of two keys, each over the tissue; everything else of ours is hidden meanwhile."""
        self.end()
        layers = self.stack.viewer.layers
        image, ones = self.stack.layer(_IMAGE), [self.stack.layer(left), self.stack.layer(right)]
        if image is None or None in ones:
            return
        data, options, kind = image.as_layer_data_tuple()
        copy = self.stack.add_or_update((data, {**options, "name": f"{image.name} (right)"}, kind), _COPY)
        shown = [image, ones[0], copy, ones[1]]
        self._visible = {key: layer.visible for key, layer in self.stack.ours() if key != _COPY}
        for layer in list(layers):
            layer.visible = any(layer is each for each in shown)
        # the four lie at the bottom, in pairs: with a positive stride napari fills the grid from there, pair by pair
        for place, layer in enumerate(shown):
            layers.move(layers.index(layer), place)
        grid = self._grid()
        self._before = (grid.enabled, grid.stride, tuple(grid.shape))
        grid.stride, grid.shape, grid.enabled = 2, (1, 2), True

    def end(self) -> None:
        """Bring the single view back, with the layers as they were."""
        if self._before is None:
            return
        grid = self._grid()
        grid.enabled, grid.stride, grid.shape = self._before
        self._before = None
        self.stack.remove(_COPY)
        for key, layer in self.stack.ours():
            if key in self._visible:
                layer.visible = self._visible[key]
        self._reorder()

    def _grid(self) -> Any:
        """The grid; napari keeps it in its canvas since 0.9."""
        return getattr(self.stack.viewer, "canvas", self.stack.viewer).grid

    def _reorder(self) -> None:
        layers: Any = self.stack.viewer.layers
        for place, layer in enumerate(self.stack.in_order()):
            if layers.index(layer) != place:
                layers.move(layers.index(layer), place)
