"""The score table: what stands in each cell, and what its tooltip adds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from tests.plugin.judging.made import score, spots, usual

from napari_c2lst.evaluation.arms import ARMS, arm_named
from napari_c2lst.evaluation.metrics import over_runs
from napari_c2lst.plugin.judging.score_table import COLUMNS, ScoreTable


@pytest.fixture
def table(qtbot: Any) -> ScoreTable:
    table = ScoreTable()
    qtbot.addWidget(table)
    return table


def row(table: ScoreTable, label: str) -> list[Any]:
    found = [i for i in range(table.rowCount()) if table.item(i, 0).text() == label]
    assert len(found) == 1
    return [table.item(found[0], k) for k in range(len(COLUMNS))]


def test_baselines_stand_above_networks_whatever_their_order(table: ScoreTable) -> None:
    table.show_scores(tuple(reversed(usual().scores)))
    assert [table.item(i, 0).text() for i in range(4)] == [
        "mean of training spots",
        "median of training spots",
        "colours + ridge",
        "real only",
    ]


def test_error_share_and_r_of_one_run(table: ScoreTable) -> None:
    table.show_scores([score("real", 0.45, spots(0.4), against_median=-0.1)])
    name, mae, share, r = row(table, "real only")
    assert (mae.text(), share.text(), r.text()) == ("0.450", "−10 %", "0.40")
    assert name.toolTip() == "Network trained on the training spots alone"
    assert mae.toolTip() == "0.450 (0.430 to 0.470), 95 % interval over held-out spots"
    assert r.toolTip().startswith("0.40 (0.38 to 0.42)")


def test_who_says_the_same_everywhere_has_no_r(table: ScoreTable) -> None:
    table.show_scores(usual().scores)
    r = row(table, "median of training spots")[3]
    assert (r.text(), r.toolTip()) == ("none", "says the same everywhere")


@pytest.mark.parametrize(
    ("share", "text"), [(0.21, "+21 %"), (-0.004, "0 %"), (0.004, "0 %"), (-0.096, "−10 %"), (None, "–")]
)
def test_a_share_is_whole_percent_with_its_sign(table: ScoreTable, share: float | None, text: str) -> None:
    table.show_scores([score("ridge", against_median=share)])
    assert row(table, "colours + ridge")[2].text() == text


def test_the_median_is_its_own_yardstick(table: ScoreTable) -> None:
    table.show_scores([score("median", against_median=None)])
    assert row(table, "median of training spots")[2].text() == "0 %"


def test_several_runs_are_one_mean_that_says_so(table: ScoreTable) -> None:
    own = [score("real", mae, spots(r), seed=seed) for seed, mae, r in ((0, 0.4, 0.2), (1, 0.6, 0.4))]
    table.show_scores(own)
    name, mae, _, r = row(table, "real only")
    assert (mae.text(), r.text()) == ("0.500", "0.30")
    assert "(2 runs)" in name.toolTip()
    assert "over the runs" in mae.toolTip()
    assert f"{over_runs([0.4, 0.6]).low:.3f}" in mae.toolTip()


def test_one_of_several_runs_without_r_does_not_hide_the_others(table: ScoreTable) -> None:
    own = [score("real", 0.4, spots(0.2)), score("real", 0.5, None, seed=1)]
    table.show_scores(own)
    assert row(table, "real only")[3].text() == "0.20"


def test_the_dot_has_the_arms_colour(table: ScoreTable) -> None:
    table.show_scores([score(arm.key, r=spots(0.1)) for arm in ARMS])
    for i, arm in enumerate(ARMS):
        pixel = table.item(i, 0).icon().pixmap(10, 10).toImage().pixelColor(5, 5)
        assert pixel == QColor(arm_named(arm.key).colour)


def test_all_rows_are_in_sight_without_a_scroll_bar(table: ScoreTable, qtbot: Any) -> None:
    table.resize(360, 100)
    table.show()
    table.show_scores(usual().scores)
    assert table.visualItemRect(table.item(3, 0)).bottom() < table.viewport().height()
    tall = table.height()
    table.show_scores(usual().scores[:2])
    assert table.height() < tall


def test_nothing_can_be_written_into_it(table: ScoreTable, qtbot: Any) -> None:
    table.show_scores(usual().scores)
    table.show()
    table.setCurrentCell(0, 1)
    qtbot.keyClick(table, Qt.Key.Key_F2)
    qtbot.keyClicks(table, "9")
    assert table.state() != ScoreTable.State.EditingState
    assert table.item(0, 1).text() == "0.520"


def test_other_scores_leave_nothing_behind(table: ScoreTable) -> None:
    table.show_scores(usual().scores)
    table.show_scores([replace(usual().scores[3], mae=spots(0.9))])
    assert table.rowCount() == 1
    assert row(table, "real only")[1].text() == "0.900"
    table.show_scores([])
    assert table.rowCount() == 0


def test_every_column_but_the_first_is_explained_and_named(table: ScoreTable) -> None:
    heads = [table.horizontalHeaderItem(k) for k in range(len(COLUMNS))]
    assert [head.text() for head in heads] == ["", "MAE", "vs median", "r"]
    assert "smaller is better" in heads[1].toolTip()
    assert "larger is better" in heads[3].toolTip()
    assert table.accessibleName()
