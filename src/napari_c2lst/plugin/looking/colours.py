"""The colours of maps: tables that colour-blind readers can tell apart, and values brought to them."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Colours = Literal["viridis", "magma", "difference"]
Rgba = NDArray[np.float32]

# Okabe-Ito's blue and vermilion with a light grey between: less, the same, more
_LESS, _MIDDLE, _MORE = (0.0, 0.447, 0.698), (0.955, 0.955, 0.955), (0.835, 0.369, 0.0)
_STEPS = 256
NOTHING = (0.0, 0.0, 0.0, 0.0)


@cache
def table_of(colours: Colours) -> Rgba:
    """(256, 4) red, green, blue and opacity in [0, 1], from the lowest value to the highest."""
    if colours == "difference":
        at = np.linspace(0, 1, _STEPS)
        ends = np.array([_LESS, _MIDDLE, _MORE])
        parts = [np.interp(at, [0, 0.5, 1], ends[:, i]) for i in range(3)]
        return np.stack([*parts, np.ones(_STEPS)], axis=1).astype(np.float32)
    from napari.utils.colormaps import ensure_colormap

    return np.asarray(ensure_colormap(colours).map(np.linspace(0, 1, _STEPS)), dtype=np.float32)


def rgba(values: NDArray[np.floating], limits: tuple[float, float], colours: Colours) -> Rgba:
    """Colours of values of any shape, (..., 4); transparent where a value is NaN."""
    low, high = limits
    share = np.clip((values - low) / (high - low), 0, 1)
    missing = ~np.isfinite(share)
    index = (np.where(missing, 0, share) * (_STEPS - 1) + 0.5).astype(np.int64)
    painted = table_of(colours)[index]
    painted[missing] = NOTHING
    return painted


def layer_colormap(colours: Colours) -> object:
    """The same as napari's image layers take it."""
    if colours != "difference":
        return colours
    from napari.utils.colormaps import Colormap

    return Colormap(table_of("difference"), name="c2lst difference", display_name="lower – higher")
