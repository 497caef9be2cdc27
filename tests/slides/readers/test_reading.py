from __future__ import annotations

import json
import logging
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from spatialdata import SpatialData
from spatialdata._core.validation import check_valid_name
from spatialdata.transformations import Identity, get_transformation

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.geometry import centres_yx
from napari_c2lst.slides.readers.reading import (
    circles_element,
    element_name,
    image_element,
    no_match,
    quiet,
    refuse_duplicates,
    scaling,
    table_element,
    unreadable,
)

SYSTEMS = {"global": Identity()}


def test_any_error_of_a_file_library_becomes_one_sentence() -> None:
    with (
        pytest.raises(InputError, match=r"'a.h5' cannot be read: bad  ?superblock / it may be cut off"),
        unreadable(Path("a.h5")),
    ):
        raise OSError("bad\n   superblock")
    with pytest.raises(InputError, match=r"cannot be read: KeyError|'x'"), unreadable(Path("a.h5")):
        raise KeyError("x")
    with pytest.raises(InputError, match=r"^mine$"), unreadable(Path("a.h5")):
        raise InputError("mine")
    with pytest.raises(MemoryError), unreadable(Path("a.h5")):
        raise MemoryError


def test_loggers_are_as_loud_as_before() -> None:
    logger = logging.getLogger("ome_zarr")
    logger.setLevel(logging.INFO)
    with quiet():
        assert not logger.isEnabledFor(logging.ERROR)
    assert logger.level == logging.INFO


def test_an_image_element_of_levels_is_one_of_spatialdata(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (3, 40, 60), np.uint8)
    levels = [da.from_array(pixels), da.from_array(pixels[:, ::2, ::2])]
    image = image_element(levels, SYSTEMS)
    assert list(image.children) == ["scale0", "scale1"]
    assert image["scale1"]["image"]["y"].values[:2].tolist() == [1, 3], "centres of coarse pixels in level-0 pixels"
    SpatialData(images={"a": image, "b": image_element(levels[:1], SYSTEMS)}).write(tmp_path / "a.zarr")
    again = SpatialData.read(tmp_path / "a.zarr")
    assert np.array_equal(again.images["a"]["scale1"]["image"].values, pixels[:, ::2, ::2])
    assert np.array_equal(again.images["b"].values, pixels)
    assert np.allclose(again.images["a"]["scale1"]["image"]["x"].values, image["scale1"]["image"]["x"].values)


def test_scaling() -> None:
    assert isinstance(scaling(None), Identity)
    assert isinstance(scaling(1.0), Identity)
    assert scaling(0.5).to_affine_matrix(("x", "y"), ("x", "y")).tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 1]]
    with pytest.raises(InputError, match="an image scale of 0 cannot be"):
        scaling(0)


def test_circles_are_given_as_y_x() -> None:
    yx = np.array([[1.0, 2.0], [3.0, 4.0]])
    circles = circles_element(yx, 5, np.array(["a", "b"]), SYSTEMS)
    assert np.array_equal(centres_yx(circles), yx)
    assert circles.index.tolist() == ["a", "b"]
    assert circles.geometry.x.tolist() == [2, 4]
    assert list(get_transformation(circles, get_all=True)) == ["global"]


def test_a_table_is_bound_to_its_spots() -> None:
    table = table_element(sp.csr_matrix(np.eye(2)), ["G", "G"], ["a", "b"], {"array_row": [5, 6]}, "spots")
    assert table.uns["spatialdata_attrs"] == {"region": "spots", "region_key": "region", "instance_key": "spot_id"}
    assert table.obs_names.tolist() == table.obs["spot_id"].tolist() == ["a", "b"]
    assert table.var_names.tolist() == ["G", "G-1"], "two genes of a name are kept apart"
    assert table.obs["array_row"].tolist() == [5, 6]


def test_spots_named_twice() -> None:
    refuse_duplicates(["a", "b"], Path("x.tsv"))
    with pytest.raises(InputError, match=r"'x.tsv' names 2 spots twice, first 'b'"):
        refuse_duplicates(["a", "b", "b", "c", "c"], Path("x.tsv"))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), -float("inf")])
def test_scales_that_cannot_be(scale: float) -> None:
    with pytest.raises(InputError, match="cannot be") as caught:
        scaling(scale)
    assert "full-resolution pixel" in caught.value.hint


def test_counts_and_positions_of_two_samples_say_both_first_names() -> None:
    error = no_match("counts", Path("a.h5"), "AAC-1", Path("b.csv"), "3x4")
    assert isinstance(error, InputError)
    assert "'a.h5' (first: 'AAC-1')" in str(error)
    assert "'b.csv' (first: '3x4')" in str(error)


def test_a_long_error_of_a_library_is_cut_to_one_line() -> None:
    with pytest.raises(InputError) as caught, unreadable(Path("a.h5")):
        raise ValueError("line\n" * 500)
    assert len(caught.value.message) < 350
    assert "\n" not in caught.value.message


def test_an_error_without_words_is_called_by_its_name() -> None:
    with pytest.raises(InputError, match=r"'a\.h5' cannot be read: EOFError"), unreadable(Path("a.h5")):
        raise EOFError


@pytest.mark.parametrize("number", [0, 1, 3])
def test_spots_of_one_name_each_are_fine(number: int) -> None:
    refuse_duplicates([f"S{i}" for i in range(number)], Path("x.tsv"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("P12_a.b-c", "P12_a.b-c"),
        ("Patient 3", "Patient_3"),
        ("Pätient 患者", "Pätient_患者"),
        ("a(1)+b/c", "a_1__b_c"),
        ("__x", "slide__x"),
        ("(2) x", "_2__x"),
        ("  x", "slide__x"),
        ("..", "slide.."),
        ("", "slide"),
    ],
)
def test_any_text_becomes_a_name_that_spatialdata_takes(text: str, name: str) -> None:
    assert element_name(text) == name
    check_valid_name(name)
    assert element_name(name) == name


def test_damaged_metadata_is_said_without_the_grammar_of_json(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught, unreadable(tmp_path / "a.zarr"):
        json.loads("{")
    assert caught.value.message.endswith(
        "a.zarr' cannot be read: one of the small files that describe it (.json) is damaged"
    )
    assert "copy it again" in caught.value.hint
    with pytest.raises(InputError, match="bad magic"), unreadable(tmp_path / "a.zarr"):
        raise ValueError("bad  magic")
