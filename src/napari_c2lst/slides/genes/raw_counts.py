"""Raw counts out of a table, and the refusal of everything that is not raw counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Where scanpy users keep raw counts once X is normalised.
LAYERS = ("counts", "raw_counts", "raw")


def count_fault(values: NDArray[Any]) -> str:
    """What is wrong with the stored values of a count matrix; empty when nothing is.

    Parameters
    ----------
    values
        Any shape: the explicit values of a sparse matrix, or a dense one.
    """
    if values.size == 0 or values.dtype.kind in "ub":
        return ""
    finite = np.isfinite(values)
    if not finite.all():
        return f"has {int((~finite).sum())} values that are NaN or infinite"
    negative = values < 0
    if negative.any():
        return f"has {int(negative.sum())} negative values (the lowest is {values.min():g})"
    fractional = values != np.round(values)
    if fractional.any():
        example = values[fractional].flat[0]
        return f"holds values that are not whole numbers, like {example:.4g}: it is already normalised"
    return ""


def raw_counts(table: Any, rows: NDArray[np.int64] | None, where: str) -> csr_matrix:
    """Rows of a table as raw counts.

    Parameters
    ----------
    table
        AnnData; its X, or else a layer called counts, raw_counts or raw, holds whole numbers.
    rows
        (N,) which rows, in which order; None = all.
    where
        What to call the table in an error.

    Returns
    -------
    (N, G) float32 sparse matrix.

    Raises
    ------
    InputError
        If neither X nor such a layer holds raw counts.
    """
    faults = []
    for matrix in (table.X, *(table.layers[name] for name in LAYERS if name in table.layers)):
        if matrix is None:
            faults.append("has no X")
            continue
        fault = count_fault(matrix.data if hasattr(matrix, "indptr") else np.asarray(matrix))
        if not fault:
            return _as_csr(matrix, rows)
        faults.append(fault)
    raise InputError(f"{where} {faults[0]}", "give raw counts in X, or in a layer called 'counts'")


def _as_csr(matrix: Any, rows: NDArray[np.int64] | None) -> csr_matrix:
    from scipy.sparse import csr_matrix

    # astype after the rows are taken: the whole matrix may be much larger
    taken = csr_matrix(matrix) if rows is None else csr_matrix(matrix)[rows]
    counts = taken.astype(np.float32)
    counts.sum_duplicates()
    return counts
