"""What was drawn with napari-spatialdata, written into the slide's store in pixels, under names of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

    from .elements import Lent

PREFIX = "c2lst_drawn_"


@dataclass(frozen=True, eq=False)
class Drawn:
    """Shapes that were saved into what is lent, and not into the slide's store yet.

    Attributes
    ----------
    name
        As they were called there.
    shapes
        A GeoDataFrame in the coordinates of the window.
    table
        Their classes and descriptions; None where there are none.
    """

    name: str
    shapes: Any
    table: Any = None

    @property
    def stored_as(self) -> str:
        """Name of the shapes in the store; that of the table ends in `_table`."""
        return PREFIX + self.name.removeprefix(PREFIX)

    @property
    def words(self) -> str:
        """What it is, in a few words."""
        count = len(self.shapes)
        return f"{self.name}: {count} shape{'' if count == 1 else 's'}{'' if self.table is None else ' with classes'}"


def drawn_in(lent: Lent) -> list[Drawn]:
    """What is not in the slide's store yet, by name."""
    tables = {_region(table): table for table in lent.made("tables").values()}
    return [Drawn(name, shapes, tables.get(name)) for name, shapes in sorted(lent.made("shapes").items())]


def replaced(drawn: Sequence[Drawn], slide: Slide) -> list[str]:
    """Names of shapes in the store of a slide that would be replaced."""
    return [each.stored_as for each in drawn if each.stored_as in slide.sdata.shapes]


def save_drawn(lent: Lent, drawn: Sequence[Drawn], slide: Slide) -> list[str]:
    """Write shapes and their tables into the store of a slide: all of them, or the store stays what it was.

    Returns
    -------
    list of str
        Names of the shapes that were written.

    Raises
    ------
    InputError
        If the slide is no store, the disk is full, or the store cannot be written.
    """
    from napari_c2lst.slides.store.results import write_elements

    shapes = {each.stored_as: _in_pixels(each.shapes, lent, slide) for each in drawn}
    tables = {f"{each.stored_as}_table": _renamed(each) for each in drawn if each.table is not None}
    write_elements(slide, tables=tables, shapes=shapes)
    for each in drawn:
        lent.before[each.name] = each.shapes
        lent.before |= {name: table for name, table in lent.sdata.tables.items() if table is each.table}
    return list(shapes)


def _in_pixels(shapes: Any, lent: Lent, slide: Slide) -> Any:
    """Shapes with their places in level-0 pixels, in every coordinate system of the slide's image."""
    from spatialdata.models import ShapesModel

    from napari_c2lst.expression.grid import image_transformations
    from napari_c2lst.slides.geometry import matrix_to_system

    matrix = lent.to_pixels @ matrix_to_system(shapes, lent.system, "shapes")
    moved = shapes.copy()
    (a, b, x), (d, e, y), _ = matrix
    moved.geometry = shapes.geometry.affine_transform([a, b, d, e, x, y])
    if "radius" in moved:
        moved["radius"] = moved["radius"] * np.sqrt(abs(np.linalg.det(matrix)))
    moved.attrs = {}
    return ShapesModel.parse(moved, transformations=image_transformations(slide))


def _renamed(drawn: Drawn) -> Any:
    """The table of shapes, about the shapes by the name they have in the store."""
    from spatialdata.models import TableModel

    table = drawn.table.copy()
    for name, column in table.obs.items():
        if column.dtype == object or column.dtype.name == "category":  # what nobody described is not a number
            table.obs[name] = column.astype(object).where(column.notna(), "").astype(str).astype("category")
    table.uns.update({name: _named(value) for name, value in table.uns.items() if isinstance(value, dict)})
    attrs = table.uns.pop(TableModel.ATTRS_KEY)
    key = attrs[TableModel.REGION_KEY_KEY]
    table.obs[key] = drawn.stored_as
    table.obs[key] = table.obs[key].astype("category")
    return TableModel.parse(table, region=drawn.stored_as, region_key=key, instance_key=attrs[TableModel.INSTANCE_KEY])


def _named(colours: dict[Any, Any]) -> dict[str, Any]:
    return {name: colour for name, colour in colours.items() if isinstance(name, str)}


def _region(table: Any) -> str:
    region = table.uns.get("spatialdata_attrs", {}).get("region")
    return str(region if isinstance(region, str) or not region else next(iter(region)))
