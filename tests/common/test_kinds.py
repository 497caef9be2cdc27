from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest

from napari_c2lst.common import kinds
from napari_c2lst.common.settings import TaskSettings


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (int | None, int),
        (Optional[Path], Path),  # noqa: UP045 - both spellings occur
        (Annotated[float, "um"], float),
        (Annotated[int | None, "px"], int),
        (int | str, int | str),
        (list[int], list[int]),
    ],
)
def test_an_optional_value_is_of_its_kind(annotation: Any, kind: Any) -> None:
    assert kinds.strip_optional(annotation) == kind


def test_what_may_be_left_out() -> None:
    assert kinds.may_be_none(int | None)
    assert not kinds.may_be_none(int | str)
    assert not kinds.may_be_none(str)


@pytest.mark.parametrize("annotation", [list[int], tuple[str, ...], Sequence[Path], set[str], list, tuple])
def test_several_values(annotation: Any) -> None:
    assert kinds.is_sequence(annotation)


@pytest.mark.parametrize("annotation", [str, int, Path, dict[str, int], Literal["a", "b"]])
def test_one_value(annotation: Any) -> None:
    assert not kinds.is_sequence(annotation)


def test_the_items_of_several_values() -> None:
    assert kinds.item_type(tuple[str, ...]) is str
    assert kinds.item_type(list[int | None]) is int
    assert kinds.item_type(list) is str


def test_structured_values_are_json() -> None:
    assert kinds.is_structured(dict[str, Any])
    assert kinds.is_structured(Mapping[str, int])
    assert kinds.is_structured(TaskSettings)
    assert not kinds.is_structured(str)
    assert not kinds.is_structured(list[int])


def test_flags_read_like_words() -> None:
    assert kinds.flag_name("patch_um") == "--patch-um"
