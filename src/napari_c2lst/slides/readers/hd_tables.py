"""Visium HD inside a SpatialData store, as spatialdata-io writes it: a table of bins for every bin size.

The bins are summed into squares of the patch size, as those of a Space Ranger folder are. The squares live in memory
beside the user's elements; `write_elements` stores their shapes when results on them are stored.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import OURS
from napari_c2lst.slides.genes.raw_counts import raw_counts
from napari_c2lst.slides.geometry import centres_yx
from napari_c2lst.slides.microns import SQUARES, fit_array
from napari_c2lst.slides.readers.spots_of_table import JoinedSpots, spots_of_table

from .reading import Reading, Wanted, circles_element, table_element
from .visium_hd import choose_bin, square_centres

_TABLE = re.compile(r"square_(\d{3})um")
# Only bins under tissue are in such a table: a square needs at least this share of its bins.
_LEAST_BINS = 0.5


def with_squares(reading: Reading, wanted: Wanted) -> Reading:
    """The reading with squares in place of Visium HD bins; as it was where there are none, or another table is wanted.

    Raises
    ------
    InputError
        If the squares cannot be made of these bins.
    """
    tables = hd_tables(reading.sdata)
    if wanted.table is not None:
        tables = {size: name for size, name in tables.items() if name == wanted.table}
    elif "table" in reading.sdata.tables:
        return reading
    if not tables:
        return reading
    size = choose_bin(list(tables), wanted.square_um)
    name, kept = _add_squares(reading.sdata, tables[size], size, wanted.square_um)
    facts = reading.facts.model_copy(
        update={
            "kind": f"{reading.facts.kind}, Visium HD, bins of {size} um",
            "table": name,
            "array": SQUARES,
            "spot_um": wanted.square_um,
        }
    )
    note = f"bins of table '{tables[size]}' are summed into {kept} squares of {wanted.square_um:g} um"
    return Reading(reading.sdata, facts, (*reading.notes, note), reading.is_zarr, reading.took_image)


def hd_tables(sdata: Any) -> dict[int, str]:
    """Tables of Visium HD bins by bin size (um)."""
    return {int(m[1]): name for name in getattr(sdata, "tables", {}) if (m := _TABLE.fullmatch(name))}


def _add_squares(sdata: Any, name: str, size: int, square_um: float) -> tuple[str, int]:
    """Put squares and their table into the SpatialData: the table's name and the number of squares."""
    from spatialdata.transformations import get_transformation

    table = sdata.tables[name]
    region = table.uns["spatialdata_attrs"]["region"]
    if not isinstance(region, str) or region not in sdata.shapes:
        raise InputError(f"table '{name}' does not annotate bins that are there", "choose another table")
    shapes = sdata.shapes[region]
    bins = spots_of_table(table, name, shapes, region, "the store")
    if bins.array_rc is None:
        raise InputError(f"table '{name}' has no array_row and array_col", "choose another table")
    side = round(square_um / size)
    fit = fit_array(bins.array_rc, centres_yx(shapes)[bins.places])
    if fit is None:
        raise InputError(f"the bins of table '{name}' lie on a line", "choose another table")
    keys, counts, number = _sum(table, name, bins, side)
    full = number >= _LEAST_BINS * side**2
    keys, counts, number = keys[full], counts[full], number[full]
    ids = [f"s_{square_um:g}um_{r:05d}_{c:05d}" for r, c in keys]
    ours = f"{OURS}squares_{square_um:g}um"
    radius = side / 2 * float(np.sqrt(abs(np.linalg.det(fit.matrix))))
    systems = get_transformation(shapes, get_all=True)
    obs = {"array_row": keys[:, 0], "array_col": keys[:, 1], "bins": number}
    for group, key in ((sdata.shapes, ours), (sdata.tables, f"{ours}_table")):
        group.pop(key, None)
    sdata.shapes[ours] = circles_element(square_centres(fit, keys, side), radius, np.asarray(ids), systems)
    sdata.tables[f"{ours}_table"] = table_element(counts, [str(g) for g in table.var_names], ids, obs, ours)
    return f"{ours}_table", len(ids)


def _sum(table: Any, name: str, bins: JoinedSpots, side: int) -> tuple[Any, Any, Any]:
    """Square row and column (N, 2), summed counts (N, G) and number of bins (N,) of every square."""
    assert bins.array_rc is not None
    keys, square = np.unique(bins.array_rc // side, axis=0, return_inverse=True)
    square = square.ravel()
    counts = raw_counts(table, bins.rows, f"table '{name}'")
    ones = np.ones(len(square), dtype=np.float32)
    total = csr_matrix((ones, (square, np.arange(len(square)))), shape=(len(keys), len(square))) @ counts
    return keys, total.tocsr(), np.bincount(square)
