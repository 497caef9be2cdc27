"""The panel "Cells" with a slide that has some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel
from tests.plugin.cells.stores import NAMES, places, write_cells
from tests.slides.stores import make_tiny_store

from napari_c2lst.plugin.cells.chart import CompositionChart
from napari_c2lst.plugin.cells.panel import NO_CELL, NO_CELLS, NO_SLIDE, CellsViewPanel
from napari_c2lst.plugin.cells.records import SpotCells
from napari_c2lst.plugin.looking.panel import LookPanel
from napari_c2lst.plugin.shared import Shared
from napari_c2lst.slides.opening import open_slide


@pytest.fixture
def panel(qtbot: Any, viewer: Any) -> CellsViewPanel:
    panel = CellsViewPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def seen(qtbot: Any, panel: CellsViewPanel, shared_viewer: Shared, cells_store: Path) -> CellsViewPanel:
    shared_viewer.session.open(open_slide(cells_store))
    panel.shown.setChecked(True)
    qtbot.waitUntil(lambda: panel.cells.raster is not None and not panel.cells.reading, timeout=20_000)
    return panel


def choose(combo: Any, value: str) -> None:
    combo.setCurrentIndex(combo.findData(value))


def test_it_says_what_to_do_first(panel: CellsViewPanel, shared_viewer: Shared, tmp_path: Path) -> None:
    assert panel.words.text() == NO_SLIDE
    assert not panel.shown.isEnabled()
    shared_viewer.session.open(open_slide(make_tiny_store(tmp_path / "plain.zarr")))
    assert panel.words.text() == NO_CELLS
    assert not panel.spots_by.isEnabled()


def test_a_box_a_count_and_a_colour_for_each_type(seen: CellsViewPanel) -> None:
    assert [box.text() for box in seen.rows.boxes] == [*NAMES, "untyped"]
    assert seen.rows.numbers[0].text() == "192   25.0 %"
    assert all(box.isChecked() for box in seen.rows.boxes)
    assert seen.body.isVisible()
    assert "768 nuclei" in seen.words.text()
    assert "research use" in seen.words.text()


def test_boxes_hide_types(seen: CellsViewPanel) -> None:
    seen.rows.boxes[1].setChecked(False)
    assert seen.cells.visible.tolist() == [True, False, True, True, True]
    seen.none.click()
    assert not seen.cells.visible.any()
    seen.all.click()
    assert seen.cells.visible.all()


def test_colours_and_look(seen: CellsViewPanel) -> None:
    before = seen.rows.boxes[1].icon().pixmap(12, 12).toImage().pixelColor(5, 5)
    choose(seen.palette_box, "weights")
    after = seen.rows.boxes[1].icon().pixmap(12, 12).toImage().pixelColor(5, 5)
    assert before != after
    assert (after.red(), after.green(), after.blue()) == (0, 255, 0)
    choose(seen.look, "filled")
    assert seen.cells.look == "filled"


def test_the_clicked_cell_is_told(seen: CellsViewPanel, shared_viewer: Shared) -> None:
    assert seen.cell.text() == NO_CELL
    x, y = places()[100]
    shared_viewer.canvas._click((np.array([y, x]) - 0.5) * 2.5)
    assert seen.cell.text().startswith("Cell 100: miscellaneous, probability 0.57")


def test_the_clicked_spot_has_a_chart(seen: CellsViewPanel, shared_viewer: Shared) -> None:
    shared_viewer.session.spot_clicked.emit(20)
    assert seen.chart.isVisible()
    assert seen.chart.cells is not None
    shared_viewer.session.spot_clicked.emit(-1)
    assert not seen.chart.isVisible()
    assert seen.spot_words.isVisible()


def test_spots_by_composition_until_a_gene_is_chosen(seen: CellsViewPanel, shared_viewer: Shared) -> None:
    colouring = shared_viewer.canvas.colouring
    choose(seen.spots_by, NAMES[0])
    assert colouring.name == f"share of {NAMES[0]}"
    shared_viewer.session.show_gene("GENE03")
    assert colouring.name == "GENE03"
    assert seen.spots_by.currentIndex() == 0


def test_another_result_can_be_chosen(
    qtbot: Any, seen: CellsViewPanel, cells_store: Path, shared_viewer: Shared
) -> None:
    write_cells(cells_store, "wide", step=40)
    shared_viewer.session.refresh(open_slide(cells_store))
    assert [seen.which.itemText(i) for i in range(seen.which.count())] == ["wide", "narrow"]
    assert seen.which.currentText() == "narrow"
    seen.which.setCurrentIndex(0)
    seen.which.activated.emit(0)
    qtbot.waitUntil(lambda: not seen.cells.reading and seen.cells.raster is not None, timeout=20_000)
    assert "70 nuclei" in seen.words.text()


def test_it_is_narrow_enough_for_a_dock_and_reachable_by_keys(seen: CellsViewPanel) -> None:
    assert seen.minimumSizeHint().width() <= 380
    seen.resize(380, 700)
    labels = [label for label in seen.findChildren(QLabel) if label.isVisible()]
    assert all(label.width() <= 380 for label in labels)
    for widget in (seen.which, seen.look, seen.palette_box, seen.spots_by):
        assert widget.accessibleName()


def test_the_chart_in_words(qtbot: Any) -> None:
    chart = CompositionChart()
    qtbot.addWidget(chart)
    colours = ((1, 2, 3), (4, 5, 6))
    chart.show_cells(SpotCells(("a", "b"), colours, np.array([9.0, 3.0], np.float32)))
    assert chart.in_words() == "12 nuclei: a 9 (75 %), b 3 (25 %)"
    assert chart.accessibleDescription() == chart.in_words()
    chart.resize(300, chart.sizeHint().height())
    drawn = chart.grab().toImage()
    found = {drawn.pixelColor(x, 30).getRgb()[:3] for x in range(drawn.width())}
    assert (1, 2, 3) in found
    chart.show_cells(SpotCells(("a", "b"), colours, np.zeros(2, np.float32)))
    assert chart.in_words() == "No nuclei in this spot"
    chart.show_cells(None)
    assert chart.in_words() == ""


def test_the_spot_inspector_shows_the_cells(
    qtbot: Any, viewer: Any, seen: CellsViewPanel, shared_viewer: Shared
) -> None:
    look = LookPanel(viewer)
    qtbot.addWidget(look)
    look.show()
    shared_viewer.session.spot_clicked.emit(20)
    assert look.inspector.cells.isVisible()
    assert look.inspector.cells.in_words() == seen.chart.in_words()
    shared_viewer.session.spot_clicked.emit(-1)
    assert not look.inspector.cells.isVisible()


def test_in_a_real_window(make_napari_viewer: Any, qtbot: Any, cells_store: Path) -> None:
    from napari_c2lst.plugin.shared import forget, shared_of

    viewer = make_napari_viewer(show=True)
    shared = shared_of(viewer)
    panel = CellsViewPanel(viewer)
    viewer.window.add_dock_widget(panel)
    shared.session.open(open_slide(cells_store))
    panel.shown.setChecked(True)
    qtbot.waitUntil(lambda: panel.cells.raster is not None and not panel.cells.reading, timeout=20_000)
    # the middle of the view is the nucleus, as it is drawn
    raster, cell = panel.cells.raster, 400
    assert raster is not None
    shared.canvas.layer("spots").visible = False
    shared.canvas.go_to(raster.columns.yx[cell], across_um=60)
    panel.look.setCurrentIndex(1)
    qtbot.wait(300)
    picture = viewer.screenshot(flash=False)
    middle = picture[picture.shape[0] // 2, picture.shape[1] // 2, :3].astype(int)
    wanted = np.array(panel.cells.colours()[raster.columns.kind[cell]])
    assert np.abs(middle - wanted).max() < 60
    forget(viewer)
    panel.close()


def test_panels_that_are_closed_leave_nothing_behind(qtbot: Any, viewer: Any, seen: CellsViewPanel) -> None:
    signals = (seen.cells.changed, seen.cells.picked_changed, seen.cells.results_changed, seen.session.spot_clicked)
    before = [len(signal) for signal in signals]
    for _ in range(10):
        panel = CellsViewPanel(viewer)
        with qtbot.waitSignal(panel.destroyed):
            panel.close()
            panel.deleteLater()
    assert [len(signal) for signal in signals] == before


def test_the_guide_has_both_panels(qtbot: Any, viewer: Any, shared_viewer: Shared, cells_store: Path) -> None:
    from napari_c2lst.plugin.cells.step import CellsPanel
    from napari_c2lst.plugin.dock import C2LDock

    shared_viewer.session.open(open_slide(cells_store))
    dock = C2LDock(viewer)
    qtbot.addWidget(dock)
    dock.show_step("cells")
    find, look = dock.panels["cells"]
    assert isinstance(find, CellsPanel)
    assert isinstance(look, CellsViewPanel)
    assert "1 result" in dock.stand.text()
    find.done.emit("somewhere")  # what was found is to be looked at
    assert dock.stack.currentWidget().currentIndex() == 1  # type: ignore[union-attr]
    dock.shut()
