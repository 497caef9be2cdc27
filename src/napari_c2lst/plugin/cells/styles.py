"""What the pixels of a raster of cells stand for, and in which colours: type, and fill, outline or density."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.cells.facts import UNTYPED, CellFacts

Palette = Literal["safe", "weights"]
Rgb = tuple[int, int, int]

# Okabe and Ito, those first that stand out on the pink and violet of H&E
SAFE: tuple[Rgb, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (0, 0, 0),
)
_GREY: Rgb = (150, 150, 150)
_PICKED = (1.0, 1.0, 1.0, 1.0)

# of a pixel of density: the share of it that nuclei cover, from which each step begins
DENSITY = (0.0, 0.04, 0.09, 0.16, 0.27, 0.42)
_DENSITY_OPACITY = (0.22, 0.38, 0.54, 0.70, 0.85, 1.0)
_FILL_OPACITY = {"outline": 0.12, "filled": 0.85}
_PER_TYPE = 2 + len(DENSITY)
CellLook = Literal["outline", "filled"]

Codes = NDArray[np.uint16]


class CellCodes:
    """The numbers in a raster of cells of some types.

    Parameters
    ----------
    types
        How many types there are.

    Attributes
    ----------
    fill, outline
        (T,) the number of a pixel inside a nucleus of each type where it is drawn with an outline, and on it.
    solid
        (T,) the number of a pixel of a nucleus that is too small for an outline: as dense as it gets.
    density
        (T, steps) the number of a pixel of density whose most frequent type that is.
    picked
        The number of the outline of the nucleus that was clicked.
    """

    def __init__(self, types: int) -> None:
        base = 1 + np.arange(types, dtype=np.uint16) * _PER_TYPE
        self.fill, self.outline = base, base + np.uint16(1)
        self.density = (base[:, None] + np.arange(2, _PER_TYPE, dtype=np.uint16)).astype(np.uint16)
        self.solid = self.density[:, -1]
        self.picked = 1 + types * _PER_TYPE
        # napari maps numbers of one or two bytes to colours on the graphics side
        self.dtype = np.dtype(np.uint8 if self.picked < 256 else np.uint16)

    def colours(
        self, palette: Sequence[Rgb], visible: NDArray[np.bool_], look: CellLook = "outline"
    ) -> NDArray[np.float32]:
        """(numbers, 4) red, green, blue and opacity in [0, 1] of every number; hidden types are transparent.

        Parameters
        ----------
        palette
            Colour of each type.
        visible
            (T,) which are shown.
        look
            Nuclei that are large enough: "outline" leaves the tissue inside to be seen, "filled" covers it.
        """
        found = np.zeros((self.picked + 1, 4), np.float32)
        found[self.picked] = _PICKED
        opacity = np.array([_FILL_OPACITY[look], 1.0, *_DENSITY_OPACITY], np.float32)
        for t, rgb in enumerate(palette):
            for i, each in enumerate(opacity):
                shown = each if visible[t] else 0.0
                found[1 + t * _PER_TYPE + i] = *(c / 255 for c in rgb), shown
        return found


def palette_of(types: Sequence[str], own: Mapping[str, Rgb], palette: Palette) -> list[Rgb]:
    """A colour for each type.

    Parameters
    ----------
    types
        Names.
    own
        The colours that the weights give them.
    palette
        "safe" are colours that colour-blind people can tell apart; "weights" those of the weights.
    """
    named = [name for name in types if name != UNTYPED]
    safe = {name: SAFE[i % len(SAFE)] for i, name in enumerate(named)}
    chosen = safe if palette == "safe" else {**safe, **own}
    return [_GREY if name == UNTYPED else chosen[name] for name in types]


def colours_of_types(facts: CellFacts, wanted: Sequence[str], palette: Palette) -> list[Rgb]:
    """Colours of types as `palette_of`; a type has its colour also where others of the weights are missing."""
    named = facts.type_names
    own: dict[str, Rgb] = dict(zip(named, facts.type_colours, strict=True))
    known = dict(zip(named, palette_of(named, own, palette), strict=True))
    return [known[name] if name in known else palette_of((name,), own, palette)[0] for name in wanted]
