"""The choices of a map: what is offered, what stays chosen, what is told, and what keys and wheels do."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QPalette, QWheelEvent
from qtpy.QtWidgets import QApplication, QComboBox, QToolButton, QWidget
from tests.plugin.looking.made import GENES, prediction

from napari_c2lst.plugin.colouring import MOST_POINTS
from napari_c2lst.plugin.looking.choices import MapChoices, narrow_combo
from napari_c2lst.plugin.looking.predictions import Prediction
from napari_c2lst.plugin.looking.shown import MODES, forms_of

TAB = Qt.FocusPolicy.TabFocus


@pytest.fixture
def choices(qtbot: Any) -> MapChoices:
    choices = MapChoices()
    qtbot.addWidget(choices)
    choices.resize(360, 240)
    choices.show()
    return choices


@pytest.fixture
def one(choices: MapChoices) -> MapChoices:
    choices.offer([prediction()])
    return choices


@pytest.fixture
def genes(one: MapChoices) -> list[str]:
    heard: list[str] = []
    one.gene_chosen.connect(heard.append)
    return heard


def listed(combo: QComboBox) -> list[str]:
    return [combo.itemText(i) for i in range(combo.count())]


def forms(choices: MapChoices) -> list[str]:
    return [choices.forms.itemData(i) for i in range(choices.forms.count())]


def choose(combo: QComboBox, value: str) -> None:
    combo.setCurrentIndex(combo.findData(value))


# -- predictions


def test_without_predictions_nothing_can_be_chosen(choices: MapChoices) -> None:
    assert choices.prediction is None
    assert not choices.isEnabled()
    choices.offer([])
    assert choices.prediction is None
    choices.step_gene(1)
    choices.show_gene("ACTB")
    assert listed(choices.genes) == []


def test_the_first_prediction_is_chosen_with_its_genes(one: MapChoices) -> None:
    assert one.isEnabled()
    assert one.prediction is not None
    assert one.prediction.written.name == "run"
    assert listed(one.genes) == list(GENES)
    assert one.genes.currentText() == "ACTB"


def test_a_prediction_says_what_it_is_in_its_tooltip(one: MapChoices) -> None:
    tip = one.predictions.itemData(0, Qt.ItemDataRole.ToolTipRole)
    assert "Run “run”: network trained on the training spots alone (2 spots)." in tip
    assert "4 of the 6 spots are held out" in tip


def test_the_prediction_that_was_chosen_stays_when_others_come(choices: MapChoices) -> None:
    choices.offer([prediction("one"), prediction("two")])
    choices.predictions.setCurrentIndex(1)
    choices.offer([prediction("newer"), prediction("one"), prediction("two")])
    assert choices.prediction.written.name == "two"  # type: ignore[union-attr]


def test_who_had_the_newest_follows_to_the_newest_of_the_same_kind(choices: MapChoices) -> None:
    grid = prediction("one", where="grid")
    choices.offer([prediction("one"), grid])
    choices.offer([prediction("newer"), prediction("one"), grid], follow=True)
    assert choices.prediction.key == "c2lst_spots_newer"  # type: ignore[union-attr]
    choices.choose(grid)
    choices.offer([prediction("newer"), prediction("newer", where="grid"), grid], follow=True)
    assert choices.prediction.key == "c2lst_grid_newer"  # type: ignore[union-attr]
    choices.choose(choices.offered[2])
    choices.offer([prediction("last"), prediction("last", where="grid"), *choices.offered[1:]], follow=True)
    assert choices.prediction.key == "c2lst_grid_one"  # type: ignore[union-attr]  # an older one was wanted
    choices.offer([prediction("last")], follow=True)
    assert choices.prediction.key == "c2lst_spots_last"  # type: ignore[union-attr]


def test_a_prediction_that_is_gone_gives_way_to_the_first(choices: MapChoices) -> None:
    choices.offer([prediction("one"), prediction("two")])
    choices.predictions.setCurrentIndex(1)
    choices.offer([prediction("one")])
    assert choices.prediction.written.name == "one"  # type: ignore[union-attr]
    choices.offer([])
    assert choices.prediction is None
    assert listed(choices.genes) == listed(choices.forms) == []


def test_each_offer_is_told_once(qtbot: Any, choices: MapChoices) -> None:
    told: list[int] = []
    choices.source_changed.connect(lambda: told.append(1))
    choices.offer([prediction("one"), prediction("two")])
    assert len(told) == 1
    choices.predictions.setCurrentIndex(1)
    assert len(told) == 2
    choices.offer([])
    assert len(told) == 2


def test_the_gene_stays_where_another_prediction_has_it(choices: MapChoices) -> None:
    choices.offer([prediction("one"), prediction("two", genes=("FASN", "ERBB2")), prediction("three", genes=("X",))])
    choices.show_gene("ERBB2")
    choices.predictions.setCurrentIndex(1)
    assert choices.genes.currentText() == "ERBB2"
    choices.predictions.setCurrentIndex(2)
    assert choices.genes.currentText() == "X"


# -- genes


def test_a_gene_that_is_chosen_is_told_and_one_that_is_shown_is_not(one: MapChoices, genes: list[str]) -> None:
    one.show_gene("FASN")
    assert one.genes.currentText() == "FASN"
    assert genes == []
    one.genes.setCurrentIndex(1)
    assert genes == ["ERBB2"]


def test_steps_go_round(one: MapChoices, genes: list[str]) -> None:
    for by in (-1, 1, 1, 1, 1):
        one.step_gene(by)
    assert genes == ["FASN", "ACTB", "ERBB2", "FASN", "ACTB"]


@pytest.mark.parametrize(("by", "gene"), [(1, "ACTB"), (-1, "FASN")])
def test_from_a_gene_that_was_not_predicted_steps_begin_at_an_end(
    one: MapChoices, genes: list[str], by: int, gene: str
) -> None:
    one.show_gene("NOT_PREDICTED")
    assert one.genes.currentText() == ""
    one.step_gene(by)
    assert genes == [gene]


def test_a_single_gene_can_be_stepped(choices: MapChoices) -> None:
    choices.offer([prediction(genes=("X",))])
    choices.step_gene(1)
    choices.step_gene(-1)
    assert choices.genes.currentText() == "X"


def test_the_buttons_step(qtbot: Any, one: MapChoices, genes: list[str]) -> None:
    for button in one.findChildren(QToolButton):
        button.click()
    assert genes == ["FASN", "ACTB"]  # back, then forward
    assert [button.shortcut().toString() for button in one.findChildren(QToolButton)] == ["Alt+Left", "Alt+Right"]


def test_a_gene_is_typed_in_any_case(qtbot: Any, one: MapChoices, genes: list[str]) -> None:
    one.genes.setFocus()
    one.genes.lineEdit().selectAll()
    qtbot.keyClicks(one.genes.lineEdit(), "fasn")
    qtbot.keyClick(one.genes.lineEdit(), Qt.Key.Key_Return)
    assert genes[-1:] == ["FASN"]
    assert one.genes.currentText() == "FASN"


def test_what_is_no_gene_gives_way_to_the_gene_that_is_shown(qtbot: Any, one: MapChoices, genes: list[str]) -> None:
    one.show_gene("ERBB2")
    one.genes.lineEdit().selectAll()
    qtbot.keyClicks(one.genes.lineEdit(), "no such gene")
    qtbot.keyClick(one.genes.lineEdit(), Qt.Key.Key_Return)
    assert one.genes.currentText() == "ERBB2"
    assert one.genes.count() == 3  # nothing was added to the list
    assert genes == []


# -- modes and forms


def test_every_mode_is_offered_in_words(one: MapChoices) -> None:
    assert listed(one.modes) == list(MODES.values())
    assert one.mode == "predicted"


def test_a_mode_that_cannot_be_shown_is_off_and_says_why(one: MapChoices) -> None:
    one.allow(lambda mode: "no spread" if mode == "spread" else "")
    item = one.modes.model().item(one.modes.findData("spread"))
    assert not item.isEnabled()
    assert item.toolTip() == "no spread"
    one.allow(lambda mode: "")
    assert item.isEnabled()
    assert item.toolTip() == ""


def test_a_mode_that_is_shown_and_no_longer_can_be_gives_way(one: MapChoices) -> None:
    choose(one.modes, "split")
    assert one.divider.isVisible()
    one.allow(lambda mode: "" if mode == "predicted" else "nothing was measured")
    assert one.mode == "predicted"
    assert not one.divider.isVisible()


def test_a_mode_that_still_can_be_shown_stays(one: MapChoices) -> None:
    choose(one.modes, "difference")
    one.allow(lambda mode: "no spread" if mode == "spread" else "")
    assert one.mode == "difference"


def test_what_is_shown_at_once_reads_nothing_anew(qtbot: Any, one: MapChoices) -> None:
    with qtbot.assertNotEmitted(one.source_changed):
        for change in (lambda: choose(one.modes, "split"), lambda: one.divider.setValue(3), one.shown.toggle):
            with qtbot.waitSignal(one.look_changed):
                change()
    assert not one.wanted


def test_forms_are_those_of_the_prediction(choices: MapChoices) -> None:
    choices.offer([prediction(), prediction("grid", where="grid")])
    assert forms(choices) == ["spots", "smooth"]
    choose(choices.forms, "smooth")
    choices.predictions.setCurrentIndex(1)
    assert forms(choices) == ["squares", "smooth"]
    assert choices.form == "smooth"  # as it was drawn before


@pytest.mark.parametrize(("n", "expected"), [(MOST_POINTS, ("spots", "smooth")), (MOST_POINTS + 1, ("smooth",))])
def test_half_a_million_bins_are_not_drawn_one_by_one(n: int, expected: tuple[str, ...]) -> None:
    assert forms_of(prediction(n=n)) == expected


def test_a_grid_is_an_image_however_fine(choices: MapChoices) -> None:
    assert forms_of(prediction(n=10 * MOST_POINTS, where="grid")) == ("squares", "smooth")


def test_the_divider_runs_over_the_map(one: MapChoices) -> None:
    one.set_divider_range(100.0, 300.0)
    ends = []
    for value in (0, 500, 1000):
        one.divider.setValue(value)
        ends.append(one.divider_px)
    assert ends == [100.0, 200.0, 300.0]


# -- keyboard, mouse, room


def test_everything_is_reached_by_tab_and_explained(one: MapChoices) -> None:
    for widget in (one.predictions, one.genes, one.modes, one.forms, one.divider, one.shown):
        assert widget.focusPolicy() & TAB
        assert widget.toolTip()
    for button in one.findChildren(QToolButton):
        assert button.accessibleName() in ("Previous gene", "Next gene")


def test_every_label_has_a_key_of_its_own(one: MapChoices) -> None:
    from qtpy.QtWidgets import QLabel

    marked = [label.text() for label in one.findChildren(QLabel) if "&" in label.text()] + [one.shown.text()]
    keys = [text[text.index("&") + 1].lower() for text in marked]
    assert len(keys) == len(set(keys)) == 6
    assert all(label.buddy() is not None for label in one.findChildren(QLabel) if label.text())


def test_a_wheel_over_the_panel_changes_no_choice(one: MapChoices) -> None:
    choose(one.modes, "split")
    before = [one.genes.currentIndex(), one.modes.currentIndex(), one.forms.currentIndex(), one.divider.value()]
    at = QPointF(5, 5)
    for widget in (one.genes, one.modes, one.forms, one.predictions, one.divider):
        widget.clearFocus()
        event = QWheelEvent(
            at, widget.mapToGlobal(at), QPoint(), QPoint(0, -240), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)
    assert [
        one.genes.currentIndex(),
        one.modes.currentIndex(),
        one.forms.currentIndex(),
        one.divider.value(),
    ] == before


def test_a_long_name_does_not_make_the_dock_wide(choices: MapChoices) -> None:
    long: list[Prediction] = [prediction("a_run_with_a_very_long_name_" * 10, genes=("GENE" * 40,))]
    choices.offer(long)
    assert choices.minimumSizeHint().width() <= 360
    combo = narrow_combo("a tip")
    combo.addItem("x" * 500)
    assert combo.minimumSizeHint().width() <= 200
    assert combo.toolTip() == "a tip"


def test_choices_can_be_taken_away_while_they_are_open(qtbot: Any) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    choices = MapChoices(parent)
    choices.offer([prediction()])
    with qtbot.waitSignal(choices.destroyed):
        choices.deleteLater()


def test_the_list_of_genes_has_the_colours_of_the_theme(qtbot: Any, one: MapChoices) -> None:
    one.setStyleSheet("QWidget { background: #424a54; color: #f0f1f2; }")
    qtbot.keyClicks(one.genes.lineEdit(), "f")
    popup = one.genes.completer().popup()
    popup.ensurePolished()
    assert popup.palette().color(QPalette.ColorRole.Base).name() == "#424a54"
