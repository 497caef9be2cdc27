"""A real piece of tissue (nine patches of CoNSeP, 192 um at 0.25 um/px) as a store with three spots."""

from pathlib import Path

import anndata as ad
import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from shapely.geometry import Point
from spatialdata import SpatialData
from spatialdata.models import Image2DModel, ShapesModel, TableModel
from spatialdata.transformations import Identity, Scale

from napari_c2lst.slides.facts import SlideFacts

MPP = 0.25
SPOTS_UM = [(40.0, 40.0), (40.0, 140.0), (126.6, 90.0)]  # y, x
TILE = "test_10"


def tissue_picture(shared: Path, kind: str = "images") -> NDArray[np.generic]:
    """(768, 768[, 3]) of a CoNSeP tile: image, `inst` or `type`."""
    folder = shared / "hne-consep" / kind / "test"
    parts = [np.asarray(Image.open(next(folder.glob(f"{TILE}_{i:03d}.*")))) for i in range(9)]
    return np.concatenate([np.concatenate(parts[row : row + 3], axis=1) for row in (0, 3, 6)], axis=0)


def make_tissue_store(picture: NDArray[np.generic], path: Path, mpp: float = MPP, scale: float = 1.0) -> Path:
    """Write it; in the coordinate system `global` the image is `scale` times as large."""
    where = {"global": Scale([scale, scale], axes=("x", "y")) if scale != 1 else Identity()}
    image = Image2DModel.parse(
        np.moveaxis(picture, -1, 0), dims=("c", "y", "x"), chunks=(3, 128, 128), transformations=where
    )
    ids = [f"spot{i}" for i in range(len(SPOTS_UM))]
    points = [Point(x / mpp, y / mpp) for y, x in SPOTS_UM]
    circles = gpd.GeoDataFrame({"radius": np.full(len(ids), 27.5 / mpp)}, geometry=points, index=ids)
    obs = pd.DataFrame({"region": pd.Categorical(["spots"] * len(ids)), "spot_id": ids}, index=ids)
    table = ad.AnnData(np.ones((len(ids), 2), np.float32), obs=obs, var=pd.DataFrame(index=["A", "B"]))
    facts = SlideFacts(name="tissue", array="Visium", spot_um=55, microns_per_unit={"global": mpp / scale})
    SpatialData(
        images={"image": image},
        shapes={"spots": ShapesModel.parse(circles, transformations=where)},
        tables={"table": TableModel.parse(table, region="spots", region_key="region", instance_key="spot_id")},
        attrs={"c2lst": facts.model_dump(exclude_none=True)},
    ).write(path)
    return path
