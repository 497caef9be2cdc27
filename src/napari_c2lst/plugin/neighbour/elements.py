"""The open slide as a SpatialData in the coordinates of the window: what another plugin may show, change and add to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.layers.placing import MICRONS, pixel_um
from napari_c2lst.plugin.layers.tables import light_copy

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

PIXELS = "c2lst_pixels"
_RASTERS = ("images", "labels")
_AXES = ("x", "y")


@dataclass(eq=False)
class Lent:
    """A slide's elements with one place each: the one that our layers of the slide have in the window.

    The elements are copies that share the pixels and counts: nothing that is done to them reaches the slide. With no
    other coordinate system there is none to be chosen in which a layer, or a shape that is drawn over ours, lies
    elsewhere.

    Attributes
    ----------
    slide
        The slide they were taken from.
    sdata
        The elements; not backed by a store.
    system
        The coordinate system of the window, in microns, or in pixels where their size is not known.
    before
        Shapes and tables by their names, as they were lent.
    """

    slide: Slide
    sdata: Any
    system: str
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def to_pixels(self) -> NDArray[np.float64]:
        """(3, 3) from (x, y, 1) of the window to level-0 pixels of the image."""
        return np.linalg.inv(_window_of(self.slide))

    def made(self, kind: str) -> dict[str, Any]:
        """Elements of a kind ("shapes", "tables") by name, that were not lent: made, or replaced, since."""
        held = getattr(self.sdata, kind)
        return {name: element for name, element in held.items() if self.before.get(name) is not element}


def lend(slide: Slide) -> Lent:
    """Put all elements that share a coordinate system with the slide's image into the coordinates of the window.

    Raises
    ------
    InputError
        If the slide has no SpatialData.
    """
    if slide.sdata is None:
        raise InputError(f"slide '{slide.name}' holds no elements to show", "open a SpatialData, or a slide with spots")
    from spatialdata import SpatialData
    from spatialdata.transformations import Affine, set_transformation

    system = PIXELS if slide.microns is None else MICRONS
    groups: dict[str, dict[str, Any]] = {kind: {} for kind in (*_RASTERS, "shapes", "points")}
    for kind, name, element in slide.sdata.gen_elements():
        matrix = None if kind == "tables" else _to_window(slide, element)
        if matrix is not None:
            copy = element.copy() if kind == "points" else element.copy(deep=False)
            set_transformation(copy, {system: Affine(matrix, _AXES, _AXES)}, set_all=True)
            groups[kind][name] = copy
    there = {name for group in groups.values() for name in group}
    tables = {name: table for name, each in slide.sdata.tables.items() if (table := _table(each, there)) is not None}
    sdata = SpatialData(**groups, tables=tables)
    return Lent(slide, sdata, system, {**sdata.shapes, **sdata.tables})


def _to_window(slide: Slide, element: Any) -> NDArray[np.float64] | None:
    """(3, 3) from (x, y, 1) of an element to the window's coordinates; None for one that has no place there."""
    from napari_c2lst.slides.geometry import matrix_to_system

    image = slide.sdata.images[slide.image_name]
    try:
        to_system = matrix_to_system(element, slide.coordinate_system, "the element")
        pixels = np.linalg.inv(matrix_to_system(image, slide.coordinate_system, "the image")) @ to_system
    except InputError:
        return None
    return _window_of(slide) @ pixels


def _window_of(slide: Slide) -> NDArray[np.float64]:
    """(3, 3) from (x, y, 1) in level-0 pixels to the window, as `layers.placing.to_world` places (y, x).

    A slide's (0, 0) is the image's corner, napari's is the centre of the first pixel, which lies at (0.5, 0.5) for the
    coordinates that rasters of SpatialData carry; napari takes them into account.
    """
    um = pixel_um(slide)
    return np.array([[um, 0.0, -0.5 * um], [0.0, um, -0.5 * um], [0.0, 0.0, 1.0]])


def _table(table: Any, there: set[str]) -> Any:
    """A copy of a table whose regions are all there; None for others, and for those that are about no region."""
    regions = table.uns.get("spatialdata_attrs", {}).get("region")
    names = {regions} if isinstance(regions, str) else set(regions or ())
    return light_copy(table) if names and names <= there else None
