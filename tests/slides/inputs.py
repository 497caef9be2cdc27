"""Small inputs of every kind, made of known numbers: image files, Space Ranger folders, HEST-1k samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
import tifffile
from PIL import Image
from tests.slides.stores import tiny_image, tiny_positions


def picture(height: int = 300, width: int = 400, seed: int = 0) -> np.ndarray:
    """(h, w, 3) uint8: the tiny slide's picture."""
    return np.moveaxis(tiny_image((height, width), seed), 0, -1)


def write_tiff(path: Path, pixels: np.ndarray, *, levels: int = 1, tile: int = 64, **options: Any) -> Path:
    """Write a tiled TIFF with so many levels, each every second pixel of the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tifffile.TiffWriter(path) as tiff:
        common = {"photometric": "rgb", "compression": "deflate", **options}
        if tile:
            common["tile"] = (tile, tile)
        tiff.write(pixels, subifds=levels - 1, **common)
        for level in range(1, levels):
            small = pixels[:: 2**level, :: 2**level]
            tiff.write(
                small, subfiletype=1, **{k: v for k, v in common.items() if k not in ("description", "metadata")}
            )
    return path


def write_png(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_h5_counts(path: Path, counts: np.ndarray, barcodes: list[str], genes: list[str]) -> Path:
    """Counts (N, G) as Space Ranger writes them: columns are barcodes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    matrix = sp.csc_matrix(counts.T)
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        group["barcodes"] = np.array(barcodes, dtype="S")
        group["data"] = matrix.data.astype(np.int32)
        group["indices"] = matrix.indices.astype(np.int64)
        group["indptr"] = matrix.indptr.astype(np.int64)
        group["shape"] = np.array(matrix.shape, dtype=np.int32)
        features = group.create_group("features")
        features["id"] = features["name"] = np.array(genes, dtype="S")
        features["feature_type"] = np.array(["Gene Expression"] * len(genes), dtype="S")
        features["genome"] = np.array(["toy"] * len(genes), dtype="S")
        features["_all_tag_keys"] = np.array(["genome"], dtype="S")
        file.attrs["library_ids"] = np.array(["toy"], dtype="S")
    return path


def write_mtx_counts(folder: Path, counts: np.ndarray, barcodes: list[str], genes: list[str]) -> Path:
    """Counts (N, G) as a folder of matrix, barcodes and features."""
    import gzip

    from scipy.io import mmwrite

    folder.mkdir(parents=True)
    mmwrite(folder / "matrix.mtx", sp.coo_matrix(counts.T.astype(int)))
    (folder / "matrix.mtx.gz").write_bytes(gzip.compress((folder / "matrix.mtx").read_bytes()))
    (folder / "matrix.mtx").unlink()
    (folder / "barcodes.tsv.gz").write_bytes(gzip.compress("\n".join(barcodes).encode()))
    features = "\n".join(f"ID{i}\t{gene}\tGene Expression" for i, gene in enumerate(genes))
    (folder / "features.tsv.gz").write_bytes(gzip.compress(features.encode()))
    return folder


def make_space_ranger(folder: Path, *, scale: float = 0.25, header: bool = False, mtx: bool = False) -> Path:
    """Write Visium output: 63 spots on a 1200 x 1600 px frame of 0.625 um per pixel, and its hires picture.

    `frame.tif` beside `outs` is the full-resolution image. Returns the sample folder (that holds `outs`).
    """
    outs = folder / "outs"
    rc, yx = tiny_positions(mpp=0.625)
    barcodes = [f"BC{i:02d}-1" for i in range(len(rc))]
    genes = [f"GENE{i}" for i in range(7)]
    counts = np.random.default_rng(0).poisson(3, (len(rc), 7))
    if mtx:
        write_mtx_counts(outs / "filtered_feature_bc_matrix", counts, barcodes, genes)
    else:
        write_h5_counts(outs / "filtered_feature_bc_matrix.h5", counts, barcodes, genes)
    frame = np.kron(picture(), np.ones((4, 4, 1), np.uint8))
    write_tiff(folder / "frame.tif", frame, tile=256)
    write_png(outs / "spatial" / "tissue_hires_image.png", frame[:: round(1 / scale), :: round(1 / scale)])
    scales = {"tissue_hires_scalef": scale, "tissue_lowres_scalef": scale / 4, "spot_diameter_fullres": 104.0}
    (outs / "spatial" / "scalefactors_json.json").write_text(json.dumps(scales))
    positions = pd.DataFrame(
        {
            "barcode": barcodes,
            "in_tissue": 1,
            "array_row": rc[:, 0],
            "array_col": rc[:, 1],
            "pxl_row_in_fullres": yx[:, 0],
            "pxl_col_in_fullres": yx[:, 1],
        }
    )
    name = "tissue_positions.csv" if header else "tissue_positions_list.csv"
    positions.to_csv(outs / "spatial" / name, index=False, header=header)
    return folder


