"""What was drawn elsewhere, written into the store: where it was drawn, under our names, whole or not at all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import anndata
import geopandas
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box
from spatialdata.models import ShapesModel, TableModel
from spatialdata.transformations import Identity

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.layers.placing import to_world
from napari_c2lst.plugin.neighbour.drawn import drawn_in, replaced, save_drawn
from napari_c2lst.plugin.neighbour.elements import Lent, lend
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path


@pytest.fixture
def lent(tmp_path: Path) -> Lent:
    return lend(open_slide(Path(shutil.copytree(sample_slide_path(), tmp_path / "B4.zarr"))))


def add(lent: Lent, name: str, *geometry: Any, table: bool = False, **columns: Any) -> None:
    """As napari-spatialdata adds what was drawn: in the window's coordinates, with the identity."""
    frame = geopandas.GeoDataFrame({"geometry": list(geometry), **columns})
    lent.sdata.shapes[name] = ShapesModel.parse(frame, transformations={lent.system: Identity()})
    if table:
        described = {"class": ["tumour", np.nan][: len(frame)], "region": name, "instance_id": range(len(frame))}
        obs = pd.DataFrame(described, index=[str(i) for i in range(len(frame))])
        obs["region"] = obs["region"].astype("category")
        made = anndata.AnnData(obs=obs, uns={"class_color": {"tumour": "#ff0000", np.nan: np.nan}})
        keys = {"region": name, "region_key": "region", "instance_key": "instance_id"}
        lent.sdata.tables[f"{name}_classes"] = TableModel.parse(made, **keys)


def square(lent: Lent) -> Any:
    """In the window, what is (x, y) 100 to 300 and 50 to 150 in pixels."""
    (top, left), (bottom, right) = to_world(lent.slide, np.array([[50.0, 100.0], [150.0, 300.0]]))
    return box(left, top, right, bottom)


def test_shapes_and_classes_are_found_by_name(lent: Lent) -> None:
    assert drawn_in(lent) == []
    add(lent, "b", square(lent))
    add(lent, "a", square(lent), square(lent), table=True)
    one, other = drawn_in(lent)
    assert (one.words, other.words) == ("a: 2 shapes with classes", "b: 1 shape")
    assert (one.stored_as, other.stored_as) == ("c2lst_drawn_a", "c2lst_drawn_b")


def test_they_lie_in_the_slide_where_they_were_drawn(lent: Lent) -> None:
    add(lent, "a", square(lent), square(lent), table=True)
    add(lent, "round", Point(10.0, 20.0), radius=[6.875461])
    assert save_drawn(lent, drawn_in(lent), lent.slide) == ["c2lst_drawn_a", "c2lst_drawn_round"]
    again = open_slide(lent.slide.path)
    assert np.allclose(again.sdata.shapes["c2lst_drawn_a"].geometry.iloc[0].bounds, (100, 50, 300, 150))
    circle = again.sdata.shapes["c2lst_drawn_round"]
    um = lent.slide.mpp
    assert np.allclose([circle.geometry.x[0], circle.geometry.y[0]], [10 / um + 0.5, 20 / um + 0.5])
    assert circle["radius"][0] == pytest.approx(6.875461 / um)
    table = again.sdata.tables["c2lst_drawn_a_table"]
    assert table.obs["class"].tolist() == ["tumour", ""]
    assert set(table.obs["region"]) == {"c2lst_drawn_a"} == {table.uns["spatialdata_attrs"]["region"]}
    assert table.uns["class_color"] == {"tumour": "#ff0000"}


def test_what_is_saved_is_not_offered_again_until_it_changes(lent: Lent) -> None:
    add(lent, "a", square(lent), table=True)
    save_drawn(lent, drawn_in(lent), lent.slide)
    assert drawn_in(lent) == []
    add(lent, "a", square(lent))
    assert [each.name for each in drawn_in(lent)] == ["a"]
    assert replaced(drawn_in(lent), lent.slide) == ["c2lst_drawn_a"]


def test_shapes_of_ours_that_were_changed_there_keep_their_name(lent: Lent) -> None:
    add(lent, "c2lst_drawn_a", square(lent))
    assert drawn_in(lent)[0].stored_as == "c2lst_drawn_a"
    assert replaced(drawn_in(lent), lent.slide) == []


def test_a_slide_that_is_no_store_says_so_and_nothing_is_forgotten(lent: Lent) -> None:
    add(lent, "a", square(lent))
    with pytest.raises(InputError, match="not a SpatialData store"):
        save_drawn(lent, drawn_in(lent), replace(lent.slide, is_zarr=False))
    assert len(drawn_in(lent)) == 1
