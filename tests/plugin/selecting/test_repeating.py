"""Commands for choices, and the files they need, on a slide that is three spots in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely.geometry import box

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.selecting.choice import Choice, How, Step
from napari_c2lst.plugin.selecting.repeating import FOLDER, command_of, mark_of, settings_of, write_ids
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.geojson import read_regions


@pytest.fixture
def session(make_slide: Callable[..., Slide], tmp_path: Path) -> Session:
    made = Session()
    made.open(make_slide(path=tmp_path / "P12.zarr"), {"mpp": 0.5, "image": Path("he.tif")})
    return made


def by_hand(*spots: int) -> Choice:
    choice = Choice(3)
    choice.apply(Step(How.ADD, np.isin(np.arange(3), spots), "brush"))
    return choice


def drawn(*corners: float) -> Choice:
    choice = Choice(3)
    for corner in corners:
        area = box(corner, corner, corner + 10, corner + 10)
        choice.apply(Step(How.ADD, np.array([True, False, False]), "lasso", area=area))
    return choice


@pytest.mark.parametrize("name", ["../../secret", "a/b", "", "my set", ".."])
def test_a_name_that_is_none_writes_no_file_anywhere(session: Session, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a spot set"):
        command_of(session, by_hand(0), name)
    assert list(tmp_path.iterdir()) == []


def test_how_the_slide_was_opened_is_said_as_text(session: Session) -> None:
    _, values = command_of(session, by_hand(0, 2), "train")
    assert (values["mpp"], values["image"], values["name"]) == (0.5, "he.tif", "train")
    assert Path(values["ids"]).read_text() == "a\nc\n"
    assert Path(values["ids"]).parent.name == FOLDER


@pytest.mark.parametrize("make", [by_hand, drawn])
def test_a_command_that_was_copied_before_keeps_its_file(session: Session, make: Callable[..., Choice]) -> None:
    way = "ids" if make is by_hand else "polygon"
    first, second, again = (command_of(session, make(n), "train")[1][way] for n in (0, 1, 0))
    assert first != second
    assert first == again
    before = Path(first).read_text() if way == "ids" else read_regions(Path(first))[0].area.bounds
    assert before == ("a\n" if way == "ids" else (0, 0, 10, 10))


def test_shapes_are_written_as_they_were_drawn(session: Session) -> None:
    _, values = command_of(session, drawn(0, 100), "train")
    assert [region.area.bounds for region in read_regions(Path(values["polygon"]))] == [
        (0, 0, 10, 10),
        (100, 100, 110, 110),
    ]


def test_a_shape_that_takes_away_cannot_be_said_by_shapes(session: Session) -> None:
    choice = drawn(0)
    choice.apply(Step(How.SUBTRACT, np.zeros(3, dtype=bool), "lasso", area=box(0, 0, 1, 1)))
    assert "ids" in command_of(session, choice, "train")[1]


def test_thresholds_are_said_where_they_do_something(session: Session) -> None:
    choice = by_hand(0, 1)
    choice.leave_low_out(np.array([False, True, False]), {"min_counts": 100, "min_genes": 0, "min_tissue": 0.0})
    _, values = command_of(session, choice, "train")
    assert values["min_counts"] == 100
    assert not {"min_genes", "min_tissue"} & values.keys()
    assert Path(values["ids"]).read_text() == "a\n"


def test_a_draw_with_thresholds_that_came_later_is_a_list(session: Session) -> None:
    choice = Choice(3)
    said = {"fraction": 0.5, "seed": 0, "split": "random"}
    none = np.zeros(3, dtype=bool)
    choice.apply(Step(How.ADD, np.array([True, True, False]), "fraction", said, low=none))
    assert command_of(session, choice, "train")[1]["fraction"] == 0.5
    choice.leave_low_out(np.array([True, False, False]), {"min_counts": 100})
    _, values = command_of(session, choice, "train")
    assert "fraction" not in values
    assert Path(values["ids"]).read_text() == "b\n"


def test_a_folder_that_cannot_be_made_is_one_sentence(session: Session, tmp_path: Path) -> None:
    (tmp_path / "P12_c2lst").write_text("a file where the folder of runs would be")
    for choice in (by_hand(0), drawn(0)):
        with pytest.raises(InputError, match="is not a folder"):
            command_of(session, choice, "train")
    assert (tmp_path / "P12_c2lst").is_file()


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ({}, {}),
        ({"by_hand": ["add lasso"], "colour": "#0072b2"}, {}),
        ({"min_counts": 100}, {}),
        ({"fraction": 0.25, "seed": 0, "colour": "#0072b2"}, {"fraction": 0.25, "seed": 0}),
        ({"polygon": "q", "shapes": 3, "classes": ["T"], "system": None}, {"polygon": "q", "polygon_class": ["T"]}),
        ({"polygon": "q", "classes": [], "system": "global"}, {"polygon": "q", "polygon_system": "global"}),
        ({"fraction": None, "way": "test"}, {}),
    ],
)
def test_what_a_set_says_as_settings(said: dict[str, Any], settings: dict[str, Any]) -> None:
    assert settings_of(said) == settings


def test_marks_are_of_the_texts_and_their_order() -> None:
    assert mark_of(["a", "b"]) == mark_of(["a", "b"])
    assert len({mark_of([]), mark_of(["a", "b"]), mark_of(["b", "a"]), mark_of(["ab"])}) == 4


def test_lists_are_whole_or_not_there(tmp_path: Path) -> None:
    path = write_ids(["é", "b"], tmp_path / "new" / "ids.txt")
    assert path.read_text(encoding="utf-8") == "é\nb\n"

    def broken() -> Any:
        yield "a"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_ids(broken(), path)
    assert path.read_text(encoding="utf-8") == "é\nb\n"
    assert [each.name for each in path.parent.iterdir()] == ["ids.txt"]
