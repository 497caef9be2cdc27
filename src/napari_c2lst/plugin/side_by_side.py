"""Two layers beside each other over the same tissue, moving together (napari's grid)."""

from __future__ import annotations

from typing import Any

from .layer_stack import LayerStack
from .viewer_parts import camera, sees_all

View = tuple[tuple[float, ...], float]
_IMAGE, _COPY = "image", "image_beside"


class SideBySide:
    """Left and right view of one slide.

    Who saw the whole slide sees it whole in each half, and as before in the end; who looked at a place stays there.

    Parameters
    ----------
    stack
        The layers.
    """

    def __init__(self, stack: LayerStack) -> None:
        self.stack = stack
        self._visible: dict[str, bool] = {}
        self._before: tuple[bool, int, tuple[int, int]] | None = None
        self._fitted: tuple[View, View] | None = None  # the view before both halves were fitted, and after

    def begin(self, left: str, right: str) -> None:
        """Show the layers of two keys, each over the tissue; everything else of ours is hidden meanwhile."""
        self.end()
        layers = self.stack.viewer.layers
        image, ones = self.stack.layer(_IMAGE), [self.stack.layer(left), self.stack.layer(right)]
        if image is None or None in ones:
            return
        data, options, kind = image.as_layer_data_tuple()
        copy = self.stack.add_or_update((data, {**options, "name": f"{image.name} (right)"}, kind), _COPY)
        whole = sees_all(self.stack.viewer, image)
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
        if whole:
            self._fit()

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
        self._unfit()

    def _fit(self) -> None:
        """See the whole slide in each half. Spots beyond the edge of a half would also be drawn at twice the cost."""
        before = self._view()
        self.stack.viewer.reset_view()
        self._fitted = before, self._view()

    def _unfit(self) -> None:
        """The view before, unless the user has moved since."""
        fitted, self._fitted = self._fitted, None
        if fitted is not None and self._view() == fitted[1]:
            view = camera(self.stack.viewer)
            view.center, view.zoom = fitted[0]

    def _view(self) -> View:
        view = camera(self.stack.viewer)
        return tuple(view.center), float(view.zoom)

    def _grid(self) -> Any:
        """The grid; napari keeps it in its canvas since 0.9."""
        return getattr(self.stack.viewer, "canvas", self.stack.viewer).grid

    def _reorder(self) -> None:
        layers: Any = self.stack.viewer.layers
        for place, layer in enumerate(self.stack.in_order()):
            if layers.index(layer) != place:
                layers.move(layers.index(layer), place)
