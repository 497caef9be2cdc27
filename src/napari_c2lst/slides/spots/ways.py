"""The ways to choose spots, each a function from a slide to a mask over its spots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.names import read_names
from napari_c2lst.slides.geometry import apply_yx, matrix_to_system

from .commas import rejoined
from .geojson import Region, spots_inside

Mask = NDArray[np.bool_]

_SHOWN = 12  # values or columns named in a message


def in_regions(slide: Any, regions: Sequence[Region], system: str | None = None) -> Mask:
    """Spots whose centre lies inside any region.

    Parameters
    ----------
    slide
        An open slide with spots.
    regions
        Areas in level-0 pixels of the slide's image, or in a coordinate system.
    system
        The coordinate system of the SpatialData that the regions are in; None for pixels.

    Raises
    ------
    InputError
        If the slide's image has no place in that coordinate system.
    """
    yx = slide.require_spots().yx
    if system is not None:
        where = f"image '{slide.image_name}' of slide '{slide.name}'"
        yx = apply_yx(matrix_to_system(slide.sdata.images[slide.image_name], system, where), yx)
    return spots_inside(regions, yx)


def by_column(slide: Any, column: str, values: Sequence[str]) -> Mask:
    """Spots whose value in a column of the slide's table is one of `values`.

    Values are compared as text, numbers as numbers (`1` is `1.0`), and true/false in any case. A value with a comma in
    it ("Carcinoma, invasive") may come in its parts, as the command line splits it.

    Raises
    ------
    InputError
        If there is no such column (those there are, are named), or a value occurs nowhere in it.
    """
    held = table_column(slide, column)
    mask = np.zeros(len(held), dtype=bool)
    unknown = []
    for value in rejoined(values, [str(value) for value in pd.unique(held.dropna())]):
        hits = _equals(held, value)
        mask |= hits
        if not hits.any():
            unknown.append(value)
    if unknown:
        there = [str(value) for value in pd.unique(held.dropna())]
        raise InputError(
            f"no spot of slide '{slide.name}' has {' or '.join(map(repr, unknown))} in column {column!r}",
            f"the column has {_some(sorted(there))}",
        )
    return mask


def table_column(slide: Any, column: str) -> pd.Series:
    """A column of the slide's table, aligned to its spots.

    Raises
    ------
    InputError
        If there is no such column.
    """
    spots = slide.require_spots()
    obs = slide.sdata.tables[slide.table_name].obs
    if column not in obs.columns:
        raise InputError(
            f"table '{slide.table_name}' of slide '{slide.name}' has no column {column!r}",
            f"it has {_some(sorted(map(str, obs.columns)))}",
        )
    rows = np.arange(len(spots)) if slide.rows is None else slide.rows
    return obs[column].iloc[rows]


def read_ids(path: Path) -> list[str]:
    """Spot ids from a text file (see `read_names`).

    Raises
    ------
    InputError
        If there is no such file, it is not text, or it is empty.
    """
    return read_names(path, "list of spots", "spot id")


def by_ids(slide: Any, ids: Sequence[str]) -> Mask:
    """Spots of these ids.

    The first id may be a column's title; it is passed over when it is no spot and all others are.

    Raises
    ------
    InputError
        If ids are not spots of the slide, naming them (five, and how many).
    """
    there = slide.require_spots().ids.astype(str)
    known = set(there.tolist())
    unknown = [name for name in ids if name not in known]
    if unknown == [ids[0]] and len(ids) > 1:
        unknown = []
    if unknown:
        raise InputError(
            f"{len(unknown)} of {len(ids)} ids are no spots of slide '{slide.name}': {_some(unknown, 5)}",
            f"its spots are named like {_some(there.tolist(), 2)}",
        )
    return np.isin(there, list(ids))


def _equals(held: pd.Series, value: str) -> Mask:
    if pd.api.types.is_bool_dtype(held.dtype):
        wanted = value.lower()
        return np.asarray(held.astype(str).str.lower() == wanted, dtype=bool)
    if pd.api.types.is_numeric_dtype(held.dtype):
        number = pd.to_numeric(value, errors="coerce")
        return np.asarray(held == number, dtype=bool)
    return np.asarray(held.astype(object).where(held.notna(), "").astype(str) == value, dtype=bool)


def _some(names: Sequence[str], limit: int = _SHOWN) -> str:
    shown = ", ".join(names[:limit])
    return f"{shown}, ..." if len(names) > limit else shown
