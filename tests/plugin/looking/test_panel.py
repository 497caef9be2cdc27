"""The panel "Look", from an empty viewer to one spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from tests.plugin.results import predicted_of

from napari_c2lst.plugin.looking.map_layers import IMAGE_KEY, LEFT_KEY, SPOTS_KEY
from napari_c2lst.plugin.looking.panel import NO_PREDICTION, NO_SLIDE, WIDE_PX, LookPanel
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
    assert "tta" in item.toolTip()
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
