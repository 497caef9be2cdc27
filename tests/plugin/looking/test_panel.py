"""The panel "Look", from an empty viewer to one spot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from tests.plugin.results import predicted_of, write_predictions

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.looking import panel as panel_module
from napari_c2lst.plugin.looking.map_layers import IMAGE_KEY, LEFT_KEY, SPOTS_KEY
from napari_c2lst.plugin.looking.maps import Prepared, prepare
from napari_c2lst.plugin.looking.panel import NO_PREDICTION, NO_SLIDE, WIDE_PX, LookPanel
from napari_c2lst.plugin.looking.predictions import Prediction
from napari_c2lst.plugin.looking.shown import Form
from napari_c2lst.plugin.session import Session
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


@pytest.fixture
def panel(qtbot: Any, viewer: ViewerModel) -> LookPanel:
    panel = LookPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def look(qtbot: Any, panel: LookPanel, session: Session, slide: Slide) -> LookPanel:
    """With the slide open and its first prediction, `both`, shown."""
    session.open(slide)
    qtbot.waitUntil(lambda: panel.ready is not None, timeout=20_000)
    return panel


def choose_mode(panel: LookPanel, mode: str) -> None:
    panel.choices.modes.setCurrentIndex(panel.choices.modes.findData(mode))


def test_without_a_slide_it_says_what_to_do(panel: LookPanel) -> None:
    assert panel.words.text() == NO_SLIDE
    assert not panel.choices.isEnabled()
    assert not panel.bar.isVisible()


def test_a_slide_without_predictions_says_so(panel: LookPanel, session: Session, results: Path) -> None:
    slide = open_slide(results)
    for key in [key for key in slide.sdata.tables if key.startswith(("c2lst_spots", "c2lst_grid"))]:
        del slide.sdata.tables[key]
    session.open(slide)
    assert panel.words.text() == NO_PREDICTION


def test_a_slide_with_predictions_is_shown_at_once(look: LookPanel, viewer: ViewerModel, session: Session) -> None:
    layer = shared_of(viewer).canvas.layer(SPOTS_KEY)
    assert layer is not None
    assert session.gene in look.choices.prediction.genes  # type: ignore[union-attr]
    assert look.bar.legend is not None
    assert look.bar.legend.gene == session.gene
    assert "log(1 + x)" in look.note.text().lower()
    assert "42 of the 63 spots are held out" in look.words.text()


def test_the_session_and_the_panel_share_the_gene(look: LookPanel, session: Session, slide: Slide) -> None:
    genes = look.choices.prediction.genes  # type: ignore[union-attr]
    session.show_gene(genes[4])
    assert look.choices.genes.currentText() == genes[4]
    layer = look.maps.canvas.layer(SPOTS_KEY)
    np.testing.assert_allclose(layer.features["value"], predicted_of(slide)[:, 4], atol=5e-4)
    look.choices.step_gene(1)
    assert session.gene == genes[5]
    look.choices.step_gene(-1)
    assert session.gene == genes[4]


def test_a_gene_that_was_not_predicted_is_said(look: LookPanel, session: Session) -> None:
    shown = session.gene
    session.show_gene("GENE39")
    assert "GENE39 was not predicted" in look.note.text()
    assert look.bar.legend.gene == shown  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", ["measured", "difference", "spread"])
def test_every_mode_reaches_the_layer(look: LookPanel, mode: str) -> None:
    choose_mode(look, mode)
    about = look.maps.canvas.layer(SPOTS_KEY).metadata["c2lst"]
    assert about["what"] == look.bar.legend.what  # type: ignore[union-attr]


def test_a_split_map_follows_its_divider(look: LookPanel, session: Session) -> None:
    choose_mode(look, "split")
    assert look.choices.divider.isVisible()
    look.choices.divider.setValue(0)
    values = look.maps.canvas.layer(SPOTS_KEY).features["value"].to_numpy()
    np.testing.assert_allclose(values, look.ready.values.predicted.column(session.gene), atol=5e-4)  # type: ignore[union-attr]
    look.choices.divider.setValue(1000)
    values = look.maps.canvas.layer(SPOTS_KEY).features["value"].to_numpy()
    np.testing.assert_allclose(values, look.ready.values.measured_here(session.gene), atol=5e-4)  # type: ignore[union-attr]
    choose_mode(look, "predicted")
    assert not look.choices.divider.isVisible()


def test_side_by_side(look: LookPanel, viewer: ViewerModel) -> None:
    choose_mode(look, "beside")
    assert viewer.grid.enabled
    assert look.maps.canvas.layer(LEFT_KEY) is not None
    choose_mode(look, "predicted")
    assert not viewer.grid.enabled


def test_a_mode_that_cannot_be_is_off_and_says_why(qtbot: Any, look: LookPanel) -> None:
    choose_mode(look, "spread")
    with qtbot.waitSignal(look._work.busy, check_params_cb=lambda busy: not busy, timeout=20_000):
        look.choices.predictions.setCurrentIndex(1)  # real, without spread
    item = look.choices.modes.model().item(look.choices.modes.findData("spread"))
    assert not item.isEnabled()
    assert "“Average over flips” on" in item.toolTip()
    assert look.choices.mode == "predicted"


def test_a_grid_is_an_image(qtbot: Any, look: LookPanel) -> None:
    look.choices.predictions.setCurrentIndex(2)
    qtbot.waitUntil(lambda: look.maps.canvas.layer(IMAGE_KEY) is not None, timeout=20_000)
    assert look.choices.form == "squares"
    assert look.maps.canvas.layer(SPOTS_KEY) is None


def test_the_map_can_be_taken_away(look: LookPanel) -> None:
    look.choices.shown.setChecked(False)
    assert look.maps.canvas.layer(SPOTS_KEY) is None
    assert look.maps.canvas.layer("spots").visible
    look.choices.shown.setChecked(True)
    assert look.maps.canvas.layer(SPOTS_KEY) is not None


def test_a_panel_that_nobody_sees_covers_no_spots(
    qtbot: Any, viewer: ViewerModel, session: Session, slide: Slide
) -> None:
    panel = LookPanel(viewer)
    qtbot.addWidget(panel)
    session.open(slide)
    assert not panel._work.awaited
    panel.show()
    qtbot.waitUntil(lambda: panel.ready is not None, timeout=20_000)


def test_a_clicked_spot_is_shown(qtbot: Any, look: LookPanel, session: Session, slide: Slide) -> None:
    session.spot_clicked.emit(4)
    facts = look.inspector.facts
    assert facts is not None
    assert facts.name == str(slide.require_spots().ids[4])
    assert "held out" in look.inspector.words.text()
    qtbot.waitUntil(look.inspector.patch.isVisible, timeout=20_000)
    session.spot_clicked.emit(-1)
    assert look.inspector.facts is None
    assert "no spot here" in look.inspector.words.text()


def test_a_gene_clicked_at_a_spot_is_mapped(qtbot: Any, look: LookPanel, session: Session) -> None:
    session.spot_clicked.emit(4)
    bars = look.inspector.bars
    gene = bars.facts.genes[1]  # type: ignore[union-attr]
    bars.gene_clicked.emit(gene)
    assert session.gene == gene
    assert bars.shown_gene == gene


def test_new_results_keep_the_choice(qtbot: Any, look: LookPanel, session: Session) -> None:
    look.choices.predictions.setCurrentIndex(1)
    session.results_changed.emit()
    assert look.choices.prediction.written.name == "real"  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: look.ready is not None, timeout=20_000)


def predict_again(session: Session, results: Path, name: str = "second") -> None:
    """As the desk does when the task `predict` has ended."""
    write_predictions(open_slide(results), name)
    session.note_predicted(name)
    session.refresh(open_slide(results))


@pytest.fixture
def mine(qtbot: Any, panel: LookPanel, session: Session, results: Path) -> LookPanel:
    """With a slide that a test may predict on; `both` is shown."""
    session.open(open_slide(results))
    qtbot.waitUntil(lambda: panel.ready is not None, timeout=20_000)
    return panel


def test_who_predicted_elsewhere_finds_the_new_map(
    qtbot: Any, mine: LookPanel, session: Session, results: Path
) -> None:
    assert session.looked_at == {"both"}
    mine.hide()  # the step Predict is looked at
    predict_again(session, results)
    assert mine.choices.prediction.written.name == "second"  # type: ignore[union-attr]
    assert session.unseen == {"second"}
    mine.show()
    qtbot.waitUntil(lambda: mine.ready is not None, timeout=20_000)
    assert "“second”" in mine.words.text()
    assert (session.unseen, mine.newer.isVisible()) == (set(), False)


def test_a_map_that_is_looked_at_stays_and_the_new_one_is_a_click_away(
    qtbot: Any, mine: LookPanel, session: Session, results: Path
) -> None:
    assert not mine.newer.isVisible()
    predict_again(session, results)
    assert mine.choices.prediction.written.name == "both"  # type: ignore[union-attr]
    assert mine.newer.isVisible()
    assert mine.newer.message == "new predictions: second – all 63 spots"
    qtbot.mouseClick(mine.newer.action, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: mine.ready is not None and session.unseen == set(), timeout=20_000)
    assert mine.choices.prediction.written.name == "second"  # type: ignore[union-attr]
    assert not mine.newer.isVisible()
    session.close()
    assert not mine.newer.isVisible()


def test_the_same_name_predicted_again_is_shown_without_a_click(
    qtbot: Any, mine: LookPanel, session: Session, results: Path
) -> None:
    session.note_predicted("both")
    session.refresh(open_slide(results))
    qtbot.waitUntil(lambda: mine.ready is not None, timeout=20_000)
    assert (session.unseen, mine.newer.isVisible()) == (set(), False)


def test_closing_the_slide_takes_the_map_away(look: LookPanel, session: Session) -> None:
    session.close()
    assert look.words.text() == NO_SLIDE
    assert look.maps.canvas.layer(SPOTS_KEY) is None


def test_it_fits_a_dock_and_uses_a_wide_window(look: LookPanel) -> None:
    assert look.minimumSizeHint().width() <= 380
    look.resize(WIDE_PX + 100, 600)
    assert look._columns.direction() == look._columns.Direction.LeftToRight
    look.resize(380, 600)
    assert look._columns.direction() == look._columns.Direction.TopToBottom


def test_it_is_reachable_by_keyboard(look: LookPanel) -> None:
    for widget in (look.choices.predictions, look.choices.genes, look.choices.modes, look.choices.forms):
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert widget.toolTip()


def test_a_destroyed_panel_hears_nothing(qtbot: Any, viewer: ViewerModel, session: Session) -> None:
    heard = len(session.gene_changed)
    panel = LookPanel(viewer)
    assert len(session.gene_changed) == heard + 1
    with qtbot.waitSignal(panel.destroyed):
        panel.deleteLater()
    assert len(session.gene_changed) == heard
    session.show_gene("GENE00")


# -- in the wrong order


class Slow:
    """A `prepare` that answers when it is told to, with what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.refuse = False
        self.go = Event()
        monkeypatch.setattr(panel_module, "prepare", self)

    def __call__(self, slide: Slide, prediction: Prediction, form: Form, known: Any = None) -> Prepared:
        self.asked.append(prediction.written.name)
        self.go.wait(20)
        if self.refuse:
            raise InputError("the predictions are gone", "predict again")
        return prepare(slide, prediction, form, known)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    slow = Slow(monkeypatch)
    yield slow
    slow.go.set()


