"""The colour bar is drawn, named and explained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtGui import QColor, QPalette

from napari_c2lst.plugin.looking.colours import table_of
from napari_c2lst.plugin.looking.legend import ColourBar, digits_of
from napari_c2lst.plugin.looking.shown import Legend


def pixels(bar: ColourBar) -> np.ndarray:
    image = bar.grab().toImage()
    return np.array(
        [[image.pixelColor(x, y).getRgb()[:3] for x in range(image.width())] for y in range(image.height())]
    )


def bar_of(qtbot: Any, legend: Legend) -> ColourBar:
    bar = ColourBar()
    qtbot.addWidget(bar)
    bar.resize(200, bar.sizeHint().height())
    bar.show_legend(legend)
    return bar


def test_the_bar_runs_from_the_lowest_to_the_highest_colour(qtbot: Any) -> None:
    bar = bar_of(qtbot, Legend("FASN", "predicted", "viridis", (0.0, 2.0)))
    row = pixels(bar)[bar.fontMetrics().height() + 12]
    np.testing.assert_allclose(row[4], table_of("viridis")[3, :3] * 255, atol=14)
    np.testing.assert_allclose(row[-5], table_of("viridis")[-4, :3] * 255, atol=14)


def test_it_says_in_words_what_it_shows(qtbot: Any) -> None:
    bar = bar_of(qtbot, Legend("FASN", "predicted", "viridis", (0.0, 2.0)))
    assert "FASN, predicted: colours from 0.00 to 2.00" in bar.accessibleDescription()
    assert "log(1 + x)" in bar.toolTip()


def test_another_legend_is_another_picture(qtbot: Any) -> None:
    bar = bar_of(qtbot, Legend("FASN", "predicted", "viridis", (0.0, 2.0)))
    before = pixels(bar)
    bar.show_legend(Legend("FASN", "predicted − measured", "difference", (-1.0, 1.0)))
    assert (pixels(bar) != before).any()


def test_without_a_map_there_is_no_bar(qtbot: Any) -> None:
    bar = bar_of(qtbot, Legend("FASN", "predicted", "viridis", (0.0, 2.0)))
    bar.show_legend(None)
    assert bar.isHidden()
    assert bar.legend is None


@pytest.mark.parametrize(
    ("limits", "digits"), [((0.0, 2.0), 2), ((0.0, 0.001), 5), ((0.0, 0.03), 3), ((-1.0, 1.0), 2), ((0.0, 1e-9), 5)]
)
def test_small_ranges_have_digits_enough_to_tell_their_ends(limits: tuple[float, float], digits: int) -> None:
    assert digits_of(Legend("FASN", "uncertainty", "magma", limits)) == digits


def test_a_small_range_is_said_in_those_digits(qtbot: Any) -> None:
    bar = bar_of(qtbot, Legend("FASN", "uncertainty", "magma", (0.0, 0.004)))
    assert "colours from 0.0000 to 0.0040" in bar.accessibleDescription()


def test_it_follows_the_theme(qtbot: Any) -> None:
    bar = bar_of(qtbot, Legend("FASN", "predicted", "viridis", (0.0, 2.0)))
    for ink in ("#ff0000", "#00ff00"):
        palette = QPalette(bar.palette())
        palette.setColor(QPalette.ColorRole.WindowText, QColor(ink))
        bar.setPalette(palette)
        line = pixels(bar)[: bar.fontMetrics().height()].reshape(-1, 3)
        assert (line == QColor(ink).getRgb()[:3]).all(axis=1).any()


def test_below_nothing_there_are_no_values(qtbot: Any) -> None:
    """A spread has no values under 0: its lower end is no "0 or less"."""
    with_sign = bar_of(qtbot, Legend("FASN", "uncertainty", "magma", (0.0, 2.0)))
    without = bar_of(qtbot, Legend("FASN", "uncertainty", "magma", (0.0, 2.0), nothing_below=True))
    left, right = slice(0, 60), slice(140, 200)
    assert (pixels(with_sign)[:, left] != pixels(without)[:, left]).any()
    assert (pixels(with_sign)[:, right] == pixels(without)[:, right]).all()
