"""Join the rows of a table to the spots it annotates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError


@dataclass(frozen=True, eq=False)
class JoinedSpots:
    """Spots that have both a place and a row of counts, N of them.

    Parameters
    ----------
    rows, places
        (N,) row of the table and of the shapes.
    ids
        (N,) names: those of the table's rows (barcodes).
    array_rc
        (N, 2) array row and column; None when the table has none.
    notes
        What was left out.
    """

    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    ids: NDArray[np.str_]
    array_rc: NDArray[np.int64] | None
    notes: list[str]


def spots_of_table(table: Any, table_name: str, shapes: Any, shapes_name: str, where: str) -> JoinedSpots:
    """Join a table to its spots by region and instance key; spots off tissue (`in_tissue` = 0) are left out.

    Raises
    ------
    InputError
        If rows name spots that are not there, or a spot twice.
    """
    attrs = table.uns["spatialdata_attrs"]
    region = table.obs[attrs["region_key"]].astype(str).to_numpy()
    rows = np.flatnonzero((region == shapes_name) & _under_tissue(table.obs))
    off_tissue = int((region == shapes_name).sum()) - len(rows)
    keys = table.obs[attrs["instance_key"]].to_numpy()[rows]
    places = _find(shapes.index, keys)
    lost = np.flatnonzero(places < 0)
    if len(rows) == 0 or len(lost):
        count = f"{len(lost)} of {len(rows)} rows, first '{keys[lost[0]]}'" if len(rows) else "none of its rows"
        raise InputError(
            f"table '{table_name}' and spots '{shapes_name}' of {where} do not match: "
            + (f"{count}, name spots that are not there" if len(rows) else "no row of the table belongs to them"),
            "give table and spots the same names, or choose another table",
        )
    if len(np.unique(places)) < len(places):
        raise InputError(f"table '{table_name}' of {where} names a spot twice", "give every spot one row")
    ids = table.obs_names.to_numpy().astype(str)[rows]
    notes = [f"{off_tissue} spots that are not under tissue are left out"] if off_tissue else []
    if len(np.unique(ids)) < len(ids):
        ids = keys.astype(str)
    without = len(shapes) - len(rows) - off_tissue
    if without > 0:
        notes.append(f"{without} spots without a row in table '{table_name}' are left out")
    return JoinedSpots(rows, places, ids, array_rc(table.obs, rows), notes)


def _under_tissue(obs: Any) -> NDArray[np.bool_]:
    """Rows that Space Ranger found under tissue; all where it was not asked."""
    if "in_tissue" not in obs.columns:
        return np.ones(len(obs), dtype=bool)
    return np.asarray(obs["in_tissue"].astype(float) != 0, dtype=bool)


def _find(index: Any, keys: NDArray[Any]) -> NDArray[np.int64]:
    """Place of every key in an index, -1 where it is not there; numbers and their texts are the same."""
    import pandas as pd

    places: NDArray[np.int64] = index.get_indexer(pd.Index(keys))
    if len(keys) and (places < 0).all():
        places = index.astype(str).get_indexer(pd.Index(keys).astype(str))
    return places


def array_rc(obs: Any, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.int64] | None:
    """(N, 2) array row and column of some rows of a table; None when they are not known of each."""
    if not {"array_row", "array_col"} <= set(obs.columns):
        return None
    values = obs[["array_row", "array_col"]].to_numpy(dtype=float)[rows]
    return values.astype(np.int64) if np.isfinite(values).all() else None