def done(panel: LookPanel) -> bool:
    return not panel._work._workers


def test_a_map_of_a_slide_that_was_closed_meanwhile_is_never_drawn(
    qtbot: Any, panel: LookPanel, session: Session, slide: Slide, slow: Slow
) -> None:
    session.open(slide)
    panel.hide()  # another step is looked at
    session.close()
    slow.go.set()
    qtbot.waitUntil(lambda: done(panel), timeout=20_000)
    assert panel.ready is None
    assert panel.maps.canvas.layer(SPOTS_KEY) is None


def test_a_slide_that_is_opened_is_read_once(
    qtbot: Any, panel: LookPanel, session: Session, slide: Slide, slow: Slow
) -> None:
    slow.go.set()
    session.open(slide)
    qtbot.waitUntil(lambda: panel.ready is not None and done(panel), timeout=20_000)
    assert slow.asked == ["both"]


def test_a_gene_chosen_while_the_map_is_read_is_the_one_that_is_drawn(
    qtbot: Any, panel: LookPanel, session: Session, slide: Slide, slow: Slow
) -> None:
    session.open(slide)
    gene = panel.choices.prediction.genes[7]  # type: ignore[union-attr]
    session.show_gene(gene)
    assert panel.bar.legend is None
    slow.go.set()
    qtbot.waitUntil(lambda: panel.ready is not None, timeout=20_000)
    assert panel.bar.legend is not None
    assert panel.bar.legend.gene == panel.choices.genes.currentText() == gene


