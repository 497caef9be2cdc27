from pathlib import Path

import pytest
from pydantic import ValidationError

from napari_c2lst.common.results import TaskResult


class Example(TaskResult):
    out: Path
    spots: int


def test_a_result_tells_its_fields_line_by_line():
    assert Example(out="a", spots=3).lines() == ["out: a", "spots: 3"]


def test_a_whole_result_ends_with_0():
    assert Example(out="a", spots=3).exit_code == 0


def test_a_result_travels_as_json_and_is_frozen():
    result = Example(out="a", spots=3)
    assert Example.model_validate_json(result.model_dump_json()) == result
    with pytest.raises(ValidationError):
        result.spots = 4
