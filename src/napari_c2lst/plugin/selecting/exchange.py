"""Spots and shapes as regions of a GeoJSON file, and shapes of napari layers as areas. Needs no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from napari_c2lst.common.errors import InputError, raise_all
from napari_c2lst.plugin.layers.slide_layers import spot_size_px, spot_symbol
from napari_c2lst.slides.spots.geojson import Region

from .areas import Area, area_of
from .choice import How, Mask, Step

if TYPE_CHECKING:
    from napari_c2lst.plugin.pointing import Pointing
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.spotsets import SpotSet

HOW_COLOURS = {
    How.NEW: "#56b4e9",
    How.ADD: "#56b4e9",
    How.SUBTRACT: "#d55e00",
    How.INTERSECT: "#e69f00",
    How.LEAVE_OUT: "#999999",
}
"""Colours of shapes by what they do."""

_QUARTER = 6  # corners of a quarter of a circle


def spots_area(slide: Slide, mask: Mask) -> Area:
    """The places of spots as one area in level-0 pixels: circles, or the squares of bins.

    Parameters
    ----------
    mask
        (N,) the spots; at least one.
    """
    radius = spot_size_px(slide) / 2
    xy = slide.require_spots().yx[mask][:, ::-1]
    square = spot_symbol(slide) == "square"
    circles = shapely.buffer(shapely.points(xy), radius, quad_segs=_QUARTER, cap_style="square" if square else "round")
    return shapely.union_all(circles)


def set_regions(slide: Slide, sets: Mapping[str, SpotSet], colours: Mapping[str, str]) -> list[Region]:
    """Each set as one annotation, named and coloured as the set is.

    Raises
    ------
    InputError
        If there is no set.
    """
    if not sets:
        raise InputError("there is no set of spots to export", "choose spots and save them as a set")
    return [
        Region(spots_area(slide, each.mask), name, name, rgb(colours[name]))
        for name, each in sets.items()
        if each.mask.any()
    ]


def chosen_regions(slide: Slide, mask: Mask, name: str) -> list[Region]:
    """The chosen spots as one annotation.

    Raises
    ------
    InputError
        If no spot is chosen.
    """
    if not mask.any():
        raise InputError("no spot is chosen", "choose spots first: lasso, brush, random share, ...")
    return [Region(spots_area(slide, mask), name or "chosen", name or "chosen", rgb(HOW_COLOURS[How.ADD]))]


def drawn_regions(taken: Sequence[Step]) -> list[Region]:
    """The shapes that were drawn or read, one annotation each, with what they do as their class.

    Parameters
    ----------
    taken
        The steps of a choice.

    Raises
    ------
    InputError
        If there is no shape.
    """
    steps = [step for step in taken if step.area is not None]
    if not steps:
        raise InputError("no shape was drawn", "draw one: lasso, polygon or rectangle")
    return [
        Region(step.area, f"{step.way} {number}", str(step.how), rgb(HOW_COLOURS[step.how]))
        for number, step in enumerate(steps, 1)
        if step.area is not None
    ]


def regions_of_layer(layer: Any, pointing: Pointing) -> list[Region]:
    """Every shape of a napari Shapes layer, as it is seen over the spots.

    Raises
    ------
    InputError
        If it is no Shapes layer, has no shape, or shapes are no areas (all of them at once).
    """
    if type(layer).__name__ != "Shapes":
        raise InputError("the layer selected in napari is no Shapes layer", "select the layer that holds your shapes")
    if not len(layer.data):
        raise InputError(f"the layer '{layer.name}' holds no shape", "draw one, or select another layer")
    regions, problems = [], []
    for number, (corners, kind) in enumerate(zip(layer.data, layer.shape_type, strict=True), 1):
        try:
            area = area_of(pointing.px_of(layer, np.asarray(corners)), str(kind))
            regions.append(Region(area, f"{layer.name} {number}"))
        except InputError as problem:
            problems.append(InputError(f"shape {number} of '{layer.name}': {problem.message}", problem.hint))
    raise_all(problems)
    return regions


def rgb(colour: str) -> tuple[int, int, int]:
    """(255, 0, 0) of "#ff0000"."""
    digits = colour.removeprefix("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