def test_a_prediction_that_cannot_be_read_leaves_no_map_of_another(
    qtbot: Any, look: LookPanel, session: Session, slow: Slow
) -> None:
    told: list[tuple[str, ...]] = []
    session.told.connect(lambda *words: told.append(words))
    slow.refuse = True
    slow.go.set()
    look.choices.predictions.setCurrentIndex(1)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert told == [("error", "the predictions are gone", "predict again")]
    assert look.words.text() == "The predictions are gone. Predict again."
    assert look.maps.canvas.layer(SPOTS_KEY) is None
    assert look.maps.canvas.layer("spots").visible
    assert not look.bar.isVisible()
    session.show_gene(look.choices.prediction.genes[3])  # type: ignore[union-attr]
    assert look.maps.canvas.layer(SPOTS_KEY) is None
    slow.refuse = False
    look.choices.predictions.setCurrentIndex(0)
    qtbot.waitUntil(lambda: look.ready is not None, timeout=20_000)
    assert look.bar.isVisible()


def test_a_panel_closed_while_it_reads_is_left_alone(
    qtbot: Any, viewer: ViewerModel, session: Session, slide: Slide, slow: Slow
) -> None:
    panel = LookPanel(viewer)
    panel.show()
    session.open(slide)
    work = panel._work
    assert work.awaited
    with qtbot.waitSignal(panel.destroyed):
        panel.deleteLater()
    slow.go.set()
    qtbot.waitUntil(lambda: not work._workers, timeout=20_000)
    assert shared_of(viewer).canvas.layer(SPOTS_KEY) is None


