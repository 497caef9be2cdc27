"""Tables as other plugins get them: the same numbers, with columns and settings of their own."""

from __future__ import annotations

from functools import cache
from typing import Any

from napari_c2lst.slides.readers.values_aside import in_memory


@cache
def no_table() -> Any:
    """An AnnData with nothing in it: napari-spatialdata's Scatter fails when a layer without one is chosen."""
    from anndata import AnnData

    return AnnData(shape=(1, 0))  # (0, 0) would leave the genes of the layer before in its lists


def light_copy(table: Any) -> Any:
    """An AnnData with the same numbers, whose columns and settings are its own: others write theirs into it."""
    from anndata import AnnData

    table = in_memory(table)  # others know nothing of values that were left on disk
    uns = {name: dict(value) if isinstance(value, dict) else value for name, value in table.uns.items()}
    return AnnData(X=table.X, obs=table.obs, var=table.var, uns=uns, obsm=dict(table.obsm), layers=dict(table.layers))
