"""Fields whose values are chosen out of those that are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_c2lst.common.settings import TaskSettings, setting
from napari_c2lst.plugin.forms.checked import CheckedField
from napari_c2lst.plugin.forms.offered import OfferedField


class Chosen(TaskSettings):
    name: str = setting("train", help="a set")
    local: Path = setting(help="a run")
    pairs: Path | None = setting(None, help="a run")
    runs: list[Path] = setting([], help="runs")
    wide: tuple[str, ...] = setting((), help="names")


INFOS = {info.name: info for info in Chosen.fields_info()}
TWO = [("one", Path("a")), ("two", Path("b"))]


def test_the_first_choice_is_taken_and_kept(qtbot: Any) -> None:
    field = OfferedField(INFOS["name"], [("x", "x"), ("y", "y")])
    assert field.get() == "x"
    field.native.setCurrentIndex(1)
    field.offer([("z", "z"), ("y (2)", "y")])
    assert field.get() == "y"
    field.offer([("z", "z")])
    assert field.get() == "z"


def test_nothing_to_choose(qtbot: Any) -> None:
    field = OfferedField(INFOS["name"], [], "select spots first")
    assert field.get() is None
    assert field.native.currentText() == "select spots first"


def test_none_is_a_choice_where_there_may_be_none(qtbot: Any) -> None:
    field = OfferedField(INFOS["pairs"], TWO)
    assert field.get() is None
    field.set("b")
    assert field.get() == Path("b")
    field.set(None)
    assert field.get() is None


def test_an_eager_field_takes_the_newest_until_the_user_chooses(qtbot: Any) -> None:
    field = OfferedField(INFOS["pairs"], [], eager=True)
    field.offer(TWO)
    assert field.get() == Path("a")
    field.set(None)
    field.offer(TWO)
    assert field.get() is None


def test_a_value_that_is_not_offered_is_shown(qtbot: Any) -> None:
    field = OfferedField(INFOS["local"], TWO)
    heard: list[int] = []
    field.changed.connect(lambda: heard.append(1))
    field.set("/elsewhere/run")
    assert field.get() == Path("/elsewhere/run")
    assert field.native.itemData(field.native.currentIndex(), Qt.ItemDataRole.ToolTipRole) == "/elsewhere/run"
    assert heard == [1]


@pytest.mark.parametrize(("answer", "value"), [("/some/run", Path("/some/run")), ("", Path("a"))])
def test_another_folder(qtbot: Any, monkeypatch: pytest.MonkeyPatch, answer: str, value: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: answer)
    field = OfferedField(INFOS["local"], TWO)
    last = field.native.count() - 1
    assert field.native.itemText(last) == "Other folder…"
    field.native.setCurrentIndex(last)
    field.native.activated.emit(last)
    assert field.get() == value


def test_checked_values(qtbot: Any) -> None:
    field = CheckedField(INFOS["runs"], TWO)
    heard: list[int] = []
    field.changed.connect(lambda: heard.append(1))
    assert field.get() == []
    field.native.item(1).setCheckState(Qt.CheckState.Checked)
    assert field.get() == [Path("b")]
    field.set(["a", "c"])
    assert field.get() == [Path("a"), Path("c")]
    field.offer(TWO)
    assert field.get() == [Path("a")]
    assert len(heard) == 3
    assert CheckedField(INFOS["wide"], [("x", "x")]).get() == ()
