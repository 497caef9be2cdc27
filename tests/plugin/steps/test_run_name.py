"""Names of runs: which one is proposed, what may be typed, and where the run lies then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.common.settings import TaskSettings, setting
from napari_c2lst.plugin.steps.run_name import RunNameField


class Named(TaskSettings):
    out: Path = setting(help="the run folder to write")


@pytest.fixture
def field(qtbot: Any, tmp_path: Path) -> RunNameField:
    field = RunNameField(Named.fields_info()[0], "local")
    qtbot.addWidget(field.native)
    field.look_in(tmp_path)
    return field


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir()


@pytest.mark.parametrize(
    ("there", "proposed"),
    [
        ([], "local"),
        (["local_2"], "local"),
        (["local"], "local_2"),
        (["local", "local_2", "local_3"], "local_4"),
    ],
)
def test_the_first_free_name_is_proposed(field: RunNameField, tmp_path: Path, there: list[str], proposed: str) -> None:
    make(tmp_path, *there)
    field.look_in(tmp_path)
    assert field.typed == proposed


@pytest.mark.parametrize(
    ("mine", "next_one"),
    [("mine", "mine_2"), ("mine_7", "mine_8"), ("run_²", "run_²_2"), ("_5", "_5_2"), ("a_b", "a_b_2")],
)
def test_a_name_of_one_s_own_is_counted_on(field: RunNameField, tmp_path: Path, mine: str, next_one: str) -> None:
    field.native.setText(mine)
    make(tmp_path, mine)
    field.look_in(tmp_path)
    assert field.get() == tmp_path / next_one


def test_a_proposal_gives_way_in_the_folder_of_another_slide(field: RunNameField, tmp_path: Path) -> None:
    make(tmp_path, "local", "A", "B")
    field.look_in(tmp_path)
    assert field.typed == "local_2"
    field.look_in(tmp_path / "A")
    assert field.get() == tmp_path / "A" / "local"
    field.native.setText("mine")
    field.look_in(tmp_path / "B")
    assert field.get() == tmp_path / "B" / "mine"


def test_without_a_slide_a_name_is_only_a_name(field: RunNameField) -> None:
    field.look_in(None)
    assert field.get() == Path("local")
    assert field.problem() == ""


def test_names_that_no_disk_takes_do_no_harm(field: RunNameField, tmp_path: Path) -> None:
    field.native.setText("x" * 400)
    field.look_in(tmp_path)
    assert field.get() == tmp_path / ("x" * 400)  # the job says what is wrong with it


def test_a_home_that_is_not_there_is_only_a_name(field: RunNameField, tmp_path: Path) -> None:
    field.native.setText("~nobody_of_that_name")
    assert field.get() == tmp_path / "~nobody_of_that_name"
    field.native.setText("~/runs/mine")
    assert field.get() == Path.home() / "runs" / "mine"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("  ", "give it a name"),
        ("a/b", "a name has no / in it"),
        ("../b", "a name has no / in it"),
        (".b", "a name does not begin with a dot"),
        ("..", "a name does not begin with a dot"),
        ("/whole/path", ""),
        ("~/path", ""),
        ("b/", ""),
        ("two words", ""),
        ("Brust ä (2)", ""),
    ],
)
def test_what_a_name_can_be(field: RunNameField, typed: str, problem: str) -> None:
    field.native.setText(typed)
    assert field.problem() == problem


def test_a_whole_path_is_counted_on_as_well(field: RunNameField, tmp_path: Path) -> None:
    make(tmp_path, "elsewhere")
    field.native.setText(str(tmp_path / "elsewhere"))
    field.look_in(tmp_path / "runs")
    assert field.get() == tmp_path / "elsewhere_2"


def test_a_run_that_is_shown_reads_as_its_name(field: RunNameField, tmp_path: Path) -> None:
    field.set(tmp_path / "old")
    assert field.typed == "old"
    field.set("/somewhere/else/old")
    assert field.typed == "/somewhere/else/old"
    field.set(None)
    assert field.get() is None
