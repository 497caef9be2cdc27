"""Pairs that stay on disk: patches are read when they are looked at (no torch here)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

from .pairs import PairsFacts, damaged_pairs_told, find_pairs, refuse_missing, stored_facts


@dataclass(frozen=True, eq=False)
class PairsOnDisk:
    """Synthetic pairs of which only the names are in memory.

    Attributes
    ----------
    path
        The store.
    facts
        Where they come from.
    source_a, source_b, weight
        As in `Pairs`; (M,) each.
    """

    path: Path
    facts: PairsFacts
    source_a: NDArray[np.str_]
    source_b: NDArray[np.str_]
    weight: NDArray[np.float32]
    _patches: Any

    def __len__(self) -> int:
        return len(self.source_a)

    def rows_of(self, spot: str) -> NDArray[np.int64]:
        """The rows that were made from the expression of this spot alone."""
        return np.flatnonzero((self.source_a == spot) & ((self.weight == 0) | (self.source_b == spot)))

    def patches(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read patches (n, px, px, 3) of these rows.

        Raises
        ------
        InputError
            If the store is damaged or gone.
        """
        if not self.path.is_dir():
            raise InputError(f"the pairs '{self.path}' are gone", "open others, or sample again")
        with damaged_pairs_told(self.path):
            return np.asarray(self._patches.oindex[np.asarray(rows, dtype=np.int64)], dtype=np.uint8)


def open_pairs(path: Path) -> PairsOnDisk:
    """Open pairs without reading a patch.

    Parameters
    ----------
    path
        The store, or the run folder of `c2lst sample` that holds it.

    Raises
    ------
    InputError
        If there are none, they are not complete, damaged, or of a newer version.
    """
    import zarr
    from anndata.io import read_elem

    store = find_pairs(Path(path))
    with damaged_pairs_told(store):
        group: Any = zarr.open_group(store, mode="r")
        refuse_missing(store, group)
        facts = stored_facts(store, read_elem(group["uns"])["c2lst"])
        obs = read_elem(group["obs"])
        return PairsOnDisk(
            path=store,
            facts=facts,
            source_a=obs["source_a"].to_numpy(dtype=np.str_),
            source_b=obs["source_b"].to_numpy(dtype=np.str_),
            weight=obs["weight"].to_numpy(dtype=np.float32),
            _patches=group["obsm/patches"],
        )
