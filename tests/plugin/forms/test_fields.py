"""Every kind of field shows its value exactly and gives it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from qtpy.QtWidgets import QLineEdit

from napari_c2lst.common.settings import TaskSettings, setting
from napari_c2lst.plugin.forms.field import Field, placeholder_of
from napari_c2lst.plugin.forms.fields import field_of, path_of


class Kinds(TaskSettings):
    whole: int = setting(200_000, help="whole", ge=1, le=10_000_000)
    whole_above: int = setting(3, help="whole", gt=2, lt=10)
    maybe_whole: int | None = setting(None, help="threads; none = one for each core", ge=1)
    number: float = setting(1e-4, help="number", gt=0)
    share: float = setting(0.25, help="share", ge=0, lt=1)
    maybe_number: float | None = setting(None, help="number")
    switch: bool = setting(True, help="switch")
    choice: Literal["a", "b"] = setting("b", help="choice")
    numbered: Literal[1, 2, 4] = setting(2, help="choice")
    maybe_choice: Literal["a", "b"] | None = setting(None, help="choice")
    text: str = setting("", help="text")
    maybe_text: str | None = setting(None, help="text")
    path: Path = setting(help="a folder")
    maybe_path: Path | None = setting(None, help="a folder")
    wholes: tuple[int, ...] = setting((64, 128), help="wholes")
    texts: list[str] = setting([], help="texts")
    paths: list[Path] = setting([], help="paths")
    some: list[Literal["random", "blocked"]] = setting(["random"], help="some")
    further: dict[str, Any] = setting({}, help="further")


INFOS = {info.name: info for info in Kinds.fields_info()}


@pytest.fixture
def make(qtbot: Any) -> Any:
    return lambda name: field_of(INFOS[name])


@pytest.mark.parametrize("name", list(INFOS))
def test_shows_its_default(make: Any, name: str) -> None:
    field = make(name)
    assert field.get() == INFOS[name].default
    assert type(field.get()) is type(INFOS[name].default)
    assert field.problem() == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", 1),
        ("whole", 10_000_000),
        ("maybe_whole", 1000),
        ("maybe_whole", None),
        ("number", 1e-9),
        ("number", 1 / 3),
        ("number", 123456.789),
        ("share", 0.0),
        ("maybe_number", 0.1),
        ("maybe_number", None),
        ("switch", False),
        ("choice", "a"),
        ("numbered", 4),
        ("maybe_choice", "a"),
        ("maybe_choice", None),
        ("text", "CC BY 4.0, and more"),
        ("maybe_text", "x"),
        ("maybe_text", None),
        ("path", Path("/a folder/with, a comma")),
        ("maybe_path", None),
        ("wholes", (1,)),
        ("wholes", ()),
        ("texts", ["ERBB2", "SCD"]),
        ("texts", ["a, b", " c"]),
        ("texts", ["[odd"]),
        ("paths", [Path("a,b"), Path("c")]),
        ("some", ["random", "blocked"]),
        ("some", []),
        ("further", {"steps": 3, "name": "x"}),
    ],
)
def test_gives_back_what_it_is_given(make: Any, name: str, value: Any) -> None:
    field = make(name)
    field.set(value)
    assert field.get() == value
    assert type(field.get()) is type(value)


def test_bounds_of_whole_numbers(make: Any) -> None:
    field = make("whole_above")
    assert (field.widget.min, field.widget.max) == (3, 9)


@pytest.mark.parametrize(
    ("name", "text", "value", "problem"),
    [
        ("number", "a lot", "a lot", "not a number"),
        ("number", "0", 0.0, "out of bounds"),
        ("number", "nan", None, "not a number"),
        ("number", "0,5", 0.5, ""),
        ("number", "0,125", 0.125, ""),
        ("number", "1,000", "1,000", "may mean thousands"),
        ("maybe_whole", "10,000", "10,000", "may mean thousands"),
        ("share", "1", 1.0, "out of bounds"),
        ("maybe_whole", "1.5", "1.5", "not a number"),
        ("maybe_whole", "0", 0, "out of bounds"),
        ("further", "{", "{", "name"),
        ("further", "[1]", [1], "name"),
        ("wholes", "1, x", "1, x", "not numbers"),
        ("wholes", "[1.5]", "[1.5]", "not numbers"),
        ("wholes", "[null]", "[null]", "not numbers"),
        ("wholes", "[[1], 2]", "[[1], 2]", "not numbers"),
        ("wholes", "[1, 2]", (1, 2), ""),
        ("wholes", "1,,2,", (1, 2), ""),
        ("number", "1e400", float("inf"), "not a number"),
        ("number", "-1", -1.0, "out of bounds"),
        ("number", "  1e-3 ", 0.001, ""),
        ("number", "half", "half", "not a number"),
        ("maybe_number", "", None, ""),
        ("maybe_whole", "١٢", 12, ""),
        ("further", "", {}, ""),
        ("further", '{"a": 1}', {"a": 1}, ""),
        ("texts", "ERBB2,, SCD ,", ["ERBB2", "SCD"], ""),
        ("texts", '["a, b"]', ["a, b"], ""),
        ("maybe_text", "   ", None, ""),
    ],
)
def test_what_cannot_be_read_is_handed_on_and_marked(make: Any, name: str, text: str, value: Any, problem: str) -> None:
    field = make(name)
    field.native.setText(text)
    if value is not None:
        assert field.get() == value
    assert problem in field.problem()
    assert bool(problem) == bool(field.problem())


def test_a_required_path_without_a_value_is_none(make: Any) -> None:
    assert make("path").get() is None


@pytest.mark.parametrize("name", ["whole", "number", "switch", "choice", "text", "path", "some", "texts"])
def test_tells_of_changes(make: Any, name: str) -> None:
    field: Field = make(name)
    heard: list[int] = []
    field.changed.connect(lambda: heard.append(1))
    new = {"whole": 2, "number": 2.0, "switch": False, "choice": "a", "text": "x", "path": Path("x"), "some": []}
    field.set(new.get(name, ["x"]))
    assert heard


def test_paths_have_a_button(make: Any) -> None:
    assert make("path").widget.choose_btn.native.accessibleName() == "Choose"


def test_placeholders(make: Any) -> None:
    assert placeholder_of(INFOS["maybe_whole"]) == "one for each core"
    assert placeholder_of(INFOS["maybe_text"]) == "none"
    assert placeholder_of(INFOS["text"]) == ""
    edit = make("maybe_whole").native
    assert isinstance(edit, QLineEdit)
    assert edit.placeholderText() == "one for each core"


def test_an_annotation_without_a_widget_is_told(qtbot: Any) -> None:
    class Odd(TaskSettings):
        odd: complex = setting(0j, help="odd")

    with pytest.raises(TypeError, match="odd"):
        field_of(Odd.fields_info()[0])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", None),
        ("   ", None),
        (" a folder/x ", Path("a folder/x")),
        ("~/runs", Path.home() / "runs"),
        ("~nobody_of_that_name/runs", Path("~nobody_of_that_name/runs")),  # on the way to another name
        ("~~", Path("~~")),
    ],
)
def test_paths_as_they_are_typed(make: Any, text: str, path: Path | None) -> None:
    assert path_of(text) == path
    field = make("maybe_path")
    heard: list[int] = []
    field.changed.connect(lambda: heard.append(1))
    field.widget.line_edit.native.setText(text)
    assert field.get() == path
    assert bool(heard) == bool(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(np.float64(0.5), "0.5"), (np.float64(2.0), "2"), (np.int64(7), "7"), (1e-7, "1e-07"), ("about 3", "about 3")],
)
def test_numbers_are_written_as_people_write_them(make: Any, value: Any, text: str) -> None:
    field = make("maybe_number")
    field.set(value)
    assert field.native.text() == text


def test_a_number_keeps_every_digit(make: Any) -> None:
    field = make("maybe_number")
    field.set(0.1 + 0.2)
    assert field.get() == 0.1 + 0.2


@pytest.mark.parametrize(("typed", "value"), [(0, 1), (-5, 1), (10_000_001, 10_000_000), (12, 12)])
def test_a_whole_number_cannot_leave_its_bounds_by_hand(make: Any, typed: int, value: int) -> None:
    field = make("whole")
    field.native.setValue(typed)
    assert field.get() == value
    assert field.problem() == ""


def test_boxes_are_checked_one_by_one_and_come_in_their_order(make: Any) -> None:
    field = make("some")
    heard: list[int] = []
    field.changed.connect(lambda: heard.append(1))
    random, blocked = field.widget
    blocked.native.click()
    random.native.click()
    random.native.click()
    assert field.get() == ["random", "blocked"]
    assert len(heard) == 3


def dialog_of(name: str, qtbot: Any) -> Any:
    made = type("Named", (TaskSettings,), {"__annotations__": {name: Path | None}, name: setting(None, help="a path"),
                                           "__module__": __name__})  # fmt: skip
    return field_of(made.fields_info()[0]).widget


@pytest.mark.parametrize(
    ("name", "mode", "kinds"),
    [
        ("image", "EXISTING_FILE", "*.svs"),
        ("gene_list", "EXISTING_FILE", "*.txt"),
        ("csv", "OPTIONAL_FILE", "*.csv"),
        ("geojson", "OPTIONAL_FILE", "*.geojson"),
        ("local", "EXISTING_DIRECTORY", ""),
    ],
)
def test_the_dialog_asks_for_what_is_wanted(qtbot: Any, name: str, mode: str, kinds: str) -> None:
    widget = dialog_of(name, qtbot)
    assert widget.mode.name == mode
    assert kinds in (widget.filter or "")
