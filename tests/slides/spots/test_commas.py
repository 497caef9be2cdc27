from __future__ import annotations

import pytest

from napari_c2lst.slides.spots.commas import rejoined


@pytest.mark.parametrize(
    ("values", "there", "joined"),
    [
        ([], ["a, b"], []),
        (["a", "b"], ["a, b"], ["a, b"]),
        (["a", "b"], ["a", "b"], ["a", "b"]),
        (["a", "b", "c"], ["a,b", "a,b,c"], ["a,b,c"]),
        (["x", "a", "b"], ["a,b", "a"], ["x", "a,b"]),
        (["a", "x"], ["a,b", "a"], ["a", "x"]),
        (["a, b", "x"], ["a, b"], ["a, b", "x"]),
    ],
)
def test_parts_come_together(values: list[str], there: list[str], joined: list[str]) -> None:
    assert rejoined(values, there) == joined
