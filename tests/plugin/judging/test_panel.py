"""The panel "Judge", from an empty viewer to one gene."""

from __future__ import annotations

import os
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
from napari_c2lst.plugin.pointing import NEAR_UM
from napari_c2lst.plugin.session import Session
from napari_c2lst.plugin.viewer_parts import canvas_px
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
    assert viewer.camera.zoom == pytest.approx(canvas_px(viewer) / NEAR_UM)


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


# -- in the wrong order


@pytest.fixture
def runs(scored_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the scores that a test may write into, for the one slide that no test writes into."""
    folder = tmp_path / "runs"
    shutil.copytree(scored_once.with_name("tiny_c2lst") / "scores", folder / "scores")
    monkeypatch.setattr(Session, "runs_folder", property(lambda self: None if self.slide is None else folder))
    return folder


def ready(panel: JudgePanel) -> bool:
    return panel.scores is not None and not panel._work.awaited


def test_the_run_that_was_chosen_stays_when_new_results_come(
    qtbot: Any, panel: JudgePanel, session: Session, slide: Slide, runs: Path
) -> None:
    shutil.copytree(runs / "scores", runs / "first")
    session.open(slide)
    panel.runs.setCurrentIndex(1)
    kept = panel.runs.currentText()
    shutil.copytree(runs / "scores", runs / "later")
    session.results_changed.emit()
    assert panel.runs.count() == 3
    assert panel.runs.currentText() == kept
    qtbot.waitUntil(lambda: ready(panel) and panel.scores.folder.name == kept, timeout=20_000)  # type: ignore[union-attr]


def test_who_looked_at_the_newest_scores_sees_those_that_come(
    qtbot: Any, panel: JudgePanel, session: Session, slide: Slide, runs: Path
) -> None:
    session.open(slide)
    assert panel.runs.currentText() == "scores"
    shutil.copytree(runs / "scores", runs / "later")
    stamp = (runs / "scores" / "result.json").stat().st_mtime + 100
    os.utime(runs / "later" / "result.json", (stamp, stamp))
    session.results_changed.emit()
    assert panel.runs.currentText() == "later"
    qtbot.waitUntil(lambda: ready(panel) and panel.scores.folder.name == "later", timeout=20_000)  # type: ignore[union-attr]


def test_a_run_that_was_deleted_gives_way_to_another(
    qtbot: Any, panel: JudgePanel, session: Session, slide: Slide, runs: Path
) -> None:
    session.open(slide)
    qtbot.waitUntil(lambda: ready(panel), timeout=20_000)
    shutil.rmtree(runs / "scores")
    session.results_changed.emit()
    assert panel.words.text() == NO_SCORES
    assert panel.runs.count() == 0
    assert not panel.genes.isVisible()


def test_closing_the_slide_leaves_no_score_of_it(judged: JudgePanel, session: Session) -> None:
    session.close()
    assert judged.words.text() == NO_SLIDE
    assert judged.scores is None
    assert judged.genes.values is None
    for widget in (judged.table, judged.beware, judged.genes, *judged.plots):
        assert not widget.isVisible()


def test_a_dot_of_a_slide_that_gave_way_goes_nowhere(judged: JudgePanel, session: Session) -> None:
    heard: list[int] = []
    session.spot_clicked.connect(heard.append)
    judged.genes.scatter.spot_clicked.emit(63)  # the slide has 63: the last is 62
    session.close()
    judged.genes.scatter.spot_clicked.emit(8)
    assert heard == []


def test_an_answer_after_the_slide_was_closed_is_dropped(
    qtbot: Any, panel: JudgePanel, session: Session, slide: Slide
) -> None:
    session.open(slide)
    assert panel._work.awaited
    session.close()
    qtbot.waitUntil(lambda: not panel._work._workers, timeout=20_000)
    assert panel.scores is None
    assert panel.words.text() == NO_SLIDE


def test_a_panel_closed_while_scores_are_read_is_left_alone(
    qtbot: Any, viewer: ViewerModel, session: Session, slide: Slide
) -> None:
    panel = JudgePanel(viewer)
    session.open(slide)
    work = panel._work
    assert work.awaited
    with qtbot.waitSignal(panel.destroyed):
        panel.deleteLater()
    qtbot.waitUntil(lambda: not work._workers, timeout=20_000)


def test_scores_without_a_line_say_so(
    qtbot: Any, panel: JudgePanel, session: Session, slide: Slide, runs: Path
) -> None:
    file = runs / "scores" / "scores.csv"
    file.write_text(file.read_text().splitlines()[0] + "\n")
    session.open(slide)
    qtbot.waitUntil(lambda: "empty" in panel.words.text(), timeout=20_000)
    assert not panel.table.isVisible()


def test_scores_of_a_later_version_are_said_not_raised(
    qtbot: Any, panel: JudgePanel, session: Session, slide: Slide, runs: Path
) -> None:
    file = runs / "scores" / "genes.csv"
    file.write_text(file.read_text().replace("ridge", "transformer"))
    told: list[tuple[str, ...]] = []
    session.told.connect(lambda *args: told.append(args))
    session.open(slide)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert "Update napari-c2lst" in panel.words.text()
    assert not panel.genes.isVisible()


def test_names_cannot_smuggle_markup_in(panel: JudgePanel) -> None:
    panel._refuse("'<b>x</b> & y' cannot be read", "")
    assert "&lt;b>x&lt;/b> &amp; y" in panel.words.text()
    assert panel.words.text().endswith("read.")


def test_new_results_keep_the_arm_and_the_gene(qtbot: Any, judged: JudgePanel, session: Session) -> None:
    genes = judged.genes
    genes.arms.setCurrentIndex(genes.arms.findText("colours + ridge", Qt.MatchFlag.MatchStartsWith))
    session.show_gene(genes.filter.index(4, 0).data())
    session.results_changed.emit()
    qtbot.waitUntil(lambda: ready(judged), timeout=20_000)
    assert genes.arms.currentText().startswith("colours + ridge")
    assert genes.filter.gene(genes.table.currentIndex()) == session.gene


def test_everything_is_reached_by_tab(judged: JudgePanel) -> None:
    """From the first choice on, the tab key comes by every choice and table."""
    seen, widget = [], judged.runs
    for _ in range(60):
        seen.append(widget)
        widget = widget.nextInFocusChain()
    wanted = [judged.genes.arms, judged.genes.search, judged.genes.table]
    places = [seen.index(each) for each in wanted]
    assert places == sorted(places)
    assert all(each.focusPolicy() & Qt.FocusPolicy.TabFocus for each in wanted)
