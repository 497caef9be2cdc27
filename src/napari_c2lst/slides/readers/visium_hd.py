"""Visium HD (Space Ranger): bins of 2, 8 or 16 um, summed into squares of the patch size.

A bin is far smaller than a patch, so the "spots" of the slide are squares of bins. Counts are summed as sparse
matrices, a slab of bins at a time, so that 11 million bins of 2 um need no more memory than their squares.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import SlideFacts
from napari_c2lst.slides.images.image_files import open_image
from napari_c2lst.slides.microns import SQUARES, Fit, fit_array

from .reading import Reading, Wanted, circles_element, element_name, image_element, no_match, table_element, unreadable
from .tenx import CountsFile, find_counts
from .visium import read_positions, read_scales

_BIN_FOLDER = re.compile(r"square_(\d{3})um")
# A square counts as tissue when at least this share of its bins lies under tissue.
_LEAST_TISSUE = 0.5


def hd_bins(path: Path) -> dict[int, Path]:
    """Bin folders by bin size (um): of a path that is one, holds them, or holds `binned_outputs` (also in `outs`)."""
    match = _BIN_FOLDER.fullmatch(path.name)
    if match and (path / "spatial").is_dir():
        return {int(match[1]): path}
    for folder in (path, path / "binned_outputs", path / "outs" / "binned_outputs"):
        found = {int(m[1]): p for p in sorted(folder.glob("square_*um")) if (m := _BIN_FOLDER.fullmatch(p.name))}
        if found:
            return found
    return {}


def choose_bin(sizes: list[int], square_um: float) -> int:
    """The coarsest bin that divides the square evenly: it is the least to read, and the sums are the same.

    Raises
    ------
    InputError
        If none does.
    """
    for size in sorted(sizes, reverse=True):
        if square_um >= size and abs(square_um / size - round(square_um / size)) < 1e-6:
            return size
    raise InputError(
        f"squares of {square_um:g} um cannot be made of bins of {', '.join(str(s) for s in sorted(sizes))} um",
        "choose a patch size that is a multiple of the bin size",
    )


def read_visium_hd(path: Path, wanted: Wanted) -> Reading:
    """Read Visium HD output; the spots of the slide are squares of bins."""
    from spatialdata import SpatialData
    from spatialdata.transformations import Identity, Scale

    bins = hd_bins(path)
    size = choose_bin(list(bins), wanted.square_um)
    folder = bins[size]
    sample = _sample_name(path)
    name = element_name(sample)  # of the spots, of their coordinate system, and in that of the images
    scales = read_scales(folder / "spatial")
    squares = _sum_squares(folder, size, wanted.square_um)
    images, pictures = {}, {"hires": scales["tissue_hires_scalef"], "lowres": scales["tissue_lowres_scalef"]}
    for which, scale in pictures.items():
        file = folder / "spatial" / f"tissue_{which}_image.png"
        if file.is_file():
            to_full = Scale([1 / scale, 1 / scale], axes=("y", "x"))
            images[f"{name}_{which}_image"] = image_element(open_image(file).pyramid.levels, {name: to_full})
    if not images and wanted.image is None:
        raise InputError(f"'{folder / 'spatial'}' has no tissue_hires_image.png", "pass --image FILE")
    radius = wanted.square_um / 2 / scales["microns_per_pixel"] if "microns_per_pixel" in scales else 1.0
    sdata = SpatialData(
        images=images,
        shapes={name: circles_element(squares.yx, radius, np.asarray(squares.ids), {name: Identity()})},
        tables={"table": table_element(squares.counts, squares.genes, squares.ids, squares.obs, name)},
    )
    notes = [f"{squares.bins} bins of {size} um are summed into {len(squares.ids)} squares of {wanted.square_um:g} um"]
    if squares.lost:
        notes.append(f"{squares.lost} bins without a position are left out")
    if wanted.image is None:
        used = "hires" if f"{name}_hires_image" in images else "lowres"
        notes.append(f"no full-resolution image: 'tissue_{used}_image.png' is used; pass --image FILE for the real one")
    stored = {name: float(scales["microns_per_pixel"])} if "microns_per_pixel" in scales else {}
    detail = "microns_per_pixel of Space Ranger's scale factors"
    facts = SlideFacts(
        kind=f"Visium HD, bins of {size} um (Space Ranger)",
        name=sample,
        array=SQUARES,
        spot_um=wanted.square_um,
        microns_per_unit=stored,
        microns_detail=detail,
    )
    return Reading(sdata, facts, tuple(notes))


@dataclass(frozen=True, eq=False)
class Squares:
    """Squares of bins: ids, centres (N, 2) in full-resolution pixels, summed counts, and what to keep beside them."""

    ids: list[str]
    yx: NDArray[np.float64]
    counts: Any
    genes: list[str]
    obs: dict[str, Any]
    bins: int
    lost: int


def _sum_squares(folder: Path, size: int, square_um: float) -> Squares:
    counts_path = find_counts(folder)
    positions_path = folder / "spatial" / "tissue_positions.parquet"
    positions = read_positions(positions_path)
    side = round(square_um / size)
    rc = positions[["array_row", "array_col"]].to_numpy(np.int64)
    fit = fit_array(rc, positions[["pxl_row_in_fullres", "pxl_col_in_fullres"]].to_numpy(float))
    if fit is None:
        raise InputError(f"the bins of '{positions_path}' lie on a line", "copy the file again")
    with unreadable(counts_path):
        file = CountsFile(counts_path)
        rows = positions.index.get_indexer(file.barcodes)
        if (rows < 0).all():
            raise no_match("counts", counts_path, file.barcodes[0], positions_path, str(positions.index[0]))
        placed = np.flatnonzero(rows >= 0)
        keys, inverse = np.unique(rc[rows[placed]] // side, axis=0, return_inverse=True)
        # bins without a position go to a group of their own, which is dropped
        square_of_bin = np.full(len(rows), len(keys))
        square_of_bin[placed] = inverse.ravel()
        total = sum_rows(file, square_of_bin, len(keys) + 1)
    share = _tissue_share(rc // side, positions["in_tissue"].to_numpy() == 1, keys)
    keep = np.flatnonzero(share >= _LEAST_TISSUE)
    keys = keys[keep]
    obs = {
        "array_row": keys[:, 0],
        "array_col": keys[:, 1],
        "bins": np.bincount(square_of_bin, minlength=len(share))[keep],
        "tissue_share": share[keep],
    }
    ids = [f"s_{square_um:g}um_{r:05d}_{c:05d}" for r, c in keys]
    return Squares(
        ids, square_centres(fit, keys, side), total[keep], file.genes, obs, len(placed), len(rows) - len(placed)
    )


def sum_rows(file: CountsFile, group: NDArray[np.integer], groups: int) -> Any:
    """Sum the barcodes of a counts file by group: csr (groups, G) float32.

    Parameters
    ----------
    group
        (barcodes,) group of every barcode.
    """
    from scipy.sparse import csr_matrix

    total = csr_matrix((groups, len(file.genes)), dtype=np.float32)
    for span, counts in file.slabs():
        members = group[span]
        ones = np.ones(len(members), dtype=np.float32)
        total = total + csr_matrix((ones, (members, np.arange(len(members)))), shape=(groups, len(members))) @ counts
    return total.tocsr()


def square_centres(fit: Fit, keys: NDArray[np.integer], side: int) -> NDArray[np.float64]:
    """(N, 2) centres in pixels of squares of `side` bins, by the fit of bin positions on bin coordinates."""
    return (keys * side + (side - 1) / 2) @ fit.matrix.T + fit.offset


def _tissue_share(
    keys: NDArray[np.integer], tissue: NDArray[np.bool_], squares: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Share of the bins of each square that lie under tissue."""
    width = int(keys[:, 1].max()) + 1
    flat = keys[:, 0] * width + keys[:, 1]
    bins = np.bincount(flat, minlength=int(flat.max()) + 1)
    under = np.bincount(flat, weights=tissue, minlength=len(bins))
    wanted = squares[:, 0] * width + squares[:, 1]
    return under[wanted] / np.maximum(bins[wanted], 1)


def _sample_name(path: Path) -> str:
    path = path.absolute()
    while path.name in ("outs", "binned_outputs") or _BIN_FOLDER.fullmatch(path.name):
        path = path.parent
    return path.name
