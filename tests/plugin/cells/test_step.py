"""The step "Find": weights, their terms, and a job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_c2lst.cells.facts import EMBEDDED, PANNUKE
from napari_c2lst.plugin.cells.shown import shown_cells
from napari_c2lst.plugin.cells.step import CellsPanel
from napari_c2lst.plugin.shared import Shared
from napari_c2lst.slides.opening import open_slide

ACTING = Path(__file__).parents[1] / "jobs" / "acting_child.py"


@pytest.fixture
def panel(
    qtbot: Any, viewer: Any, shared_viewer: Shared, cells_store: Path, monkeypatch: pytest.MonkeyPatch
) -> CellsPanel:
    monkeypatch.setenv("ACTING_FOLDER", str(cells_store.parent))
    shared_viewer.jobs.command = [sys.executable, str(ACTING), "finishes"]
    shared_viewer.session.open(open_slide(cells_store))
    panel = CellsPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_the_weights_of_the_package_are_chosen_and_their_terms_are_said(panel: CellsPanel) -> None:
    assert panel.form.values()["weights"] == EMBEDDED
    assert "research use" in panel.note.text()
    assert panel.note.isVisible()


def test_terms_have_to_be_read_once(panel: CellsPanel, shared_viewer: Shared) -> None:
    panel.run()
    assert shared_viewer.jobs.jobs == []
    assert "research use" in panel.ui.message.message
    assert panel.ui.message.level == "warning"
    panel.run()
    assert panel._active()


def test_public_weights_ask_for_download_and_licence(panel: CellsPanel) -> None:
    shown = panel.form.field
    assert not shown("accept_licence").native.isVisible()
    panel.form.set_values({"weights": PANNUKE})
    assert shown("accept_licence").native.isVisible()
    assert shown("allow_download").native.isVisible()
    assert "CC BY-NC-SA" in panel.note.text()
    panel.form.field("accept_licence").set(True)
    assert panel.settings()["accept_licence"] is True


def test_a_file_of_weights_is_looked_for_and_stays_offered(
    panel: CellsPanel, monkeypatch: pytest.MonkeyPatch, shared_viewer: Shared
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/there/hovernet.tar", ""))
    field = panel.form.field("weights")
    labels = [field.native.itemText(i) for i in range(field.native.count())]
    assert labels[-1] == "A file…"
    field.native.setCurrentIndex(len(labels) - 1)
    field.native.activated.emit(len(labels) - 1)
    assert field.get() == "/there/hovernet.tar"
    shared_viewer.session.results_changed.emit()
    assert field.get() == "/there/hovernet.tar"
    assert panel.settings()["weights"] == "/there/hovernet.tar"
    assert panel.form.field("type_info").info.name == "type_info"


def test_own_trainings_are_offered(panel: CellsPanel, shared_viewer: Shared) -> None:
    import json

    import tomli_w

    folder = shared_viewer.session.runs_folder
    assert folder is not None
    run = folder / "mine"
    run.mkdir(parents=True)
    (run / "config.toml").write_text(tomli_w.dumps({"version": 1, "kind": "train-cells", "settings": {}}))
    (run / "result.json").write_text(json.dumps({"run": str(run)}))
    panel.renew()
    field = panel.form.field("weights")
    assert "Own: mine" in [field.native.itemText(i) for i in range(field.native.count())]
    field.set(run)
    assert panel.settings()["weights"] == str(run)


def test_what_was_found_is_shown(qtbot: Any, panel: CellsPanel, shared_viewer: Shared) -> None:
    class Done:
        def __init__(self) -> None:
            elements = ["c2lst_cells_narrow", "c2lst_cells_narrow_table", "c2lst_composition_narrow"]
            self.last = {"result": {"elements": elements}}

    panel.job = Done()  # type: ignore[assignment]
    panel._on_done("")
    cells = shown_cells(shared_viewer)
    qtbot.waitUntil(lambda: cells.raster is not None and not cells.reading, timeout=20_000)
    assert shared_viewer.canvas.layer("cells") is not None
    panel.job = None
