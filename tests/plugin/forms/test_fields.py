"""Every kind of field shows its value exactly and gives it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from qtpy.QtWidgets import QLineEdit

from napari_c2lst.common.settings import TaskSettings, setting
from napari_c2lst.plugin.forms.fields import Field, field_of, placeholder_of


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
        ("share", "1", 1.0, "out of bounds"),
        ("maybe_whole", "1.5", "1.5", "not a number"),
        ("maybe_whole", "0", 0, "out of bounds"),
        ("further", "{", "{", "name"),
        ("further", "[1]", [1], "name"),
        ("wholes", "1, x", "1, x", "not numbers"),
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