def test_damaged_tables_are_told_once_however_often_results_change(
    qtbot: Any, panel: LookPanel, session: Session, slide: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel_module, "list_predictions", lambda slide: ([], ["'x': it is damaged; predict again"]))
    told: list[str] = []
    session.told.connect(lambda level, message, hint: told.append(f"{level}: {message}"))
    session.open(slide)
    session.results_changed.emit()
    assert told == ["warning: predictions cannot be shown: 'x': it is damaged; predict again"]
    session.open(slide)
    assert len(told) == 2  # opened anew: said anew


def test_a_spot_that_the_slide_does_not_have_is_ignored(look: LookPanel, session: Session) -> None:
    session.spot_clicked.emit(4)
    for spot in (63, 10_000, -2):
        session.spot_clicked.emit(spot)
    assert look.inspector.spot == 4


def test_a_click_before_a_slide_is_open_is_ignored(panel: LookPanel, session: Session) -> None:
    session.spot_clicked.emit(0)
    session.show_gene("ACTB")
    assert panel.inspector.spot == -1
    assert panel.words.text() == NO_SLIDE


def test_closing_the_slide_forgets_its_spot(look: LookPanel, session: Session) -> None:
    session.spot_clicked.emit(4)
    session.close()
    assert look.inspector.spot == -1
    assert look.inspector.facts is None
    assert not look.bar.isVisible()
    assert not look.choices.isEnabled()


def test_a_layer_that_the_user_deleted_comes_with_the_next_gene(
    look: LookPanel, viewer: ViewerModel, session: Session
) -> None:
    viewer.layers.remove(look.maps.canvas.layer(SPOTS_KEY))
    look.choices.step_gene(1)
    assert look.maps.canvas.layer(SPOTS_KEY).metadata["c2lst"]["gene"] == session.gene


def test_all_layers_deleted_by_hand_break_nothing(look: LookPanel, viewer: ViewerModel) -> None:
    viewer.layers.clear()
    choose_mode(look, "beside")
    choose_mode(look, "split")
    look.choices.shown.setChecked(False)
    assert look.maps.canvas.layer(SPOTS_KEY) is None


def test_a_gene_that_was_not_predicted_leaves_the_box_empty_and_comes_back(look: LookPanel, session: Session) -> None:
    shown = look.bar.legend.gene  # type: ignore[union-attr]
    session.show_gene("GENE39")
    assert look.choices.genes.currentText() == ""
    session.show_gene(shown)
    assert look.choices.genes.currentText() == shown
    assert "was not predicted" not in look.note.text()


def test_a_map_that_is_off_stays_off_when_genes_change(look: LookPanel) -> None:
    look.choices.shown.setChecked(False)
    look.choices.step_gene(1)
    choose_mode(look, "difference")
    assert look.maps.canvas.layer(SPOTS_KEY) is None
    assert look.maps.canvas.layer("spots").visible