def make_hd(folder: Path, *, size: int = 16, mpp: float = 1.0) -> Path:
    """Write Visium HD output: 30 x 40 bins with one count of each of 5 genes; the last ten columns are off tissue.

    The picture covers the bins; `microns_per_pixel` is `mpp`.
    """
    part = folder / "outs" / "binned_outputs" / f"square_{size:03d}um"
    rows, columns = (grid.ravel() for grid in np.mgrid[:30, :40])
    barcodes = [f"s_{size:03d}um_{r:05d}_{c:05d}-1" for r, c in zip(rows, columns, strict=True)]
    tissue = columns < 30
    counts = np.ones((int(tissue.sum()), 5), int)
    names = [name for name, keep in zip(barcodes, tissue, strict=True) if keep]
    write_h5_counts(part / "filtered_feature_bc_matrix.h5", counts, names, [f"G{i}" for i in range(5)])
    positions = pd.DataFrame(
        {
            "barcode": barcodes,
            "in_tissue": tissue.astype(int),
            "array_row": rows,
            "array_col": columns,
            # half a bin from the corner; columns run leftwards, as they do in real data
            "pxl_row_in_fullres": (rows + 0.5) * size / mpp,
            "pxl_col_in_fullres": (40 - columns - 0.5) * size / mpp,
        }
    )
    (part / "spatial").mkdir(parents=True)
    positions.to_parquet(part / "spatial" / "tissue_positions.parquet")
    full = (round(30 * size / mpp), round(40 * size / mpp))
    write_png(part / "spatial" / "tissue_hires_image.png", picture(full[0] // 2, full[1] // 2))
    scales = {"tissue_hires_scalef": 0.5, "tissue_lowres_scalef": 0.05, "microns_per_pixel": mpp, "bin_size_um": size}
    (part / "spatial" / "scalefactors_json.json").write_text(json.dumps(scales))
    return folder


def make_hest(folder: Path, sample: str = "TOY1", *, estimated: float | None = 0.7) -> Path:
    """Write a HEST-1k sample: 63 spots on a 300 x 400 px pyramid. Returns the folder of `st`, `wsis`, `metadata`."""
    import anndata as ad

    rc, yx = tiny_positions()
    write_tiff(folder / "wsis" / f"{sample}.tif", picture(), levels=2)
    obs = pd.DataFrame(
        {"in_tissue": 1, "array_row": rc[:, 0], "array_col": rc[:, 1]}, index=[f"BC{i}" for i in range(len(rc))]
    )
    counts = sp.csr_matrix(np.random.default_rng(0).poisson(3, (len(rc), 6)).astype(np.float32))
    adata = ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=[f"ENSG{i}" for i in range(6)]))
    adata.obsm["spatial"] = yx[:, ::-1]
    (folder / "st").mkdir(exist_ok=True)
    adata.write_h5ad(folder / "st" / f"{sample}.h5ad")
    (folder / "metadata").mkdir(exist_ok=True)
    body = {"pixel_size_um_embedded": 123.0, "pixel_size_um_estimated": estimated}
    (folder / "metadata" / f"{sample}.json").write_text(json.dumps(body))
    return folder


def cut(path: Path, share: float = 0.6) -> Path:
    """Keep the first part of a file only."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path
