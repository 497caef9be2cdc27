"""Pairs of bars: drawn to scale, named for a screen reader, clicked."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QPoint, Qt

from napari_c2lst.plugin.looking.gene_bars import MEASURED, PREDICTED, GeneBars
from napari_c2lst.plugin.looking.spot_facts import SpotFacts

FACTS = SpotFacts(3, "S3", "held out", ("A", "B"), np.array([2.0, 1.0], np.float32), np.array([1.0, 0.0], np.float32))


def shown(qtbot: Any, facts: SpotFacts | None) -> GeneBars:
    bars = GeneBars()
    qtbot.addWidget(bars)
    bars.show_facts(facts, "A")
    bars.resize(240, max(bars.sizeHint().height(), 20))
    return bars


def count(bars: GeneBars, colour: Any, top: int, bottom: int) -> int:
    image = bars.grab().toImage()
    return sum(image.pixelColor(x, y).rgb() == colour.rgb() for y in range(top, bottom) for x in range(image.width()))


def test_a_bar_is_as_long_as_its_value(qtbot: Any) -> None:
    bars = shown(qtbot, FACTS)
    first, second = count(bars, MEASURED, 20, 46), count(bars, MEASURED, 46, 72)
    assert abs(first - 2 * second) <= 0.15 * first
    assert abs(count(bars, PREDICTED, 20, 46) - second) <= 0.2 * second


def test_a_side_that_is_missing_is_not_drawn(qtbot: Any) -> None:
    bars = shown(qtbot, SpotFacts(3, "S3", "", ("A",), np.array([2.0], np.float32), None))
    assert count(bars, PREDICTED, 0, bars.height()) == 0
    assert "predicted" not in bars.accessibleDescription()


def test_they_are_said_in_words(qtbot: Any) -> None:
    assert shown(qtbot, FACTS).accessibleDescription() == (
        "A: measured 2.00, predicted 1.00; B: measured 1.00, predicted 0.00"
    )


def test_a_click_chooses_the_gene_of_its_row(qtbot: Any) -> None:
    bars = shown(qtbot, FACTS)
    with qtbot.waitSignal(bars.gene_clicked) as heard:
        qtbot.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(30, 20 + 26 + 8))
    assert heard.args == ["B"]
    assert bars.gene_at(5) == ""
    assert bars.gene_at(500) == ""


def test_without_a_spot_there_is_nothing(qtbot: Any) -> None:
    bars = shown(qtbot, None)
    assert bars.isHidden()
    assert bars.accessibleDescription() == ""


def test_a_value_that_is_no_number_has_no_bar_and_says_so(qtbot: Any) -> None:
    nan = np.array([np.nan, 1.0], np.float32)
    bars = shown(qtbot, SpotFacts(3, "S3", "", ("A", "B"), np.array([2.0, 1.0], np.float32), nan))
    assert count(bars, PREDICTED, 20, 46) == 0
    assert count(bars, PREDICTED, 46, 72) > 0
    assert count(bars, MEASURED, 20, 46) > 0
    assert "A: measured 2.00, predicted without a number" in bars.accessibleDescription()


def test_only_zeros_and_only_nan_can_be_drawn(qtbot: Any) -> None:
    for value in (0.0, np.nan):
        side = np.full(2, value, np.float32)
        shown(qtbot, SpotFacts(3, "S3", "", ("A", "B"), side, side)).grab()


def test_a_very_long_name_leaves_room_for_its_bars(qtbot: Any) -> None:
    facts = SpotFacts(3, "S3", "", ("A" * 200,), np.array([2.0], np.float32), np.array([2.0], np.float32))
    assert count(shown(qtbot, facts), MEASURED, 20, 46) > 100


def test_another_spot_with_fewer_genes_needs_less_room(qtbot: Any) -> None:
    bars = shown(qtbot, FACTS)
    tall = bars.sizeHint().height()
    bars.show_facts(SpotFacts(4, "S4", "", ("A",), np.array([2.0], np.float32), None))
    assert bars.sizeHint().height() < tall
