"""A list of what is there with boxes to check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_c2lst.common.settings import TaskSettings, setting
from napari_c2lst.plugin.forms.checked import CheckedField


class Chosen(TaskSettings):
    runs: list[Path] = setting([], help="runs")
    names: tuple[str, ...] = setting((), help="names")
    seeds: list[int] = setting([0], help="seeds")


INFOS = {info.name: info for info in Chosen.fields_info()}
THREE = [("one", Path("a")), ("two", Path("b")), ("three", Path("c"))]


@pytest.fixture
def field(qtbot: Any) -> CheckedField:
    field = CheckedField(INFOS["runs"], THREE)
    qtbot.addWidget(field.native)
    return field


def shown(field: CheckedField) -> list[str]:
    return [field.native.item(i).text() for i in range(field.native.count())]


def test_values_come_in_the_order_of_the_list(field: CheckedField) -> None:
    field.set(["c", "a"])
    assert field.get() == [Path("a"), Path("c")]


def test_nothing_is_checked_at_first_and_everything_can_be_taken_back(field: CheckedField) -> None:
    assert field.get() == []
    field.set([Path("b")])
    field.set([])
    assert field.get() == []
    assert field.problem() == ""


def test_the_keyboard_checks(field: CheckedField, qtbot: Any) -> None:
    field.native.show()
    field.native.setCurrentRow(0)
    qtbot.keyClick(field.native, Qt.Key.Key_Down)
    qtbot.keyClick(field.native, Qt.Key.Key_Space)
    assert field.get() == [Path("b")]
    qtbot.keyClick(field.native, Qt.Key.Key_Space)
    assert field.get() == []


def test_tells_once_and_only_of_what_is_new(field: CheckedField) -> None:
    heard: list[int] = []
    field.changed.connect(lambda: heard.append(1))
    field.set(["a", "b"])
    field.set(["b", "a"])  # the same ones
    field.offer(list(reversed(THREE)))  # in another order: the list of values is another one
    assert (heard, field.get()) == ([1, 1], [Path("b"), Path("a")])
    field.offer([*reversed(THREE), ("four", Path("d"))])
    assert heard == [1, 1]


def test_what_is_not_offered_is_shown_until_the_list_is_read_anew(field: CheckedField) -> None:
    field.set(["a", "gone"])
    assert shown(field) == ["one", "two", "three", "gone"]
    field.offer(THREE)
    assert (shown(field), field.get()) == (["one", "two", "three"], [Path("a")])


def test_a_tuple_stays_a_tuple_and_names_stay_names(qtbot: Any) -> None:
    field = CheckedField(INFOS["names"], [("A", "a"), ("B", "b")])
    field.set(("b",))
    assert field.get() == ("b",)
    numbers = CheckedField(INFOS["seeds"], [("0", 0), ("1", 1)])
    numbers.set([1])
    assert numbers.get() == [1]


@pytest.mark.parametrize(("count", "rows"), [(0, 1), (1, 1), (4, 4), (9, 4)])
def test_the_list_is_as_high_as_it_must_be(qtbot: Any, count: int, rows: int) -> None:
    field = CheckedField(INFOS["runs"], [(f"run {i}", Path(str(i))) for i in range(count)])
    one = CheckedField(INFOS["runs"], [("run", Path("x"))]).native.height() - 6
    assert field.native.height() == pytest.approx(rows * one + 6, abs=rows * 2)


def test_a_long_label_is_read_in_full_as_a_tip(field: CheckedField) -> None:
    assert field.native.item(1).toolTip() == "b"


def test_what_no_check_means_is_said_below_and_is_no_choice(field: CheckedField) -> None:
    field.explain_none("no box: all of these")
    assert shown(field) == ["one", "two", "three", "no box: all of these"]
    assert field.get() == []
    assert not field.native.item(3).flags() & Qt.ItemFlag.ItemIsUserCheckable
    field.native.item(1).setCheckState(Qt.CheckState.Checked)
    assert shown(field) == ["one", "two", "three"]
    assert field.get() == [Path("b")]
    field.set([])
    assert shown(field)[3] == "no box: all of these"
    field.set(["elsewhere"])
    assert shown(field) == ["one", "two", "three", "elsewhere"]
    field.offer(THREE[:1])
    assert shown(field) == ["one", "no box: all of these"]
    field.explain_none("none of these")
    assert shown(field) == ["one", "none of these"]
    field.offer([])
    assert shown(field) == []  # nothing to choose from


def test_explaining_changes_no_value(field: CheckedField) -> None:
    heard: list[int] = []
    field.changed.connect(lambda: heard.append(1))
    field.explain_none("no box: all of these")
    field.explain_none("none of these")
    assert heard == []
    field.native.item(0).setCheckState(Qt.CheckState.Checked)
    assert len(heard) == 1


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_an_empty_box_can_be_seen_in_themes_of_napari(qtbot: Any, theme: str) -> None:
    from napari._qt.qt_resources import get_stylesheet

    window = QWidget()
    window.setStyleSheet(get_stylesheet(theme))
    field = CheckedField(INFOS["runs"], THREE)
    QVBoxLayout(window).addWidget(field.native)
    qtbot.addWidget(window)
    window.resize(300, 120)
    window.show()
    qtbot.waitExposed(window)
    picture = field.native.viewport().grab().toImage()
    row = field.native.visualItemRect(field.native.item(0))
    grey = [picture.pixelColor(x, row.center().y()).lightness() for x in range(20)]  # up to the text
    ground = picture.pixelColor(picture.width() - 3, row.center().y()).lightness()
    assert max(abs(each - ground) for each in grey) > 70  # without it 16 and 41
