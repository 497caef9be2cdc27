"""The panel "Judge", from an empty viewer to one gene."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from tests.plugin.results import make_scores, predicted_of, training_spots, trial_of

from napari_c2lst.plugin.judging.gene_table import VALUE
from napari_c2lst.plugin.judging.panel import NO_SCORES, NO_SLIDE, WIDE_PX, JudgePanel
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


@pytest.fixture
def panel(qtbot: Any, viewer: ViewerModel) -> JudgePanel:
    panel = JudgePanel(viewer)
    qtbot.addWidget(panel)
    panel.resize(380, 700)
    panel.show()
    return panel


@pytest.fixture
def judged(qtbot: Any, panel: JudgePanel, session: Session, slide: Slide) -> JudgePanel:
    session.open(slide)
    qtbot.waitUntil(lambda: panel.scores is not None and panel.genes.values is not None, timeout=20_000)
    return panel


def test_without_slide_or_scores_it_says_what_to_do(panel: JudgePanel, session: Session, scored: Path) -> None:
    assert panel.words.text() == NO_SLIDE
    shutil.rmtree(scored.with_name("tiny_c2lst"))
    session.open(open_slide(scored))
    assert panel.words.text() == NO_SCORES
    assert not panel.table.isVisible()


def test_the_table_has_every_arm_with_error_and_r(judged: JudgePanel) -> None:
    table = judged.table
    rows = {table.item(i, 0).text(): [table.item(i, k).text() for k in (1, 2, 3)] for i in range(table.rowCount())}
    assert list(rows) == ["mean of training spots", "median of training spots", "colours + ridge", "real only"]
    assert rows["median of training spots"][1:] == ["0 %", "none"]
    assert float(rows["real only"][2]) > 0.9
    assert "interval over held-out spots" in table.item(3, 1).toolTip()


def test_words_and_cautions_stand_above(judged: JudgePanel) -> None:
    assert "On spots it has not seen" in judged.words.text()
    assert "Keep in mind" in judged.beware.text()
    assert "one seed" in judged.beware.text()


def test_plots_show_every_arm(judged: JudgePanel) -> None:
    for plot in judged.plots:
        assert plot._arms == ["mean", "median", "ridge", "real"]
    r, mae = judged.plots
    texts = [item.toPlainText() for item in r.plotItem.items if hasattr(item, "toPlainText")]
    assert texts == ["none: the same everywhere"] * 2
    assert not [item for item in mae.plotItem.items if hasattr(item, "toPlainText")]


def test_genes_are_sorted_by_value_and_none_comes_last(judged: JudgePanel) -> None:
    genes = judged.genes
    genes.arms.setCurrentIndex(genes.arms.findText("colours + ridge", Qt.MatchFlag.MatchStartsWith))
    values = [genes.filter.index(i, 1).data(VALUE) for i in range(genes.filter.rowCount())]
    assert values == sorted(values, reverse=True)
    assert len(values) == 12


def test_genes_are_found_by_part_of_their_name(judged: JudgePanel, slide: Slide) -> None:
    name = judged.genes.filter.index(0, 0).data()
    judged.genes.search.setText(name.lower())
    assert [judged.genes.filter.index(i, 0).data() for i in range(judged.genes.filter.rowCount())] == [name]
    judged.genes.search.setText("nothing like it")
    assert judged.genes.filter.rowCount() == 0


def test_a_gene_in_the_table_is_the_gene_of_the_session(judged: JudgePanel, session: Session, slide: Slide) -> None:
    judged.genes.table.selectRow(3)
    gene = judged.genes.filter.index(3, 0).data()
    assert session.gene == gene
    measured, predicted, spots, _ = judged.genes.scatter._shown  # type: ignore[misc]
    assert (spots == np.flatnonzero(~training_spots(slide))).all()
    column = judged.genes.values.predicted.genes.index(gene)  # type: ignore[union-attr]
    np.testing.assert_allclose(predicted, predicted_of(slide)[spots, column], atol=1e-6)
    np.testing.assert_allclose(predicted, 0.5 * measured + 0.25, atol=1e-6)
    assert f"{gene} on 42 held-out spots, real only: r = 1.00" in judged.genes.title.text()


def test_a_gene_chosen_elsewhere_is_shown(judged: JudgePanel, session: Session) -> None:
    gene = judged.genes.filter.index(5, 0).data()
    session.show_gene(gene)
    assert judged.genes.table.currentIndex().row() == 5
    assert gene in judged.genes.title.text()
    session.show_gene("GENE39")
    assert "Choose a gene" in judged.genes.title.text()


def test_a_dot_is_a_spot(judged: JudgePanel, session: Session, viewer: ViewerModel, slide: Slide) -> None:
    heard: list[int] = []
    session.spot_clicked.connect(heard.append)
    judged.genes.scatter.spot_clicked.emit(8)
    assert heard == [8]
    centre = (slide.require_spots().yx[8] - 0.5) * slide.mpp
    np.testing.assert_allclose(viewer.camera.center[-2:], centre, atol=1e-6)


def test_without_stored_predictions_there_is_a_hint(
    qtbot: Any, panel: JudgePanel, session: Session, scored: Path
) -> None:
    slide = open_slide(scored)
    del slide.sdata.tables["c2lst_spots_real"]
    session.open(slide)
    qtbot.waitUntil(lambda: panel.scores is not None, timeout=20_000)
    assert "does not hold this run's predictions" in panel.genes.title.text()
    assert not panel.genes.scatter.isVisible()


def test_two_kinds_of_split_can_be_chosen(qtbot: Any, panel: JudgePanel, session: Session, scored: Path) -> None:
    slide = open_slide(scored)
    shutil.rmtree(scored.with_name("tiny_c2lst") / "scores")
    make_scores(scored, "two", [trial_of(slide, split="random"), trial_of(slide)])
    session.open(slide)
    qtbot.waitUntil(lambda: panel.scores is not None, timeout=20_000)
    assert panel.blocks.isVisible()
    assert "whole regions" in panel.words.text()
    panel.blocks.setCurrentText("random")
    assert "scattered spots" in panel.words.text()
    assert "random" in panel.genes.arms.currentText()


def test_damaged_scores_are_said_and_the_panel_stays_usable(
    qtbot: Any, panel: JudgePanel, session: Session, scored: Path
) -> None:
    folder = scored.with_name("tiny_c2lst") / "scores"
    good = (folder / "scores.csv").read_text()
    (folder / "scores.csv").write_text(good.replace("mae,", "error,"))
    told: list[tuple[str, ...]] = []
    session.told.connect(lambda *args: told.append(args))
    session.open(open_slide(scored))
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert told[0][0] == "error"
    assert "scores.csv" in panel.words.text()
    (folder / "scores.csv").write_text(good)
    session.results_changed.emit()
    qtbot.waitUntil(lambda: panel.scores is not None, timeout=20_000)


def test_it_fits_a_dock_and_uses_a_wide_window(judged: JudgePanel) -> None:
    assert judged.minimumSizeHint().width() <= 380
    judged.resize(WIDE_PX + 100, 600)
    assert judged._columns.direction() == judged._columns.Direction.LeftToRight


def test_a_destroyed_panel_hears_nothing(qtbot: Any, viewer: ViewerModel, session: Session) -> None:
    heard = len(session.results_changed)
    panel = JudgePanel(viewer)
    assert len(session.results_changed) == heard + 1
    with qtbot.waitSignal(panel.destroyed):
        panel.deleteLater()
    assert len(session.results_changed) == heard
