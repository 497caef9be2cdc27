"""Cells and compositions of a store, brought to the open slide; seconds of work, done in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .raster import CellRaster
from .stored import CellResult, read_columns, read_composition

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide


def load_raster(result: CellResult, slide: Slide) -> CellRaster:
    """The cells of a result, ready to be drawn.

    Raises
    ------
    InputError
        If they are damaged.
    """
    columns = read_columns(result)
    height, width = slide.pyramid.shape
    px_um2 = _px_um2(slide)
    return CellRaster(columns, (height, width), columns.area_um2 / px_um2)


def _px_um2(slide: Slide) -> float:
    return 0.0625 if slide.microns is None else float(slide.microns.value) ** 2


def load_composition(result: CellResult, ids: NDArray[Any]) -> NDArray[np.float32] | None:
    """(N, T) in the order of the slide's spots; a spot that was not counted has none."""
    found = read_composition(result)
    if found is None:
        return None
    names, counts = found
    if not len(names):
        return None
    row = {name: i for i, name in enumerate(names.tolist())}
    rows = np.array([row.get(str(each), -1) for each in ids], np.int64)
    return np.where(rows[:, None] >= 0, counts[rows], 0).astype(np.float32)
