"""Pairs that stay on disk: patches are read when they are looked at (no torch here)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from napari_c2lst.common.errors import InputError

from .pairs import PAIRS_VERSION, PairsFacts, find_pairs


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
        try:
            return np.asarray(self._patches.oindex[np.asarray(rows, dtype=np.int64)], dtype=np.uint8)
        except Exception as error:  # zarr raises whatever a damaged chunk makes it stumble over
            raise _unreadable(self.path, error) from error


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
    try:
        group: Any = zarr.open_group(store, mode="r")
        body = read_elem(group["uns"])["c2lst"]
        if int(body["version"]) > PAIRS_VERSION:
            raise InputError(f"pairs '{store}' have version {int(body['version'])}", "update napari-c2lst")
        facts = PairsFacts.model_validate_json(str(body["facts"]))
        obs = read_elem(group["obs"])
        return PairsOnDisk(
            path=store,
            facts=facts,
            source_a=obs["source_a"].to_numpy(dtype=np.str_),
            source_b=obs["source_b"].to_numpy(dtype=np.str_),
            weight=obs["weight"].to_numpy(dtype=np.float32),
            _patches=group["obsm/patches"],
        )
    except InputError:
        raise
    except (KeyError, ValidationError) as error:
        raise InputError(f"'{store}' is not a store of synthetic pairs", "give the --out of 'c2lst sample'") from error
    except Exception as error:  # anndata and zarr raise whatever a damaged file makes them stumble over
        raise _unreadable(store, error) from error


def _unreadable(store: Path, error: Exception) -> InputError:
    first = (str(error) or type(error).__name__).splitlines()[0]
    return InputError(f"pairs '{store}' cannot be read: {first}", "copy them again, or sample again")
