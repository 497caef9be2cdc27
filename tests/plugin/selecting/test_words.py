from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.selecting.choice import Choice
from napari_c2lst.plugin.selecting.words import advice_on, counted_on
from napari_c2lst.slides.slide import Slide


def choice_of(spots: int, chosen: int) -> Choice:
    choice = Choice(spots)
    if chosen:
        choice.adopt(np.arange(spots) < chosen, way="set")
    return choice


@pytest.mark.parametrize(
    ("spots", "chosen", "said"),
    [
        (0, 0, ""),
        (20, 0, "Draw around spots"),
        (20, 5, "At least 8 spots"),
        (20, 20, "No spot is held out"),
        (20, 10, ""),
    ],
)
def test_advice(make_slide: Callable[..., Slide], spots: int, chosen: int, said: str) -> None:
    advice = advice_on(make_slide(), choice_of(spots, chosen))
    assert advice.startswith(said)
    assert bool(advice) is bool(said)


def test_without_a_slide_it_says_where_to_open_one() -> None:
    assert "Open slide..." in advice_on(None, Choice(0))
    assert counted_on(None, Choice(0)) == "No slide is open."


def test_what_is_counted(make_slide: Callable[..., Slide]) -> None:
    slide: Any = make_slide()
    assert counted_on(slide, choice_of(20, 5)).startswith("5 of 20 spots (25.0 %)")
    assert counted_on(make_slide(spots=None), Choice(0)) == "P12 is an image without spots."
