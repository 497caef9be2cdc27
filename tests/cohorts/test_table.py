"""The table of a cohort: paths, settings of each slide, and all its faults at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.cohorts.settings import CohortSettings
from napari_c2lst.cohorts.table import read_table
from napari_c2lst.common.errors import InputError

Make = Callable[..., Any]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    for name in ("a.zarr", "b.zarr"):
        (tmp_path / name).mkdir()

    def settings(text: str, **values: Any) -> CohortSettings:
        (tmp_path / "cohort.csv").write_text(text)
        predict = {"predictor": "runs/p", **values.pop("predict", {})}
        return CohortSettings.resolve(table=tmp_path / "cohort.csv", out=tmp_path / "out", predict=predict, **values)

    return settings


def test_paths_are_relative_to_the_table_and_names_those_of_files(make: Make, tmp_path: Path) -> None:
    entries = read_table(make("slide\na.zarr\nb.zarr\n"))
    assert [(e.name, e.slide) for e in entries] == [("a", tmp_path / "a.zarr"), ("b", tmp_path / "b.zarr")]


def test_settings_for_all_and_paths_among_them_as_seen_from_here(make: Make) -> None:
    (step,) = read_table(make("slide\na.zarr\n", predict={"where": "grid"}))[0].steps
    assert step.task == "predict"
    assert step.settings["where"] == "grid"
    assert step.settings["predictor"] == os.path.join(os.getcwd(), "runs/p")


def test_a_column_is_a_setting_of_its_slide_and_goes_first(make: Make, tmp_path: Path) -> None:
    text = "slide,mpp,predict.where,predictor,name\na.zarr,0.5,both,other/p,P1\nb.zarr,,,,\n"
    first, second = read_table(make(text, predict={"where": "spots"}))
    assert first.name == "P1"
    assert first.steps[0].settings["mpp"] == 0.5
    assert first.steps[0].settings["where"] == "both"
    assert first.steps[0].settings["predictor"] == str(tmp_path / "other/p")
    assert "mpp" not in second.steps[0].settings
    assert second.steps[0].settings["where"] == "spots"


def test_a_table_from_a_spreadsheet_is_read(make: Make, tmp_path: Path) -> None:
    settings = make("slide\n")
    (tmp_path / "cohort.csv").write_bytes("\ufeffslide , name\r\na.zarr , P 1 \r\n".replace(" ,", ",").encode())
    with pytest.raises(InputError, match="no setting"):  # ' name' is not 'name'
        read_table(settings)
    (tmp_path / "cohort.csv").write_bytes(b"\xef\xbb\xbfslide,name\r\n a.zarr , P 1 \r\n")
    assert [e.name for e in read_table(settings)] == ["P 1"]


def test_all_faults_are_told_at_once_with_their_lines(make: Make) -> None:
    text = "slide,mpp,name\nnowhere.zarr,,\na.zarr,-1,\n,,x\nb.zarr,,../up\n"
    with pytest.raises(InputError) as caught:
        read_table(make(text))
    message = caught.value.message
    assert "4 things are wrong" in message
    for part in ("line 2 of", "nowhere.zarr", "line 3 of", "mpp = '-1'", "line 4 of", "slide is missing", "'../up'"):
        assert part in message, part


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no slide"),
        ("slide\n", "names no slide"),
        ("path\na.zarr\n", "has no column 'slide'"),
        ("slide,colour\na.zarr,red\n", "no setting of predict"),
        ("slide\na.zarr\na.zarr\n", "has the name 'a' 2 times"),
    ],
)
def test_tables_that_cannot_be_used(make: Make, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_table(make(text))
    assert caught.value.hint


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    settings = CohortSettings.resolve(table=tmp_path / "no.csv", out=tmp_path, predict={"predictor": "p"})
    with pytest.raises(InputError, match="cannot be read"):
        read_table(settings)


def test_a_setting_that_is_missing_for_every_slide_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "cohort.csv").write_text("slide\na.zarr\n")
    with pytest.raises(InputError, match="predictor is missing"):
        read_table(CohortSettings.resolve(table=tmp_path / "cohort.csv", out=tmp_path))
