"""Nuclei as elements of a SpatialData."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cells.maps import discs

from napari_c2lst.cells.elements import cell_shapes, cell_table, cells_uns, type_column
from napari_c2lst.cells.facts import CONSEP_TYPES, UNTYPED, CellFacts
from napari_c2lst.cells.found import Found
from napari_c2lst.cells.joining import polygons
from napari_c2lst.cells.postprocess import measure
from napari_c2lst.slides.slide import Slide

FACTS = CellFacts(mode="fast", nr_types=5, types=CONSEP_TYPES, mpp=0.5)


@pytest.fixture
def found() -> Found:
    labels = discs((60, 90), [(20, 20), (20, 50), (40, 70)], 6)
    return Found.of(measure(labels, np.where(labels == 1, 4, np.where(labels == 2, 2, 0))), 0, (0, 0), 90)


def test_the_table_says_type_probability_area_and_place(found: Found) -> None:
    uns = cells_uns("cells", "mine", FACTS, "sha256:x", 0.25, tiles=3)
    table = cell_table("c2lst_cells_mine", found, FACTS, 2.0, uns)
    assert table.obs["type"].astype(str).tolist() == ["spindle-shaped", "inflammatory", UNTYPED]
    assert table.obs["cell"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(table.obs["area_um2"], found.area * 0.25)
    np.testing.assert_allclose(table.obs[["x", "y"]].to_numpy()[0], [41, 41])
    np.testing.assert_allclose(table.obsm["spatial"], table.obs[["x", "y"]])
    assert table.X.toarray().tolist() == [[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert table.obs_names.tolist() == ["cell_0", "cell_1", "cell_2"]
    assert table.obs["region"].unique().tolist() == ["c2lst_cells_mine"]


def test_what_tables_say_of_themselves() -> None:
    uns = cells_uns("cells", "mine", FACTS, "sha256:x", 0.25, tiles=3)
    assert CellFacts.model_validate(json.loads(uns["weights"])) == FACTS
    assert uns["type_colours"].tolist()[1] == [0, 255, 0]
    assert (uns["mpp"], uns["tiles"], uns["version"]) == (0.25, 3, 1)
    assert "mpp" not in cells_uns("cells", "mine", FACTS, "sha256:x", None)


def test_without_types_all_are_nuclei(found: Found) -> None:
    plain = CellFacts(mode="fast")
    assert type_column(found, plain).tolist() == [0, 0, 0]
    table = cell_table("c2lst_cells_a", found, plain, 1.0, cells_uns("cells", "a", plain, "", None))
    assert set(table.obs["type"].astype(str)) == {"nucleus"}


def test_shapes_are_in_every_system_of_the_image(found: Found, tissue: Slide) -> None:
    from spatialdata.transformations import get_transformation

    shapes = cell_shapes(tissue, polygons(found))
    assert len(shapes) == 3
    assert list(get_transformation(shapes, get_all=True)) == ["global"]


def test_types_that_none_has_are_known_to_the_table_too(found: Found) -> None:
    """So that two slides of the same weights can be put one below the other."""
    table = cell_table("c2lst_cells_a", found, FACTS, 1.0, {})
    assert table.obs["type"].cat.categories.tolist() == [*FACTS.type_names, UNTYPED]
    assert table.var_names.tolist() == list(FACTS.type_names)


def test_a_part_is_rows_of_the_whole(found: Found, tissue: Slide) -> None:
    import pandas as pd

    uns = cells_uns("cells", "mine", FACTS, "sha256:x", 0.25)
    table, part = (
        cell_table("c2lst_cells_mine", some, FACTS, 2.0, dict(uns), first)
        for some, first in ((found, 0), (found.part(1, 3), 1))
    )
    pd.testing.assert_frame_equal(part.obs, table.obs[1:])
    assert (table.X[1:] != part.X).nnz == 0
    np.testing.assert_array_equal(part.obsm["spatial"], table.obsm["spatial"][1:])
    shapes, some = cell_shapes(tissue, polygons(found)), cell_shapes(tissue, polygons(found.part(1, 3)), 1)
    pd.testing.assert_frame_equal(pd.DataFrame(some), pd.DataFrame(shapes[1:]))


def test_the_table_survives_the_disk(found: Found, tmp_path: Path) -> None:
    import anndata

    uns = cells_uns("cells", "mine", FACTS, "sha256:x", 0.25, tiles=3, bad_tiles=1)
    cell_table("c2lst_cells_mine", found, FACTS, 2.0, uns).write_zarr(tmp_path / "t.zarr")
    read = anndata.read_zarr(tmp_path / "t.zarr")
    assert read.uns["c2lst"]["kind"] == "cells"
    assert list(read.uns["c2lst"]["type_names"]) == list(FACTS.type_names)
    assert int(read.uns["c2lst"]["bad_tiles"]) == 1
    assert CellFacts.model_validate_json(str(read.uns["c2lst"]["weights"])) == FACTS
    np.testing.assert_array_equal(read.obs["type_prob"], found.type_prob)
    assert read.obs["type"].astype(str).tolist()[2] == UNTYPED


def test_polygons_lie_where_the_image_lies(found: Found, tissue: Slide) -> None:
    """The transformation of the image is theirs, also where a system turns and moves it."""
    from spatialdata.transformations import Affine, get_transformation, set_transformation

    image = tissue.sdata.images[tissue.image_name]
    turned = Affine([[0, -2, 100], [2, 0, 7], [0, 0, 1]], input_axes=("x", "y"), output_axes=("x", "y"))
    before = get_transformation(image, get_all=True)
    set_transformation(image, {**before, "turned": turned}, set_all=True)
    try:
        shapes = cell_shapes(tissue, polygons(found))
    finally:
        set_transformation(image, before, set_all=True)
    there = get_transformation(shapes, get_all=True)
    assert set(there) == {"global", "turned"}
    matrix = there["turned"].to_affine_matrix(("x", "y"), ("x", "y"))
    np.testing.assert_allclose(matrix, [[0, -2, 100], [2, 0, 7], [0, 0, 1]])
