from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from spatialdata.models import ShapesModel

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.readers.spots_of_table import JoinedSpots, array_rc, spots_of_table


def joined(keys: list[Any], index: list[Any], region: str = "spots", **obs: Any) -> JoinedSpots:
    frame = pd.DataFrame({"region": region, "spot_id": keys, **obs}, index=[f"row{i}" for i in range(len(keys))])
    table = ad.AnnData(np.zeros((len(keys), 2)), obs=frame)
    table.uns["spatialdata_attrs"] = {"region": region, "region_key": "region", "instance_key": "spot_id"}
    shapes = ShapesModel.parse(np.zeros((len(index), 2)), geometry=0, radius=1, index=pd.Index(index))
    return spots_of_table(table, "table", shapes, "spots", "slide 'a'")


def test_rows_find_their_spots_in_any_order() -> None:
    spots = joined(["b", "a"], ["a", "b", "c"], array_row=[5, 6], array_col=[1.0, 2.0])
    assert spots.rows.tolist() == [0, 1]
    assert spots.places.tolist() == [1, 0]
    assert spots.ids.tolist() == ["row0", "row1"]
    assert spots.array_rc is not None
    assert spots.array_rc.tolist() == [[5, 1], [6, 2]]
    assert spots.notes == ["1 spots without a row in table 'table' are left out"]


@pytest.mark.parametrize(("keys", "index"), [([1, 0], [0, 1]), (["1", "0"], [0, 1]), ([1, 0], ["0", "1"])])
def test_numbers_and_their_texts_are_the_same(keys: list[Any], index: list[Any]) -> None:
    assert joined(keys, index).places.tolist() == [1, 0]


def test_spots_off_tissue_are_left_out() -> None:
    spots = joined(["a", "b", "c"], ["a", "b", "c", "d"], in_tissue=[1, 0, True])
    assert spots.ids.tolist() == ["row0", "row2"]
    assert spots.notes == [
        "1 spots that are not under tissue are left out",
        "1 spots without a row in table 'table' are left out",
    ]


def test_rows_of_other_regions_are_passed_over() -> None:
    assert joined(["x", "a"], ["a"], region=pd.Categorical(["other", "spots"])).rows.tolist() == [1]


def test_rows_whose_spots_are_not_there() -> None:
    with pytest.raises(
        InputError, match=r"table 'table' and spots 'spots' of slide 'a' do not match: 2 of 3 rows, first 'q'"
    ):
        joined(["a", "q", "r"], ["a", "b"])


def test_no_row_belongs_to_the_spots() -> None:
    with pytest.raises(InputError, match="do not match: no row of the table belongs to them"):
        joined(["a"], ["a"], region="elsewhere")


def test_a_spot_named_twice() -> None:
    with pytest.raises(InputError, match="names a spot twice"):
        joined(["a", "a"], ["a", "b"])


def test_array_coordinates_that_are_missing() -> None:
    assert joined(["a"], ["a"]).array_rc is None
    assert joined(["a", "b"], ["a", "b"], array_row=[1, np.nan], array_col=[1, 2]).array_rc is None


def test_ids_that_repeat_are_replaced_by_the_keys() -> None:
    frame = pd.DataFrame({"region": "spots", "spot_id": ["a", "b"]}, index=["same", "same"])
    table = ad.AnnData(np.zeros((2, 1)), obs=frame)
    table.uns["spatialdata_attrs"] = {"region": "spots", "region_key": "region", "instance_key": "spot_id"}
    shapes = ShapesModel.parse(np.zeros((2, 2)), geometry=0, radius=1, index=pd.Index(["b", "a"]))
    found = spots_of_table(table, "table", shapes, "spots", "slide 'a'")
    assert found.ids.tolist() == ["a", "b"]
    assert found.places.tolist() == [1, 0]


def test_one_spot_and_names_with_blanks_and_umlauts() -> None:
    spots = joined(["Pünktchen 1"], ["Pünktchen 1"], array_row=["3"], array_col=["4"])
    assert spots.places.tolist() == [0]
    assert spots.array_rc is not None
    assert spots.array_rc.tolist() == [[3, 4]]


def test_no_spot_under_tissue() -> None:
    with pytest.raises(InputError, match="no row of the table belongs to them"):
        joined(["a", "b"], ["a", "b"], in_tissue=[0, 0])


def test_array_coordinates_of_all_rows_or_none() -> None:
    obs = pd.DataFrame({"array_row": [1.0, 2.0], "array_col": [3.0, np.inf]})
    assert array_rc(obs) is None
    found = array_rc(obs, np.array([0]))
    assert found is not None
    assert found.tolist() == [[1, 3]]
    assert array_rc(obs[["array_row"]]) is None
