"""From where the mouse points to pixels of the slide and back, wherever its layers were moved, turned or scaled to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .layers.placing import pixel_um
from .layers.slide_layers import IMAGE, SPOTS

if TYPE_CHECKING:
    from .canvas import Canvas

NEAR_UM = 1000.0
"""How much of the tissue is seen around a spot that one is led to: its neighbours, and where it lies among them."""

# A slide's (0, 0) is the image's corner, napari's is the centre of the first pixel.
_HALF = 0.5


class Pointing:
    """Where things of the open slide are in the viewer's world.

    Spots are where their layer shows them: the user, or another program, may have moved, turned or scaled it.

    Parameters
    ----------
    canvas
        The layers of the slide.
    """

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas

    def matrix(self) -> NDArray[np.float64]:
        """(3, 3) from layer data (y, x, 1), which are level-0 pixels less a half, to the world."""
        layer = self._canvas.layer(SPOTS)
        if layer is None:
            layer = self._canvas.layer(IMAGE)
        if layer is not None:
            return matrix_of(layer)
        slide = self._canvas.session.slide
        um = 1.0 if slide is None else pixel_um(slide)
        return np.diag([um, um, 1.0])

    def to_px(self, world: NDArray[np.floating] | tuple[float, ...]) -> NDArray[np.float64]:
        """(..., 2) level-0 pixels (y, x) of places in the world."""
        return _apply(np.linalg.inv(self.matrix()), world) + _HALF

    def to_world(self, yx_px: NDArray[np.floating]) -> NDArray[np.float64]:
        """(..., 2) places in the world of level-0 pixels (y, x)."""
        return _apply(self.matrix(), np.asarray(yx_px, dtype=float) - _HALF)

    def px_of(self, layer: Any, data: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 2) level-0 pixels of data of any layer, as they are seen over the spots."""
        return self.to_px(_apply(matrix_of(layer), np.asarray(data, dtype=float)[..., -2:]))

    def data_in(self, layer: Any, yx_px: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 2) data of a layer that are seen at level-0 pixels."""
        return _apply(np.linalg.inv(matrix_of(layer)), self.to_world(yx_px))

    def transformation(self) -> dict[str, Any]:
        """How a new layer of level-0 pixels is to be placed so that it lies on the spots."""
        matrix = self.matrix()
        # napari sizes points by a layer's scale alone, so all that is not scale goes into the affine
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2])))) or 1.0
        affine = matrix.copy()
        affine[:2, :2] /= scale
        return {"scale": (scale, scale), "affine": affine}


def matrix_of(layer: Any) -> NDArray[np.float64]:
    """(3, 3) from a layer's data (y, x, 1) of the last two axes to the world."""
    rest = [0.0] * (layer.ndim - 2)
    points = [np.asarray(layer.data_to_world([*rest, *at]), dtype=float)[-2:] for at in ((0, 0), (1, 0), (0, 1))]
    matrix = np.eye(3)
    matrix[:2, 0], matrix[:2, 1], matrix[:2, 2] = points[1] - points[0], points[2] - points[0], points[0]
    return matrix


def _apply(matrix: NDArray[np.float64], yx: NDArray[np.floating] | tuple[float, ...]) -> NDArray[np.float64]:
    return np.asarray(yx, dtype=float)[..., -2:] @ matrix[:2, :2].T + matrix[:2, 2]
