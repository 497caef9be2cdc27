"""A tiny slide as a SpatialData store, made of random numbers: quick to write, and every number is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
from shapely.geometry import Point
from spatialdata import SpatialData
from spatialdata.models import Image2DModel, ShapesModel, TableModel
from spatialdata.transformations import Identity

ROWS, COLS, PITCH_UM = 7, 9, 100.0


def tiny_positions(mpp: float = 2.5) -> tuple[np.ndarray, np.ndarray]:
    """(63, 2) array rows and columns of a Visium-like hexagonal array, and their (y, x) in level-0 pixels."""
    row, step = (grid.ravel() for grid in np.mgrid[:ROWS, :COLS])
    col = 2 * step + row % 2
    y = 62.5 + row * PITCH_UM * np.sqrt(3) / 2
    x = 62.5 + col * PITCH_UM / 2
    return np.stack([row, col], 1), np.stack([y, x], 1) / mpp


def tiny_image(shape: tuple[int, int] = (300, 400), seed: int = 0) -> np.ndarray:
    """(3, h, w) uint8: white glass, a pink ellipse of tissue, dark nuclei that are denser on the right."""
    h, w = shape
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w] / np.array([h, w]).reshape(2, 1, 1)
    tissue = ((y - 0.45) / 0.5) ** 2 + ((x - 0.45) / 0.5) ** 2 < 0.8
    image = np.full((h, w, 3), 244.0)
    image[tissue] = (222, 150, 190)
    nuclei = np.zeros((h, w), dtype=bool)
    centres = rng.random((700, 2)) * [h, w]
    for cy, cx in centres[rng.random(700) < 0.2 + 0.8 * centres[:, 1] / w].astype(int):
        nuclei[max(cy - 2, 0) : cy + 3, max(cx - 2, 0) : cx + 3] = True
    image[nuclei & tissue] = (92, 60, 140)
    image += rng.normal(0, 6, image.shape)
    return np.moveaxis(np.clip(image, 0, 255).astype(np.uint8), -1, 0)


def tiny_counts(array_rc: np.ndarray, genes: int = 40, seed: int = 0) -> np.ndarray:
    """(N, genes) raw counts: gene 0 is the highest; every second gene rises from left to right, as the nuclei do."""
    rng = np.random.default_rng(seed)
    level = 12.0 / (1 + np.arange(genes) / 4)
    slope = np.where(np.arange(genes) % 2 == 0, 1.0, 0.0)
    position = array_rc[:, 1] / array_rc[:, 1].max()
    return rng.poisson(level * (1 + 2 * slope * position[:, None] + 1 - slope)).astype(np.float32)


def make_tiny_store(
    path: Path,
    *,
    seed: int = 0,
    genes: int = 40,
    mpp: float = 2.5,
    gene_names: list[str] | None = None,
    coordinate_system: str = "global",
    transformation: Any = None,
    extra_obs: dict[str, Any] | None = None,
    numbered: bool = False,
) -> Path:
    """Write the tiny slide: a 300 x 400 px multiscale image, 63 spots as circles, a table of raw counts.

    Parameters
    ----------
    path
        The store to write (`.zarr`).
    mpp
        Microns per pixel; not stored, to be fitted from the array (Visium, 100 um pitch).
    gene_names
        Instead of GENE00, GENE01, ...
    coordinate_system, transformation
        The transformation of image and spots into that system; identity by default.
    extra_obs
        More columns of the table.
    numbered
        Number the shapes (0, 1, ...) instead of naming them, and write the table from the last spot to the first.

    Elements: image `tiny_full_image`, shapes `tiny`, table `table` (region_key region, instance_key spot_id).
    """
    array_rc, yx = tiny_positions(mpp)
    ids = [f"S{row}x{col}" for row, col in array_rc]
    transformations = {coordinate_system: transformation or Identity()}
    image = Image2DModel.parse(
        tiny_image(seed=seed),
        dims=("c", "y", "x"),
        scale_factors=[2, 2],
        chunks=(3, 128, 128),
        transformations=transformations,
    )
    keys: list[Any] = list(range(len(ids))) if numbered else ids
    circles = gpd.GeoDataFrame(
        {"radius": np.full(len(ids), 27.5 / mpp)}, geometry=[Point(x, y) for y, x in yx], index=keys
    )
    obs = pd.DataFrame(
        {
            "region": pd.Categorical(["tiny"] * len(ids)),
            "spot_id": keys,
            "in_tissue": 1,
            "array_row": array_rc[:, 0],
            "array_col": array_rc[:, 1],
            "cluster": pd.Categorical(np.where(array_rc[:, 1] > 8, "right", "left")),
            **(extra_obs or {}),
        },
        index=ids,
    )
    names = gene_names or [f"GENE{i:02d}" for i in range(genes)]
    table = ad.AnnData(
        sp.csr_matrix(tiny_counts(array_rc, len(names), seed)),
        obs=obs,
        var=pd.DataFrame(index=names),
        obsm={"spatial": yx[:, ::-1]},
    )
    table = table[::-1].copy() if numbered else table
    sdata = SpatialData(
        images={"tiny_full_image": image},
        shapes={"tiny": ShapesModel.parse(circles, transformations=transformations)},
        tables={"table": TableModel.parse(table, region="tiny", region_key="region", instance_key="spot_id")},
    )
    sdata.write(path)
    return path


def make_tiny_legacy(folder: Path, *, seed: int = 0) -> Path:
    """Write a legacy ST section as text and JPEG: 36 spots at 200 um and 5 um per pixel, 20 genes.

    Returns the folder, with `T1.tsv`, `T1_selection.tsv` and `T1_HE.jpg`.
    """
    from PIL import Image

    folder.mkdir(parents=True)
    x, y = (grid.ravel() + 2 for grid in np.mgrid[:6, :6])
    rng = np.random.default_rng(seed)
    counts = pd.DataFrame(
        rng.poisson(5, (36, 20)),
        index=[f"{a}x{b}" for a, b in zip(x, y, strict=True)],
        columns=[f"G{i}" for i in range(20)],
    )
    counts.to_csv(folder / "T1.tsv", sep="\t")
    spots = pd.DataFrame(
        {"x": x, "y": y, "new_x": x, "new_y": y, "pixel_x": 40.0 * x, "pixel_y": 40.0 * y, "selected": 1}
    )
    spots.to_csv(folder / "T1_selection.tsv", sep="\t", index=False)
    Image.fromarray(np.moveaxis(tiny_image((360, 360), seed), 0, -1)).save(folder / "T1_HE.jpg", quality=95)
    return folder
