"""10x count matrices (h5 or a folder of mtx), a slab of barcodes at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

# Stored values read at once: 10 M of them take about 150 MB.
SLAB_VALUES = 10_000_000
H5_NAMES = ("filtered_feature_bc_matrix.h5", "raw_feature_bc_matrix.h5")
MTX_NAMES = ("filtered_feature_bc_matrix", "raw_feature_bc_matrix")
_GENES = "Gene Expression"


class CountsFile:
    """Counts of barcodes x genes on disk; other features of a run, as antibodies, are left out.

    Parameters
    ----------
    path
        An h5 file, or a folder with matrix.mtx.gz, barcodes.tsv.gz and features.tsv.gz.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.barcodes, names, kinds = _h5_names(path) if path.is_file() else _mtx_names(path)
        self._kept = np.flatnonzero([kind == _GENES for kind in kinds]) if _GENES in kinds else np.arange(len(names))
        self.genes = [names[i] for i in self._kept]
        self._all = len(self.genes) == len(names)

    def slabs(self, values: int | None = None) -> Iterator[tuple[slice, Any]]:
        """Yield (barcodes, counts of these barcodes as csr (n, G) float32), in order.

        Parameters
        ----------
        values
            About how many stored values a slab is to have; none = 10 million.
        """
        slabs = _h5_slabs(self.path, values or SLAB_VALUES) if self.path.is_file() else _mtx_slab(self.path)
        for barcodes, counts in slabs:
            yield barcodes, counts if self._all else counts[:, self._kept]


def find_counts(folder: Path) -> Path:
    """The counts of a Space Ranger folder: filtered before raw, h5 before mtx.

    Raises
    ------
    InputError
        If there are none.
    """
    for h5, mtx in zip(H5_NAMES, MTX_NAMES, strict=True):
        if (folder / h5).is_file():
            return folder / h5
        if (folder / mtx / "matrix.mtx.gz").is_file():
            return folder / mtx
    raise InputError(f"'{folder}' has no counts: {H5_NAMES[0]} or {MTX_NAMES[0]}/", "check that the folder is complete")


def _h5_names(path: Path) -> tuple[list[str], list[str], list[str]]:
    """Barcodes, names of features, and what each of these is; the last is empty where the file does not say."""
    import h5py

    with h5py.File(path) as file:
        matrix = file["matrix"]
        kinds = matrix["features/feature_type"][:] if "feature_type" in matrix["features"] else []
        parts = (matrix["barcodes"][:], matrix["features/name"][:], kinds)
        barcodes, names, kinds = ([text.decode() for text in part] for part in parts)
        return barcodes, names, kinds


def _h5_slabs(path: Path, values: int) -> Iterator[tuple[slice, Any]]:
    import h5py
    from scipy.sparse import csr_matrix

    with h5py.File(path) as file:
        matrix = file["matrix"]
        genes = int(matrix["shape"][0])
        # stored as columns of barcodes, which are the rows we want
        starts: NDArray[np.int64] = matrix["indptr"][:].astype(np.int64)
        first = 0
        while first < len(starts) - 1:
            last = int(np.searchsorted(starts, starts[first] + values, side="right")) - 1
            last = min(max(last, first + 1), len(starts) - 1)
            span = slice(int(starts[first]), int(starts[last]))
            parts = (
                matrix["data"][span].astype(np.float32),
                matrix["indices"][span],
                starts[first : last + 1] - starts[first],
            )
            yield slice(first, last), csr_matrix(parts, shape=(last - first, genes))
            first = last


def _mtx_names(folder: Path) -> tuple[list[str], list[str], list[str]]:
    import pandas as pd

    # as text: a gene may be called NA, and a number keeps its zeros
    barcodes, features = (
        pd.read_csv(folder / name, sep="\t", header=None, dtype=str, keep_default_na=False)
        for name in ("barcodes.tsv.gz", "features.tsv.gz")
    )
    kinds = list(features[2]) if features.shape[1] > 2 else []
    return list(barcodes[0]), list(features[1 if features.shape[1] > 1 else 0]), kinds


def _mtx_slab(folder: Path) -> Iterator[tuple[slice, Any]]:
    from scipy.io import mmread
    from scipy.sparse import csr_matrix

    counts = csr_matrix(mmread(folder / "matrix.mtx.gz").T, dtype=np.float32)
    yield slice(0, counts.shape[0]), counts
