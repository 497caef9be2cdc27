"""Nuclei as elements of a SpatialData: polygons, and a table of type, probability, area and place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.slides.geometry import matrix_to_system, systems_of
from napari_c2lst.slides.slide import Slide

from .facts import UNTYPED, CellFacts
from .found import Found

CELLS_VERSION = 1


def cell_shapes(slide: Slide, areas: NDArray[Any], start: int = 0) -> Any:
    """The polygons, in every coordinate system of the slide's image.

    Parameters
    ----------
    areas
        (n,) polygons in level-0 pixels.
    start
        Number of the first of them, where they are a part of all.
    """
    import geopandas as gpd
    import pandas as pd
    from spatialdata.models import ShapesModel
    from spatialdata.transformations import Affine

    index = pd.RangeIndex(start, start + len(areas))
    element = slide.sdata.images[slide.image_name]
    transformations = {
        system: Affine(
            matrix_to_system(element, system, f"image '{slide.image_name}'"),
            input_axes=("x", "y"),
            output_axes=("x", "y"),
        )
        for system in systems_of(element)
    }
    return ShapesModel.parse(gpd.GeoDataFrame(geometry=areas, index=index), transformations=transformations)


def cell_table(region: str, found: Found, facts: CellFacts, px: float, uns: dict[str, Any], start: int = 0) -> Any:
    """What is known of each nucleus, bound to the polygons `region`.

    Parameters
    ----------
    px
        Level-0 pixels per network pixel.
    uns
        What it says about itself.
    start
        Number of the first nucleus, where they are a part of all.

    Returns
    -------
    AnnData: `obs` type, type_prob, area_um2, x and y (level-0 pixels); `X` one column for each type, 1 at its own.
    """
    import anndata
    import pandas as pd
    from scipy.sparse import csr_matrix
    from spatialdata.models import TableModel

    names, kind = facts.type_names, type_column(found, facts)
    xy = (found.centroid + 0.5) * px
    number = np.arange(start, start + len(found), dtype=np.int64)
    obs = pd.DataFrame(
        {
            "region": pd.Categorical.from_codes(np.zeros(len(found), np.int8), categories=[region]),
            "cell": number,
            "type": pd.Categorical.from_codes(np.where(kind < 0, len(names), kind), categories=[*names, UNTYPED]),
            "type_prob": found.type_prob,
            "area_um2": (found.area * facts.mpp**2).astype(np.float32),
            "x": xy[:, 0],
            "y": xy[:, 1],
        },
        index=pd.Index(np.char.mod("cell_%d", number).astype(object)),
    )
    typed = np.flatnonzero(kind >= 0)
    own = csr_matrix((np.ones(len(typed), np.float32), (typed, kind[typed])), shape=(len(found), len(names)))
    table = anndata.AnnData(own, obs=obs, var=pd.DataFrame(index=pd.Index(list(names))))
    table.obsm["spatial"] = xy
    table.uns["c2lst"] = uns
    return TableModel.parse(table, region=region, region_key="region", instance_key="cell")


def type_column(found: Found, facts: CellFacts) -> NDArray[np.int64]:
    """(n,) column of each nucleus's type in `facts.type_names`; -1 for none."""
    return found.type.astype(np.int64) - 1 if facts.nr_types else np.zeros(len(found), np.int64)


def cells_uns(
    kind: str, name: str, facts: CellFacts, content_hash: str, mpp: float | None, **more: Any
) -> dict[str, Any]:
    """The body of `uns["c2lst"]`; the facts are one JSON text: an AnnData holds no None."""
    return {
        "kind": kind,
        "version": CELLS_VERSION,
        "name": name,
        "weights": facts.model_dump_json(),
        "weights_hash": content_hash,
        "type_names": np.array(facts.type_names),
        "type_colours": np.array(facts.type_colours, np.int64),
        **({} if mpp is None else {"mpp": mpp}),
        **more,
    }
