"""What regions are composed of: how many nuclei of each type."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.slide import Slide


def spot_of_cells(slide: Slide, xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """The spot each nucleus lies in.

    Parameters
    ----------
    slide
        With spots.
    xy
        (n, 2) centroids in level-0 pixels.

    Returns
    -------
    (n,) row of the spot; -1 between spots.
    """
    spots = slide.require_spots()
    diameter, square = spot_size_px(slide)
    if len(xy) == 0:
        return np.zeros(0, np.int64)
    norm = np.inf if square else 2
    reach = np.nextafter(diameter / 2, np.inf)
    _, row = cKDTree(spots.yx).query(xy[:, ::-1], p=norm, distance_upper_bound=reach)
    return np.where(row == len(spots), -1, row).astype(np.int64)


def spot_size_px(slide: Slide) -> tuple[float, bool]:
    """Diameter of a spot in level-0 pixels, or side of a square; and whether it is a square.

    Raises
    ------
    InputError
        If it is not known.
    """
    diameter = slide.require_spots().diameter_um
    if diameter is None:
        raise InputError(
            f"the spots of slide '{slide.name}' have no known diameter: no composition can be counted",
            "convert the slide from its original files, which say it",
        )
    return diameter / slide.mpp, getattr(slide.facts, "array", None) == "squares"


def count_types(region: NDArray[np.int64], kind: NDArray[np.integer], regions: int, types: int) -> NDArray[np.int64]:
    """How many of each type lie in each region.

    Parameters
    ----------
    region
        (n,) region of each nucleus; -1 in none.
    kind
        (n,) column of its type; -1 for none: such nuclei are not counted.

    Returns
    -------
    (regions, types) int64
    """
    inside = (region >= 0) & (kind >= 0)
    flat = region[inside] * types + kind[inside]
    return np.bincount(flat, minlength=regions * types).reshape(regions, types)


def proportions(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share of each type in each region; NaN where there are no nuclei."""
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0))


def composition_table(slide: Slide, counts: NDArray[np.int64], names: tuple[str, ...], uns: dict[str, Any]) -> Any:
    """Counts of nuclei as a table bound to the slide's spots.

    Parameters
    ----------
    counts
        (N, T) nuclei of each type in each spot.
    names
        T names of the types.
    uns
        What it says about itself.

    Returns
    -------
    AnnData: `X` counts, layer `proportion` (NaN in spots without nuclei), `obs["nuclei"]` their number.
    """
    import anndata
    import pandas as pd
    from spatialdata.models import TableModel

    spots = slide.require_spots()
    source = slide.sdata.tables[slide.table_name]
    # instance keys as the user's table has them: shapes may be indexed by numbers, not by barcodes
    keys = source.obs[source.uns["spatialdata_attrs"]["instance_key"]].to_numpy()
    obs = pd.DataFrame(
        {
            "region": pd.Categorical([slide.shapes_name] * len(spots)),
            "spot": keys if slide.rows is None else keys[slide.rows],
            "nuclei": counts.sum(axis=1),
        },
        index=pd.Index(spots.ids.astype(str)),
    )
    table = anndata.AnnData(counts.astype(np.float32), obs=obs, var=pd.DataFrame(index=pd.Index(list(names))))
    table.layers["proportion"] = proportions(counts).astype(np.float32)
    table.obsm["spatial"] = np.ascontiguousarray(spots.yx[:, ::-1])
    table.uns["c2lst"] = uns
    return TableModel.parse(table, region=str(slide.shapes_name), region_key="region", instance_key="spot")
