from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from spatialdata import SpatialData
from spatialdata.models import Image2DModel
from spatialdata.transformations import Scale
from tests.slides.inputs import make_hd, picture
from tests.slides.readers.test_hd_tables import bins

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.genes.columns import GeneColumns
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers.bins import BinRaster, has_bins, read_bins
from napari_c2lst.slides.settings import ConvertSettings
from napari_c2lst.slides.store.converting import run


def centres(raster: object) -> np.ndarray:
    rows, columns = np.divmod(raster.pixel, raster.shape[1])
    return np.stack([rows, columns], axis=1) @ raster.matrix.T + raster.offset


def test_bins_of_a_folder_lie_inside_their_squares(tmp_path: Path) -> None:
    slide = open_slide(make_hd(tmp_path / "hd"))
    raster = read_bins(slide)
    assert raster.bin_um == 16  # there are no finer ones
    image = raster.image(raster.columns.column(slide.genes[0]))
    assert np.nanmin(image) == np.nanmax(image) == 1  # every bin has one count of each gene
    places = centres(raster)
    side = 112 / slide.mpp
    for square, yx in enumerate(slide.spots.yx):
        inside = (np.abs(places - yx) < side / 2).all(axis=1)
        assert inside.sum() == slide.sdata.tables["table"].obs.loc[slide.spots.ids[square], "bins"]


def test_fine_bins_are_summed_for_the_eye(tmp_path: Path) -> None:
    slide = open_slide(make_hd(tmp_path / "hd"))
    fine, coarse = read_bins(slide), read_bins(slide, shown_um=32)
    assert coarse.bin_um == 32
    gene = slide.genes[0]
    assert coarse.columns.column(gene).max() == 4
    assert coarse.columns.column(gene).sum() == fine.columns.column(gene).sum()
    whole = coarse.columns.column(gene) == 4
    assert np.allclose(np.median(centres(coarse)[whole], axis=0), np.median(centres(fine), axis=0), atol=32)


def test_bins_of_the_folder_a_store_was_made_of(tmp_path: Path) -> None:
    folder = make_hd(tmp_path / "hd")
    run(ConvertSettings(slide=folder, out=tmp_path / "hd.zarr"), Reporter())
    slide = open_slide(tmp_path / "hd.zarr")
    assert has_bins(slide)
    direct = read_bins(open_slide(folder))
    assert np.allclose(centres(read_bins(slide)), centres(direct))


@pytest.mark.parametrize("layout", ["visium_hd_seurat", "visium_hd_visiumio"])
def test_bins_of_real_layouts(shared: Path, layout: str) -> None:
    slide = open_slide(shared / "layouts" / layout)
    raster = read_bins(slide)
    assert raster.bin_um == 8
    total = sum(raster.columns.column(gene).sum() for gene in slide.genes)
    assert total >= slide.counts().sum()  # squares on the edge of the tissue are left out
    height, width = slide.pyramid.shape
    assert (np.median(centres(raster), axis=0) < (height, width)).all()


def test_other_slides_have_no_bins(shared: Path) -> None:
    slide = open_slide(shared / "her2st" / "B4")
    assert not has_bins(slide)
    assert read_bins(slide) is None


def test_bins_of_tables_as_spatialdata_writes_them(tmp_path: Path) -> None:
    tables, shapes = {}, {}
    for size in (8, 16):
        shapes[f"hd_square_{size:03d}um"], tables[f"square_{size:03d}um"] = bins(size, 448 // size, 560 // size)
    systems = {"hd": Scale([2.0, 2.0], axes=("y", "x"))}
    image = Image2DModel.parse(picture(224, 280), dims=("y", "x", "c"), transformations=systems)
    SpatialData(images={"hd_image": image}, shapes=shapes, tables=tables).write(tmp_path / "hd.zarr")
    slide = open_slide(tmp_path / "hd.zarr")
    raster = read_bins(slide)
    assert (raster.bin_um, raster.shape) == (8, (56, 70))
    # pixels of 2 um: bins of 4 px from the corner on
    assert np.allclose(centres(raster)[71], (6, 6))
    assert raster.columns.column(slide.genes[0]).sum() == 56 * 70


def test_values_of_bins_lie_in_their_pixels_and_nothing_lies_elsewhere() -> None:
    columns = GeneColumns.of_slabs([], ["A"], 3)
    raster = BinRaster(columns, (2, 3), np.array([0, 2, 4]), np.eye(2), np.zeros(2), 8.0)
    image = raster.image(np.array([5.0, 6.0, 7.0], np.float32))
    assert image.shape == (2, 3)
    assert image[0, [0, 2]].tolist() == [5, 6]
    assert image[1, 1] == 7
    assert np.isnan(image).sum() == 3
