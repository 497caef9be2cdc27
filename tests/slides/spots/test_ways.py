from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box
from spatialdata.transformations import Affine, Scale
from tests.slides.stores import make_tiny_store, tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.geojson import Region
from napari_c2lst.slides.spots.ways import by_column, by_ids, in_regions, read_ids, table_column

LEFT = Region(box(0, 0, 200, 300))


@pytest.fixture
def slide(tiny_store_once: Path) -> Any:
    return open_slide(tiny_store_once)


def _left_of(x: float) -> np.ndarray:
    return tiny_positions()[1][:, 1] <= x


def test_regions_in_pixels(slide: Any) -> None:
    mask = in_regions(slide, [LEFT])
    assert np.array_equal(mask, _left_of(200))
    assert 0 < mask.sum() < 63


def test_regions_in_a_coordinate_system(tmp_path: Path) -> None:
    store = make_tiny_store(
        tmp_path / "um.zarr", coordinate_system="um", transformation=Scale([2.5, 2.5], axes=("x", "y"))
    )
    slide = open_slide(store)
    microns = Region(box(0, 0, 500, 750))
    assert np.array_equal(in_regions(slide, [microns], "um"), _left_of(200))
    assert in_regions(slide, [microns]).all()  # the same numbers taken for pixels hold the whole slide
    with pytest.raises(InputError, match="has no place in the coordinate system 'nope'"):
        in_regions(slide, [microns], "nope")


def test_regions_in_a_turned_coordinate_system(tmp_path: Path) -> None:
    # x' = 300 - y, y' = x: a quarter turn
    turn = Affine([[0, -1, 300], [1, 0, 0], [0, 0, 1]], input_axes=("x", "y"), output_axes=("x", "y"))
    slide = open_slide(make_tiny_store(tmp_path / "turned.zarr", coordinate_system="turned", transformation=turn))
    assert np.array_equal(in_regions(slide, [Region(box(0, 0, 300, 200))], "turned"), _left_of(200))


def test_a_column_of_labels(slide: Any) -> None:
    right = by_column(slide, "cluster", ["right"])
    assert np.array_equal(right, tiny_positions()[0][:, 1] > 8)
    assert by_column(slide, "cluster", ["right", "left"]).all()


def test_a_column_of_numbers(slide: Any) -> None:
    assert by_column(slide, "array_row", ["2.0", "3"]).sum() == 18
    with pytest.raises(InputError, match="has 'two' in column 'array_row'"):
        by_column(slide, "array_row", ["two"])


def test_columns_of_truths_and_gaps(tmp_path: Path) -> None:
    label = pd.array(["tumour", None, "Stroma"] * 21, dtype="object")
    extra = {"good": np.arange(63) % 2 == 0, "label": pd.Categorical(label)}
    slide = open_slide(make_tiny_store(tmp_path / "extra.zarr", extra_obs=extra))
    assert by_column(slide, "good", ["true"]).sum() == 32
    assert by_column(slide, "good", ["False"]).sum() == 31
    assert by_column(slide, "label", ["tumour"]).sum() == 21
    with pytest.raises(InputError, match=r"no spot of slide '.*' has 'Tumour' or 'nan' in column 'label'") as caught:
        by_column(slide, "label", ["Tumour", "Stroma", "nan"])
    assert caught.value.hint == "the column has Stroma, tumour"


def test_values_with_commas_may_come_in_parts(tmp_path: Path) -> None:
    label = np.array(["Carcinoma, invasive", "Carcinoma", "invasive", "a,b,c", "a,b", "Fat, NOS", "x"] * 9)
    slide = open_slide(make_tiny_store(tmp_path / "commas.zarr", extra_obs={"label": label}))
    assert np.array_equal(by_column(slide, "label", ["Carcinoma", "invasive"]), label == "Carcinoma, invasive")
    assert np.array_equal(by_column(slide, "label", ["Fat, NOS"]), label == "Fat, NOS")
    assert np.array_equal(by_column(slide, "label", ["Carcinoma", "x"]), np.isin(label, ["Carcinoma", "x"]))
    assert np.array_equal(by_column(slide, "label", ["x", "a", "b", "c"]), np.isin(label, ["x", "a,b,c"]))


def test_unknown_columns_name_the_known(slide: Any) -> None:
    with pytest.raises(InputError, match=r"table 'table' of slide '.*' has no column 'label'") as caught:
        table_column(slide, "label")
    assert "array_col, array_row, cluster" in caught.value.hint


def test_a_column_follows_the_spots_not_the_table(slide: Any) -> None:
    rows = np.array([5, 0, 62])
    object.__setattr__(slide, "rows", rows)
    held = table_column(slide, "array_col")
    assert held.tolist() == tiny_positions()[0][rows, 1].tolist()


def test_ids(slide: Any) -> None:
    mask = by_ids(slide, ["S0x0", "S6x16"])
    assert slide.spots.ids[mask].tolist() == ["S0x0", "S6x16"]


def test_a_title_over_the_ids_is_passed_over(slide: Any) -> None:
    assert by_ids(slide, ["barcode", "S0x0", "S6x16"]).sum() == 2
    with pytest.raises(InputError, match="1 of 3 ids are no spots"):
        by_ids(slide, ["S0x0", "barcode", "S6x16"])


def test_unknown_ids_are_named_and_counted(slide: Any) -> None:
    with pytest.raises(InputError) as caught:
        by_ids(slide, [f"X{i}" for i in range(9)])
    assert caught.value.message.startswith("9 of 9 ids are no spots of slide")
    assert caught.value.message.endswith(": X0, X1, X2, X3, X4, ...")
    assert caught.value.hint == "its spots are named like S0x0, S0x2, ..."
    with pytest.raises(InputError, match="1 of 1 ids"):
        by_ids(slide, ["barcode"])


def test_reading_ids(tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    file.write_text('barcode,label\n"S0x0",tumour\nS0x2\tstroma\n# no\n\nS0x0\n', encoding="utf-8-sig")
    assert read_ids(file) == ["barcode", "S0x0", "S0x2"]
    with pytest.raises(InputError, match="there is no list of spots"):
        read_ids(tmp_path / "nope")
    file.write_text("\n")
    with pytest.raises(InputError, match="is empty"):
        read_ids(file)
    file.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="cannot be read as a list of spots"):
        read_ids(file)
