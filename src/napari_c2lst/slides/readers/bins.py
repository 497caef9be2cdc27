"""The bins of a Visium HD slide as a raster to look at; its "spots" are squares of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.places import find_place
from napari_c2lst.slides.genes.columns import GeneColumns
from napari_c2lst.slides.genes.raw_counts import raw_counts
from napari_c2lst.slides.geometry import apply_yx, centres_yx, matrix_to_system
from napari_c2lst.slides.microns import fit_array

from .hd_tables import hd_tables
from .reading import unreadable
from .spots_of_table import spots_of_table
from .tenx import CountsFile, find_counts
from .visium import read_positions
from .visium_hd import hd_bins

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

Slabs = Iterator[tuple[NDArray[np.integer], Any]]

# Bins are shown at this size: 2 um bins hold a molecule or none, and ten million of them are more than a screen shows.
SHOWN_UM = 8
_SLAB_VALUES = 8_000_000


@dataclass(frozen=True, eq=False)
class BinRaster:
    """Bins on their grid.

    Parameters
    ----------
    columns
        Counts of the bins, by gene; places are those of `pixel`.
    shape
        Rows and columns of the raster.
    pixel
        (n,) flat pixel of each bin.
    matrix, offset
        Level-0 pixels (y, x) of a raster pixel's centre: `(row, column) @ matrix.T + offset`.
    bin_um
        Side of a bin in microns.
    """

    columns: GeneColumns
    shape: tuple[int, int]
    pixel: NDArray[np.int64]
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    bin_um: float

    def image(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(rows, columns) of values (n,); NaN where there is no bin."""
        image = np.full(self.shape[0] * self.shape[1], np.nan, dtype=np.float32)
        image[self.pixel] = values
        return image.reshape(self.shape)


def has_bins(slide: Slide) -> bool:
    """Whether there are bins to show: a Visium HD folder or what was made of one, or tables of bins."""
    return _folder(slide) is not None or bool(hd_tables(slide.sdata))


def read_bins(slide: Slide, shown_um: int = SHOWN_UM) -> BinRaster | None:
    """Read the bins of a slide, by gene; None when it has none. Takes seconds for half a million bins.

    Raises
    ------
    InputError
        If they are damaged, or do not lie on a grid.
    """
    folder = _folder(slide)
    if folder is not None:
        size, folder = _choose(hd_bins(folder), shown_um)
        return _of_folder(slide, folder, size, shown_um)
    tables = hd_tables(slide.sdata)
    if not tables:
        return None
    size, name = _choose(tables, shown_um)
    return _of_table(slide, name, size, shown_um)


def _folder(slide: Slide) -> Path | None:
    """The Space Ranger folder a slide is, or was made of; None when it is not one of HD or is not there any more."""
    source = getattr(slide.facts, "source", None)
    for path in (slide.path, find_place(source, slide.path.parent) if source else None):
        if path is not None and path.is_dir() and path.suffix != ".zarr" and hd_bins(path):
            return path
    return None


def _choose(bins: dict[int, Any], shown_um: int) -> tuple[int, Any]:
    """The bins nearest to what is shown, rather finer ones, which are summed."""
    finer = [size for size in bins if size <= shown_um]
    size = max(finer) if finer else min(bins)
    return size, bins[size]


def _of_folder(slide: Slide, folder: Path, size: int, shown_um: int) -> BinRaster:
    positions_path, counts_path = folder / "spatial" / "tissue_positions.parquet", find_counts(folder)
    positions = read_positions(positions_path)
    with unreadable(counts_path):
        file = CountsFile(counts_path)
        rows = positions.index.get_indexer(file.barcodes)
        rc = positions[["array_row", "array_col"]].to_numpy(np.int64)
        yx = positions[["pxl_row_in_fullres", "pxl_col_in_fullres"]].to_numpy(float)
        grid = _Grid.of(slide, rc[rows[rows >= 0]], (rc, _to_pixels(slide, yx)), size, shown_um, positions_path)
        place = np.full(len(rows), -1, dtype=np.int64)
        place[rows >= 0] = grid.place
        slabs = ((place[span], counts) for span, counts in file.slabs(_SLAB_VALUES))
        return grid.raster(GeneColumns.of_slabs(slabs, file.genes, len(grid.pixel)))


def _of_table(slide: Slide, name: str, size: int, shown_um: int) -> BinRaster:
    table = slide.sdata.tables[name]
    region = str(table.uns["spatialdata_attrs"]["region"])
    shapes = slide.sdata.shapes[region]
    bins = spots_of_table(table, name, shapes, region, f"slide '{slide.name}'")
    if bins.array_rc is None:
        raise InputError(f"table '{name}' has no array_row and array_col", "choose another table")
    yx = _to_pixels(slide, centres_yx(shapes)[bins.places], region)
    grid = _Grid.of(slide, bins.array_rc, (bins.array_rc, yx), size, shown_um, name)
    counts = raw_counts(table, bins.rows, f"table '{name}'")
    genes = [str(gene) for gene in table.var_names]
    return grid.raster(GeneColumns.of_slabs([(grid.place, counts)], genes, len(grid.pixel)))


def _to_pixels(slide: Slide, yx: NDArray[np.float64], shapes: str | None = None) -> NDArray[np.float64]:
    """Places of bins, in the units of the slide's spots or of a shapes element, as level-0 pixels of its image."""
    image = matrix_to_system(slide.sdata.images[slide.image_name], slide.coordinate_system, "the image")
    name = shapes or slide.shapes_name
    assert name is not None
    own = matrix_to_system(slide.sdata.shapes[name], slide.coordinate_system, "the bins")
    return apply_yx(np.linalg.inv(image) @ own, yx)


@dataclass(frozen=True, eq=False)
class _Grid:
    """Which pixel of the raster every bin falls into, and where the raster lies."""

    place: NDArray[np.int64]  # of each bin given, index into `pixel`
    pixel: NDArray[np.int64]
    shape: tuple[int, int]
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    bin_um: float

    @classmethod
    def of(
        cls,
        slide: Slide,
        rc: NDArray[np.int64],
        known: tuple[NDArray[np.int64], NDArray[np.float64]],
        size: int,
        shown_um: int,
        where: object,
    ) -> _Grid:
        if len(rc) == 0:
            raise InputError(f"none of the bins of '{where}' has counts", "copy the files again")
        fit = fit_array(*known)
        if fit is None:
            raise InputError(f"the bins of '{where}' lie on a line", "copy the file again")
        factor = max(1, shown_um // size)
        coarse = rc // factor
        first = coarse.min(axis=0)
        rows, columns = (int(end) + 1 for end in (coarse - first).max(axis=0))
        flat = (coarse[:, 0] - first[0]) * columns + coarse[:, 1] - first[1]
        pixel, place = np.unique(flat, return_inverse=True)
        offset = (first * factor + (factor - 1) / 2) @ fit.matrix.T + fit.offset
        return cls(place.ravel(), pixel, (rows, columns), fit.matrix * factor, offset, float(size * factor))

    def raster(self, columns: GeneColumns) -> BinRaster:
        return BinRaster(columns, self.shape, self.pixel, self.matrix, self.offset, self.bin_um)
