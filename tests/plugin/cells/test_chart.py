"""The chart of one spot: what it says, what it draws, with no nucleus, one, and thousands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtGui import QColor, QPalette

from napari_c2lst.plugin.cells.chart import CompositionChart
from napari_c2lst.plugin.cells.records import SpotCells

COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115))


def spot(*counts: float) -> SpotCells:
    names = ("epithelial", "inflammatory", "a very long name of a type that no dock is wide enough for")
    return SpotCells(names[: len(counts)], COLOURS[: len(counts)], np.array(counts, np.float32))


@pytest.fixture
def chart(qtbot: Any) -> CompositionChart:
    made = CompositionChart()
    qtbot.addWidget(made)
    made.resize(360, 120)
    return made


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((9, 3, 0), "12 nuclei: epithelial 9 (75 %), inflammatory 3 (25 %)"),
        ((0, 1), "1 nucleus: inflammatory 1 (100 %)"),
        ((0, 0), "No nuclei in this spot"),
        ((), "No nuclei in this spot"),
    ],
)
def test_it_is_said_in_words_for_who_cannot_see_it(
    chart: CompositionChart, counts: tuple[float, ...], said: str
) -> None:
    chart.show_cells(spot(*counts))
    assert chart.accessibleDescription() == said
    assert not chart.isHidden()


def test_it_is_away_while_there_is_no_spot(chart: CompositionChart) -> None:
    assert chart.isHidden()
    chart.show_cells(spot(1))
    chart.show_cells(None)
    assert chart.isHidden()
    assert chart.accessibleDescription() == ""


def test_it_is_as_high_as_it_has_types(chart: CompositionChart) -> None:
    heights = []
    for n in (1, 2, 3):
        chart.show_cells(spot(*[1] * n))
        heights.append(chart.sizeHint().height())
    assert heights[2] - heights[1] == heights[1] - heights[0] > 0


def length(chart: CompositionChart, colour: tuple[int, int, int]) -> int:
    """How long the bar of a colour is, in pixels."""
    picture = chart.grab().toImage()
    wanted = QColor(*colour).rgb()
    rows = [sum(picture.pixel(x, y) == wanted for x in range(picture.width())) for y in range(picture.height())]
    return max(rows)


def test_bars_are_as_long_as_their_numbers(chart: CompositionChart) -> None:
    chart.show_cells(spot(40, 10, 0))
    long, short, none = (length(chart, colour) for colour in COLOURS)
    assert long == pytest.approx(4 * short, rel=0.15)
    assert none <= 1


@pytest.mark.parametrize("width", [40, 120, 900])
def test_it_is_drawn_at_any_width_and_in_any_theme(chart: CompositionChart, width: int) -> None:
    chart.show_cells(spot(12_345, 1, 0))
    pictures = []
    for ground, ink in (("#000000", "#ffffff"), ("#ffffff", "#000000")):
        palette = chart.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(ground))
        palette.setColor(QPalette.ColorRole.WindowText, QColor(ink))
        chart.setPalette(palette)
        chart.resize(width, chart.sizeHint().height())
        picture = chart.grab().toImage()
        colours = {picture.pixel(x, y) for x in range(picture.width()) for y in range(picture.height())}
        assert len(colours) > 3  # there is text on the ground
        pictures.append(colours)
    assert pictures[0] != pictures[1]


def test_one_spot_after_the_other(chart: CompositionChart) -> None:
    chart.show_cells(spot(5, 5, 5))
    chart.grab()
    chart.show_cells(spot(5))  # fewer types: the weights were other ones
    chart.grab()
    assert chart.in_words() == "5 nuclei: epithelial 5 (100 %)"
