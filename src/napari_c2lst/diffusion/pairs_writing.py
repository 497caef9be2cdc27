"""Write PAIRS a part at a time; the store takes its name only when it is complete (see docs/pairs.md)."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import check_free_space, disk_errors

from .conditions import Conditions
from .pairs import KEY, PAIRS_VERSION, PairsFacts, partial_store

_ARRAY = {"encoding-type": "array", "encoding-version": "0.2.0"}


class PairsWriter:
    """Write pairs a part at a time; the store takes its name only when it is complete.

    Parameters
    ----------
    path
        The store to write (`.../pairs.zarr`). Until `finish` it is called `pairs.zarr.partial`.
    conditions, facts
        All conditions of the run, and where they come from.
    seed
        Of the run; row i is patch i of that seed.
    rows
        Rows of a storage chunk: parts of so many rows, from the start on, are written whole or not at all.
    resume
        Go on with the partial store that is there.

    Raises
    ------
    InputError
        If the store is there already, or the disk has no room for it.
    """

    def __init__(
        self, path: Path, conditions: Conditions, facts: PairsFacts, *, seed: int, rows: int = 64, resume: bool = False
    ) -> None:
        import zarr

        self.path = path
        self.partial = partial_store(path)
        if path.exists():
            raise InputError(f"'{path}' is there already", "choose another --out")
        if not (resume and self.partial.exists()):
            px, m = facts.spec.patch_px, len(conditions)
            check_free_space(path.parent, m * (3 * px * px + 4 * len(facts.panel)))
            with disk_errors(path):
                _create(self.partial, conditions, facts, seed, rows)
        group: Any = zarr.open_group(self.partial, mode="r+", use_consolidated=False)
        # a chunk that is all black is written as well: where one is missing, patches are missing
        self._patches: Any = group["obsm/patches"].with_config({"write_empty_chunks": True})

    def write(self, start: int, patches: NDArray[np.uint8]) -> None:
        """Write the patches of rows `start` and following."""
        with disk_errors(self.path):
            self._patches[start : start + len(patches)] = patches

    def finish(self) -> Path:
        """Give the store its name."""
        import zarr

        with disk_errors(self.path):
            zarr.consolidate_metadata(self.partial)
            os.rename(self.partial, self.path)
        return self.path


def _create(partial: Path, conditions: Conditions, facts: PairsFacts, seed: int, rows: int) -> None:
    """The whole store, with room for the patches."""
    import anndata
    import pandas as pd
    import zarr

    shutil.rmtree(partial, ignore_errors=True)
    m, px = len(conditions), facts.spec.patch_px
    obs = pd.DataFrame(
        {
            "source_a": pd.Categorical(conditions.source_a),
            "source_b": pd.Categorical(conditions.source_b),
            "weight": conditions.weight,
            "seed": np.full(m, seed, dtype=np.int64),
            "image": np.arange(m, dtype=np.int64),
        },
        index=[f"synthetic_{i}" for i in range(m)],
    )
    table = anndata.AnnData(conditions.targets, obs=obs, var=pd.DataFrame(index=list(facts.panel.genes)))
    table.uns[KEY] = {"version": PAIRS_VERSION, "facts": facts.model_dump_json()}
    table.write_zarr(partial)
    obsm: Any = zarr.open_group(partial, mode="r+", use_consolidated=False)["obsm"]
    array = obsm.create_array(
        "patches", shape=(m, px, px, 3), chunks=(min(m, rows), px, px, 3), dtype="uint8", compressors=_compressor(obsm)
    )
    array.attrs.update(_ARRAY)


def _compressor(group: Any) -> Any:
    """Zstandard with a checksum: the default, Blosc, reads on past the end of a chunk that was cut short."""
    if group.metadata.zarr_format == 2:
        import numcodecs

        return numcodecs.Zstd(level=1, checksum=True)
    import zarr.codecs

    return zarr.codecs.ZstdCodec(level=1, checksum=True)
