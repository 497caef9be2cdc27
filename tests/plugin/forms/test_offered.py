"""A drop-down list of what is there: what stays when the list is read anew, and what the user may look for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_c2lst.common.settings import TaskSettings, setting
from napari_c2lst.plugin.forms.offered import OfferedField


class Chosen(TaskSettings):
    spots: str = setting("train", help="a set")
    local: Path = setting(help="a run")
    pairs: Path | None = setting(None, help="a run")


INFOS = {info.name: info for info in Chosen.fields_info()}
TWO = [("one", Path("a")), ("two", Path("b"))]
OTHERS = [("three", Path("c")), ("four", Path("d"))]


def labels(field: OfferedField) -> list[str]:
    return [field.native.itemText(i) for i in range(field.native.count())]


def pick(field: OfferedField, index: int) -> None:
    """Choose an entry as a click does."""
    field.native.setCurrentIndex(index)
    field.native.activated.emit(index)


@pytest.fixture
def heard() -> list[int]:
    return []


def test_a_folder_that_was_looked_for_stays_when_runs_are_read_anew(qtbot: Any) -> None:
    field = OfferedField(INFOS["local"], TWO)
    field.set("/elsewhere/run")
    field.offer(OTHERS)
    assert field.get() == Path("/elsewhere/run")
    assert labels(field) == ["three", "four", "/elsewhere/run", "Other folder…"]
    pick(field, 0)
    field.offer(TWO)
    assert field.get() == Path("a")
    assert "/elsewhere/run" not in labels(field)


def test_a_folder_that_was_looked_for_stays_when_there_are_no_runs(qtbot: Any) -> None:
    field = OfferedField(INFOS["local"], [], "adapt a model first")
    field.set("/elsewhere/run")
    field.offer([])
    assert field.get() == Path("/elsewhere/run")


def test_a_folder_that_has_become_one_of_the_runs_is_listed_once(qtbot: Any) -> None:
    field = OfferedField(INFOS["pairs"], [])
    field.set("b")
    field.offer(TWO)
    assert field.get() == Path("b")
    assert labels(field) == ["none", "one", "two", "Other folder…"]


def test_a_run_of_another_slide_is_not_taken_along(qtbot: Any) -> None:
    field = OfferedField(INFOS["local"], TWO)
    pick(field, 1)
    field.offer(OTHERS)
    assert field.get() == Path("c")


def test_an_eager_field_follows_to_another_slide(qtbot: Any) -> None:
    field = OfferedField(INFOS["pairs"], TWO, eager=True)
    field.offer(TWO)
    assert field.get() == Path("a")
    field.offer(OTHERS)
    assert field.get() == Path("c")
    field.offer([])
    assert field.get() is None
    field.offer(TWO)
    assert field.get() == Path("a")


def test_an_eager_field_leaves_the_user_s_choice_of_none(qtbot: Any) -> None:
    field = OfferedField(INFOS["pairs"], TWO, eager=True)
    field.offer(TWO)
    pick(field, 0)
    field.offer(OTHERS)
    assert field.get() is None


def test_the_newest_run_does_not_push_away_the_one_that_is_shown(qtbot: Any) -> None:
    field = OfferedField(INFOS["pairs"], TWO, eager=True)
    field.offer(TWO)
    field.offer([("newest", Path("n")), *TWO])
    assert field.get() == Path("a")


def test_tells_only_when_the_value_is_another_one(qtbot: Any, heard: list[int]) -> None:
    field = OfferedField(INFOS["spots"], [("x (3 spots)", "x"), ("y (4 spots)", "y")])
    field.changed.connect(lambda: heard.append(1))
    field.offer([("x (5 spots)", "x"), ("y (4 spots)", "y")])
    assert (field.get(), heard) == ("x", [])
    field.offer([("y (4 spots)", "y")])
    assert (field.get(), heard) == ("y", [1])
    field.set("y")
    assert heard == [1]


def test_a_name_that_is_gone_is_shown_as_it_was_asked_for(qtbot: Any) -> None:
    field = OfferedField(INFOS["spots"], [("x", "x")])
    field.set("gone")
    assert (field.get(), labels(field)) == ("gone", ["x", "gone"])
    field.offer([("x", "x")])
    assert field.get() == "x"  # a set that was deleted cannot be used


@pytest.mark.parametrize(
    ("name", "nothing", "said"),
    [("spots", "select spots first", "select spots first"), ("pairs", "none", ""), ("local", "none", "")],
)
def test_what_to_do_first_where_there_is_nothing(qtbot: Any, name: str, nothing: str, said: str) -> None:
    field = OfferedField(INFOS[name], [], nothing)
    assert field.missing() == said
    field.offer([("x", "x")])
    field.set("x")
    assert field.missing() == ""


def test_going_back_from_the_dialog_changes_nothing(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch, heard: list[int]
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    field = OfferedField(INFOS["pairs"], TWO)
    pick(field, 2)
    field.changed.connect(lambda: heard.append(1))
    pick(field, 3)
    assert (field.get(), field.native.currentText(), heard) == (Path("b"), "two", [])


def test_only_paths_can_be_looked_for(qtbot: Any) -> None:
    assert labels(OfferedField(INFOS["spots"], [("x", "x")])) == ["x"]
    assert labels(OfferedField(INFOS["pairs"], [])) == ["none", "Other folder…"]


def test_long_names_do_not_widen_the_panel_and_are_read_in_full_as_a_tip(qtbot: Any) -> None:
    long = Path("/a") / ("very_long_" * 30)
    field = OfferedField(INFOS["pairs"], [(long.name, long)])
    qtbot.addWidget(field.native)
    assert field.native.minimumSizeHint().width() < 250
    assert field.native.itemData(1, Qt.ItemDataRole.ToolTipRole) == str(long)
    assert field.native.itemData(0, Qt.ItemDataRole.ToolTipRole) == ""
