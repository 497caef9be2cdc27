"""The genes of one arm: which arms are offered, and what choosing, searching and sorting do to the chosen gene."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QItemSelectionModel, Qt
from tests.plugin.judging.made import gene, score, scores_of, spots, usual

from napari_c2lst.plugin.judging import gene_part
from napari_c2lst.plugin.judging.gene_part import GenePart
from napari_c2lst.plugin.looking.values import GeneMatrix


@pytest.fixture
def part(qtbot: Any) -> GenePart:
    part = GenePart()
    qtbot.addWidget(part)
    part.resize(360, 500)
    part.show()
    return part


@pytest.fixture
def filled(part: GenePart) -> GenePart:
    part.show_scores(None, usual(), "blocked")
    return part


@pytest.fixture
def heard(filled: GenePart) -> list[str]:
    genes: list[str] = []
    filled.gene_chosen.connect(genes.append)
    return genes


def shown(part: GenePart) -> list[str]:
    return [part.filter.index(i, 0).data() for i in range(part.filter.rowCount())]


def chosen(part: GenePart) -> list[str]:
    """What is marked in the table."""
    return [part.filter.gene(index) for index in part.table.selectionModel().selectedRows()]


def offered(part: GenePart) -> list[str]:
    return [part.arms.itemText(i) for i in range(part.arms.count())]


def choose_arm(part: GenePart, start: str) -> None:
    part.arms.setCurrentIndex(part.arms.findText(start, Qt.MatchFlag.MatchStartsWith))


def two_splits() -> Any:
    """The same arms on two kinds of split; only the random one has the gene Z."""
    both = [score(arm, r=spots(0.3), split=split) for split in ("blocked", "random") for arm in ("ridge", "real")]
    genes = [gene(arm, name, split="blocked") for arm in ("ridge", "real") for name in "AB"]
    genes += [gene(arm, "Z", split="random") for arm in ("ridge", "real")]
    return scores_of(both, genes)


def give_values(part: GenePart, predicted: np.ndarray, held_out: np.ndarray | None = None) -> None:
    """The numbers behind the scores, as if the slide had been read."""
    n = len(predicted)
    held_out = np.ones(n, dtype=bool) if held_out is None else held_out
    measured = np.arange(n, dtype=np.float32)[:, None] * np.ones((1, 2), np.float32)
    values: Any = SimpleNamespace(
        predicted=GeneMatrix(("A", "B"), predicted),
        held_out=held_out,
        spot=np.arange(n) + 100,
        measured_here=GeneMatrix(("A", "B"), measured).column,
        prediction=SimpleNamespace(written=SimpleNamespace(predictor=SimpleNamespace(arm="real"))),
    )
    part._use_values(values)


# -- arms


def test_a_network_comes_first_and_constant_predictors_have_no_genes_to_look_at(filled: GenePart) -> None:
    assert offered(filled) == ["real only “real” – blocked, seed 0", "colours + ridge – blocked, seed 0"]


def test_the_best_gene_stands_first_and_the_median_beside(filled: GenePart) -> None:
    assert shown(filled) == ["A", "B", "D", "C"]  # 0.9, 0.2, −0.4, none
    assert filled.filter.index(0, 3).data() == "0.50"


def test_another_arm_has_its_own_numbers(filled: GenePart) -> None:
    choose_arm(filled, "colours")
    assert shown(filled) == ["C", "A", "B", "D"]
    assert filled.filter.index(0, 1).data() == "0.30"


def test_only_arms_of_the_block_are_offered(part: GenePart) -> None:
    scores = two_splits()
    part.show_scores(None, scores, "random")
    assert shown(part) == ["Z"]
    assert all("random" in text for text in offered(part))
    part.show_scores(None, scores, "no such block")
    assert offered(part) == shown(part) == []


def test_the_arm_stays_when_the_same_scores_come_again(filled: GenePart) -> None:
    choose_arm(filled, "colours")
    filled.show_scores(None, usual(), "blocked")
    assert filled.arms.currentText().startswith("colours + ridge")
    assert shown(filled)[0] == "C"


def test_the_same_arm_of_another_split_follows(part: GenePart) -> None:
    scores = two_splits()
    part.show_scores(None, scores, "blocked")
    choose_arm(part, "colours")
    part.show_scores(None, scores, "random")
    assert part.arms.currentText() == "colours + ridge – random, seed 0"


def test_an_arm_that_is_gone_gives_way_to_the_first(filled: GenePart) -> None:
    choose_arm(filled, "colours")
    scores = usual()
    without = replace(scores, genes=tuple(row for row in scores.genes if row.arm != "ridge"))
    filled.show_scores(None, without, "blocked")
    assert filled.arms.currentText().startswith("real only")


def test_settings_and_runs_tell_arms_apart(part: GenePart) -> None:
    scores = [score("real", r=spots(0.3), run=run, label="600 steps", seed=None) for run in ("one", "two")]
    genes = [gene("real", "A", r, run=run, label="600 steps", seed=None) for run, r in (("one", 0.1), ("two", 0.2))]
    part.show_scores(None, scores_of(scores, genes), "blocked, 600 steps")
    assert offered(part) == ["real only “one” – blocked, 600 steps", "real only “two” – blocked, 600 steps"]
    part.arms.setCurrentIndex(1)
    assert part.filter.index(0, 1).data() == "0.20"


def test_without_scores_there_is_nothing(filled: GenePart) -> None:
    filled.show_scores(None, None)
    assert offered(filled) == shown(filled) == []
    assert filled.title.text() == ""
    assert not filled.scatter.isVisible()
    filled.show_gene("A")
    filled.search.setText("A")


# -- the chosen gene


def test_a_row_that_is_clicked_is_chosen_once(filled: GenePart, heard: list[str]) -> None:
    filled.table.selectRow(1)
    assert heard == ["B"]
    filled.table.selectRow(1)
    assert heard == ["B"]


def test_arrow_keys_walk_from_gene_to_gene(qtbot: Any, filled: GenePart, heard: list[str]) -> None:
    filled.table.selectRow(0)
    qtbot.keyClick(filled.table, Qt.Key.Key_Down)
    qtbot.keyClick(filled.table, Qt.Key.Key_Down)
    qtbot.keyClick(filled.table, Qt.Key.Key_Up)
    assert heard == ["A", "B", "D", "B"]


def test_a_gene_chosen_elsewhere_is_marked_and_not_told_again(filled: GenePart, heard: list[str]) -> None:
    filled.show_gene("D")
    assert chosen(filled) == ["D"]
    assert heard == []


def test_a_gene_without_a_score_marks_nothing_and_the_same_row_can_be_chosen_again(
    filled: GenePart, heard: list[str]
) -> None:
    filled.table.selectRow(1)
    filled.show_gene("NOT_SCORED")
    assert chosen(filled) == []
    filled.table.selectRow(1)
    assert heard == ["B", "B"]


def test_a_search_never_chooses_a_gene(filled: GenePart, heard: list[str]) -> None:
    filled.show_gene("A")
    for text in ("c", "nothing", "d", ""):
        filled.search.setText(text)
    assert heard == []
    assert chosen(filled) == ["A"]  # back in sight, marked again


def test_a_gene_that_is_searched_can_be_chosen(filled: GenePart, heard: list[str]) -> None:
    filled.show_gene("A")
    filled.search.setText("c")
    assert chosen(filled) == []
    filled.table.selectRow(0)
    assert heard == ["C"]


def test_a_gene_hidden_by_the_search_is_not_marked(filled: GenePart) -> None:
    filled.search.setText("b")
    filled.show_gene("D")
    assert chosen(filled) == []
    filled.search.clear()
    assert chosen(filled) == ["D"]


def test_sorting_keeps_the_gene(filled: GenePart, heard: list[str]) -> None:
    filled.show_gene("B")
    filled.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert chosen(filled) == ["B"]
    assert heard == []


def test_another_arm_keeps_the_gene(filled: GenePart, heard: list[str]) -> None:
    filled.show_gene("B")
    choose_arm(filled, "colours")
    assert chosen(filled) == ["B"]
    assert heard == []


def test_the_mark_moves_on_the_screen(qtbot: Any, filled: GenePart) -> None:
    """The view itself must hear of a gene that was chosen elsewhere, or the old row stays lit."""
    changed: list[Any] = []
    filled.table.selectionModel().selectionChanged.connect(lambda new, old: changed.append((len(new), len(old))))
    filled.show_gene("A")
    filled.show_gene("D")
    assert changed == [(1, 0), (1, 1)]


def test_clearing_the_selection_chooses_nothing(filled: GenePart, heard: list[str]) -> None:
    filled.table.selectRow(1)
    filled.table.selectionModel().setCurrentIndex(filled.filter.index(-1, -1), QItemSelectionModel.SelectionFlag.Clear)
    assert heard == ["B"]


# -- spot by spot


def test_without_stored_predictions_it_says_what_to_do(filled: GenePart) -> None:
    assert "does not hold this run's predictions: predict with it" in filled.title.text()
    choose_arm(filled, "colours")  # a baseline was never stored: nothing to say
    assert filled.title.text() == ""


def test_with_numbers_but_no_gene_it_asks_for_one(filled: GenePart) -> None:
    give_values(filled, np.ones((5, 2)))
    assert "Choose a gene" in filled.title.text()
    assert not filled.scatter.isVisible()


def test_only_held_out_spots_are_plotted(filled: GenePart) -> None:
    give_values(filled, np.array([[0, 4], [1, 3], [2, 2], [3, 1], [4, 0]]), np.array([1, 0, 1, 0, 1], bool))
    filled.show_gene("B")
    assert "B on 3 held-out spots, real only: r = −1.00" in filled.title.text()
    assert filled.scatter._shown[2].tolist() == [100, 102, 104]  # type: ignore[index]
    assert filled.scatter.isVisible()


def test_a_flat_prediction_has_no_r_and_says_why(filled: GenePart) -> None:
    give_values(filled, np.ones((5, 2)))
    filled.show_gene("A")
    assert "no r: it does not vary" in filled.title.text()


def test_predictions_that_are_no_numbers_are_counted_not_drawn(filled: GenePart) -> None:
    predicted = np.arange(10, dtype=float).reshape(5, 2)
    predicted[1, 0] = np.nan
    give_values(filled, predicted)
    filled.show_gene("A")
    assert "r = 1.00" in filled.title.text()
    assert "1 without a number are left out" in filled.title.text()
    filled.show_gene("B")
    assert "left out" not in filled.title.text()


def test_predictions_of_training_spots_alone_are_judged_by_nothing(filled: GenePart) -> None:
    give_values(filled, np.ones((5, 2)), np.zeros(5, bool))
    filled.show_gene("A")
    assert "None of the predicted spots is held out" in filled.title.text()
    assert not filled.scatter.isVisible()


def test_another_arm_takes_the_plot_away(filled: GenePart) -> None:
    give_values(filled, np.ones((5, 2)))
    filled.show_gene("A")
    choose_arm(filled, "colours")
    assert filled.values is None
    assert not filled.scatter.isVisible()
    filled.show_gene("B")
    assert not filled.scatter.isVisible()


def test_numbers_that_cannot_be_read_are_said_in_a_sentence(filled: GenePart) -> None:
    filled._refuse("predictions of spot 'x' belong to other spots", "predict again")
    assert filled.title.text() == "Predictions of spot 'x' belong to other spots: predict again."
    filled._refuse("the disk is gone", "")
    assert filled.title.text() == "The disk is gone."


def test_an_answer_for_an_arm_that_was_left_is_dropped(
    qtbot: Any, part: GenePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(gene_part, "prediction_of", lambda slide, run, arm: run or None)
    monkeypatch.setattr(gene_part, "read_truth", lambda slide, found: asked.append(found))
    used: list[Any] = []
    monkeypatch.setattr(part, "_use_values", used.append)
    slide: Any = object()
    part.show_scores(slide, usual(), "blocked")
    choose_arm(part, "colours")
    qtbot.waitUntil(lambda: asked == ["real"], timeout=10_000)
    qtbot.waitUntil(lambda: not part._work._workers, timeout=10_000)
    assert used == []


# -- keyboard and screen readers


def test_everything_is_reached_by_tab_and_named(filled: GenePart) -> None:
    for widget in (filled.arms, filled.search, filled.table):
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert widget.accessibleName() or widget.toolTip()


def test_it_is_no_wider_than_a_dock(filled: GenePart) -> None:
    assert filled.minimumSizeHint().width() <= 360
