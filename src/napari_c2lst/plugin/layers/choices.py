"""Layers that mark spots: those chosen now, and those of named sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .placing import LayerData, placed
from .slide_layers import spot_size_px, spot_symbol

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.spotsets import SpotSet

CHOSEN, SETS = "chosen", "sets"
CHOSEN_COLOUR = "#ffffff"
# Okabe-Ito without yellow, which unmarked spots have, and grey, which held-out spots have
SET_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
HELD_OUT_COLOUR = "#9a9a9a"
_CLEAR = (0.0, 0.0, 0.0, 0.0)


def choice_layer(slide: Slide, mask: NDArray[np.bool_]) -> LayerData:
    """A bold ring around each chosen spot, outside the ring that a set may have."""
    options = _rings(slide, "chosen spots", CHOSEN_COLOUR, width=0.12)
    options["size"] = 1.3 * spot_size_px(slide)
    # only those points: napari 0.9.2 passes over `shown` where a layer has two axes
    return slide.require_spots().yx[np.asarray(mask, dtype=bool)] - 0.5, options, "points"


def sets_layer(
    slide: Slide, sets: Mapping[str, SpotSet], colours: Mapping[str, str], held_out_of: str | None = None
) -> LayerData:
    """A ring around each spot of a set in the set's colour; held-out spots of one set are crossed out in grey."""
    spots = slide.require_spots()
    ring = np.tile(np.asarray(_CLEAR, dtype=np.float32), (len(spots), 1))
    member = np.full(len(spots), "", dtype=object)
    if held_out_of is None and len(sets) == 1:
        held_out_of = next(iter(sets))
    symbol = np.full(len(spots), spot_symbol(slide), dtype=object)
    if held_out_of in sets:
        out = sets[str(held_out_of)].held_out
        ring[out], member[out], symbol[out] = rgba_of(HELD_OUT_COLOUR), "held out", "x"
    for place, (name, each) in enumerate(sets.items()):
        colour = colours.get(name, SET_COLOURS[place % len(SET_COLOURS)])
        ring[each.mask], member[each.mask], symbol[each.mask] = rgba_of(colour), name, spot_symbol(slide)
    options = _rings(slide, "spot sets", "white", width=0.14)
    shown = ring[:, 3] > 0
    if not shown.any():  # napari takes no empty list of colours
        return spots.yx[shown], options, "points"
    size = np.where(symbol == "x", 0.45, 1.0) * spot_size_px(slide)
    face = np.where((symbol == "x")[:, None], ring, np.asarray(_CLEAR, dtype=np.float32))
    options |= {
        "border_color": ring[shown],
        "face_color": face[shown],
        "symbol": symbol[shown],
        "size": size[shown],
        "features": {"set": [str(name) for name in member[shown]]},
    }
    return spots.yx[shown] - 0.5, options, "points"


def rgba_of(colour: str) -> NDArray[np.float32]:
    """(4,) of "#rrggbb"."""
    digits = colour.removeprefix("#")
    return np.array([*(int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)), 1.0], dtype=np.float32)


def _rings(slide: Slide, name: str, colour: str, width: float) -> dict[str, Any]:
    return {
        "name": f"{slide.name} {name}",
        "size": spot_size_px(slide),
        "symbol": spot_symbol(slide),
        "face_color": "transparent",
        "border_color": colour,
        "border_width": width,
        **placed(slide),
    }
