from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from spatialdata import SpatialData, read_zarr
from spatialdata.models import Image2DModel, ShapesModel, TableModel
from spatialdata.transformations import Identity, Scale
from tests.slides.inputs import picture

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import SlideFacts
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.readers.hd_tables import with_squares
from napari_c2lst.slides.readers.reading import Reading, Wanted
from napari_c2lst.slides.store.results import write_elements

MPP = 1.0


def bins(size: int, rows: int, columns: int) -> tuple[Any, Any]:
    """Circles and table of bins in the middle of each `size` um, one count of each of 4 genes a bin."""
    r, c = (g.ravel() for g in np.mgrid[:rows, :columns])
    shapes = ShapesModel.parse(
        np.stack([(c + 0.5) * size / MPP, (r + 0.5) * size / MPP], axis=1),
        geometry=0,
        radius=size / 2,
        transformations={"hd": Identity(), "hd_downscaled_hires": Scale([0.5, 0.5], axes=("y", "x"))},
    )
    obs = pd.DataFrame({"in_tissue": 1, "array_row": r, "array_col": c, "location_id": np.arange(len(r))})
    obs["region"] = pd.Categorical([f"hd_square_{size:03d}um"] * len(r))
    obs.index = [f"s_{size:03d}um_{a:05d}_{b:05d}-1" for a, b in zip(r, c, strict=True)]
    table = ad.AnnData(sp.csr_matrix(np.ones((len(r), 4), np.float32)), obs=obs)
    return shapes, TableModel.parse(
        table, region=f"hd_square_{size:03d}um", region_key="region", instance_key="location_id"
    )


@pytest.fixture(scope="module")
def store_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store like those of spatialdata-io: 448 x 560 um, bins of 8 and 16 um, a picture of 2 um per pixel."""
    shapes, tables = {}, {}
    for size in (8, 16):
        name = f"square_{size:03d}um"
        shapes[f"hd_{name}"], tables[name] = bins(size, 448 // size, 560 // size)
    image = Image2DModel.parse(
        picture(224, 280),
        dims=("y", "x", "c"),
        transformations={"hd": Scale([2, 2], axes=("y", "x")), "hd_downscaled_hires": Identity()},
    )
    path = tmp_path_factory.mktemp("hd") / "hd.zarr"
    SpatialData(images={"hd_hires_image": image}, shapes=shapes, tables=tables).write(path)
    return path


def test_bins_are_summed_into_squares(store_once: Path) -> None:
    slide = open_slide(store_once)
    assert slide.kind == "SpatialData store, Visium HD, bins of 16 um"
    assert len(slide.spots) == 4 * 5
    assert (slide.counts().toarray() == 49).all()
    assert slide.spots.diameter_um == 112
    rc = slide.spots.array_rc
    assert np.allclose(slide.spots.yx, (rc + 0.5) * 56)
    assert (slide.mpp, slide.microns.source) == (pytest.approx(2.0), "fitted")
    assert "squares of 112 um" in slide.microns.detail
    assert "bins of table 'square_016um' are summed into 20 squares of 112 um" in slide.notes


def test_the_bins_of_a_named_table(store_once: Path) -> None:
    slide = open_slide(store_once, table="square_008um", square_um=56.0)
    assert len(slide.spots) == 8 * 10
    assert (slide.counts().toarray() == 49).all()
    with pytest.raises(InputError, match="has no table 'square_002um'"):
        open_slide(store_once, table="square_002um")


def test_squares_that_cannot_be_made(store_once: Path) -> None:
    with pytest.raises(InputError, match="squares of 50 um cannot be made of bins of 8, 16 um"):
        open_slide(store_once, square_um=50.0)


def test_results_on_squares_bring_the_squares_into_the_store(store_once: Path, tmp_path: Path) -> None:
    import shutil

    store = Path(shutil.copytree(store_once, tmp_path / "hd.zarr"))
    slide = open_slide(store)
    obs = pd.DataFrame({"region": pd.Categorical([slide.shapes_name] * 20), "spot_id": slide.spots.ids})
    obs.index = slide.spots.ids
    table = ad.AnnData(np.ones((20, 1), np.float32), obs=obs)
    table = TableModel.parse(table, region=slide.shapes_name, region_key="region", instance_key="spot_id")
    write_elements(slide, tables={"c2lst_spots_a": table})
    sdata = read_zarr(store)
    assert sdata.shapes["c2lst_squares_112um"].index.tolist() == slide.spots.ids.tolist()
    assert set(sdata.tables) == {"square_008um", "square_016um", "c2lst_spots_a"}
    again = open_slide(store)
    assert again.table_name == slide.table_name
    assert np.allclose(again.spots.yx, slide.spots.yx)


def test_other_tables_come_first(store_once: Path) -> None:
    sdata = read_zarr(store_once)
    sdata.tables["table"] = sdata.tables["square_008um"].copy()
    reading = Reading(sdata, SlideFacts())
    assert with_squares(reading, Wanted()) is reading
    assert with_squares(reading, Wanted(table="table")) is reading
    assert with_squares(reading, Wanted(table="square_008um")).facts.table == "c2lst_squares_112um_table"


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda t: t.obs.drop(columns="array_row", inplace=True), "has no array_row and array_col"),
        (lambda t: t.obs.__setitem__("array_row", 0), "lie on a line"),
        (lambda t: t.uns["spatialdata_attrs"].update(region="gone"), "does not annotate bins that are there"),
    ],
)
def test_tables_of_bins_that_cannot_be_used(spoil, text: str) -> None:
    shapes, table = bins(16, 8, 9)
    spoil(table)
    sdata = SimpleNamespace(shapes={"hd_square_016um": shapes}, tables={"square_016um": table})
    with pytest.raises(InputError, match=rf"table 'square_016um'.*{text}|{text}.*"):
        with_squares(Reading(sdata, SlideFacts()), Wanted())
    assert list(sdata.tables) == ["square_016um"], "nothing half-made is left"
