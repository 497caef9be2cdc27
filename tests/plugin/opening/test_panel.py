"""The panel in a real window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.plugin.opening.panel import OpenPanel
from napari_c2lst.plugin.shared import forget, shared_of


@pytest.fixture
def panel(make_napari_viewer: Callable[..., Any]) -> Iterator[OpenPanel]:
    viewer = make_napari_viewer(show=True)
    made = OpenPanel(viewer)
    viewer.window.add_dock_widget(made, name="Open")
    yield made
    forget(viewer)


def opened(panel: OpenPanel, path: Path, qtbot: Any) -> None:
    panel.path.chosen.emit(str(path))
    qtbot.waitUntil(lambda: panel.opener.path is None, timeout=60_000)
    qtbot.waitUntil(lambda: not panel.canvas.colouring.reading, timeout=60_000)


def test_a_slide_from_path_to_colours(panel: OpenPanel, shared: Path, qtbot: Any) -> None:
    assert not panel.slide.isVisible()
    panel.path.chosen.emit(str(shared / "her2st" / "B4"))
    assert panel.busy.isVisible()
    assert "B4" in panel.busy.text.text()
    opened(panel, shared / "her2st" / "B4", qtbot)
    assert not panel.busy.isVisible()
    assert panel.slide.title() == "B4"
    assert "15,289 genes" in panel.about.text()
    assert panel.colours.gene.text() == panel.session.gene == "SCGB2A2"
    panel.colours.gene.gene_chosen.emit("ERBB2")
    assert panel.canvas.layer("spots").metadata["c2lst"]["shows"] == "ERBB2"


def test_controls_and_layer_say_the_same(panel: OpenPanel, shared: Path, qtbot: Any) -> None:
    opened(panel, shared / "her2st" / "B4", qtbot)
    colours, layer = panel.colours, panel.canvas.layer("spots")
    colours.colormap.setCurrentText("magma")
    colours.opacity.setValue(40)
    colours.contrast.setValue((1.0, 3.0))
    assert (layer.face_colormap.name, layer.opacity) == ("magma", 0.4)
    assert layer.face_contrast_limits == pytest.approx((1.0, 3.0))
    assert colours.ends.text().startswith("1.00 to 3.00")


def test_an_error_stands_in_the_panel_and_leaves_it_usable(
    panel: OpenPanel, shared: Path, tmp_path: Path, qtbot: Any
) -> None:
    opened(panel, tmp_path / "gone.zarr", qtbot)
    assert panel.message.isVisible()
    assert "gone.zarr" in panel.message.message
    assert panel.message.hint == "check the path"
    opened(panel, shared / "hne-wsi" / "CMU-1-Small-Region.svs", qtbot)
    assert not panel.message.isVisible()
    assert panel.slide.isVisible()
    assert not panel.spots.isVisible()  # an image alone


def test_corrected_microns_move_the_scale(panel: OpenPanel, shared: Path, qtbot: Any) -> None:
    opened(panel, shared / "her2st" / "B4", qtbot)
    panel.otherwise.mpp.setValue(0.5)
    panel.otherwise.mpp.editingFinished.emit()
    qtbot.waitUntil(lambda: panel.session.opening == {"mpp": 0.5}, timeout=60_000)
    assert panel.canvas.layer("image").scale[0] == 0.5
    assert panel.canvas.layer("spots").scale[0] == 0.5
    assert panel.otherwise.back.isVisible()
    qtbot.waitUntil(lambda: not panel.canvas.colouring.reading, timeout=60_000)


def test_a_panel_that_comes_late_shows_what_is_open(panel: OpenPanel, shared: Path, qtbot: Any) -> None:
    opened(panel, shared / "her2st" / "B4", qtbot)
    late = OpenPanel(panel.canvas.viewer)
    qtbot.addWidget(late)
    assert late.slide.title() == "B4"
    assert late.colours.gene.text() == panel.session.gene
    assert len(late.colours.gene.index) == 15_289


def test_a_panel_that_is_gone_hears_nothing(panel: OpenPanel, qtbot: Any) -> None:
    signals = (panel.session.slide_changed, panel.session.told, panel.opener.begun, panel.canvas.colouring.changed)
    before = [len(signal) for signal in signals]
    for _ in range(3):
        late = OpenPanel(panel.canvas.viewer)
        with qtbot.waitSignal(late.destroyed):
            late.deleteLater()
    assert [len(signal) for signal in signals] == before


def test_it_is_used_by_keyboard_and_fits_a_dock(panel: OpenPanel, shared: Path, qtbot: Any) -> None:
    opened(panel, shared / "layouts" / "visium_hd_seurat", qtbot)
    assert panel.minimumSizeHint().width() <= 380
    for widget in (panel.path.line, panel.path.browse, panel.colours.gene, panel.otherwise.mpp):
        assert widget.toolTip()
        assert widget.focusPolicy() != 0


def test_an_open_slide_through_the_command(panel: OpenPanel, shared: Path, qtbot: Any, monkeypatch: Any) -> None:
    from napari_c2lst.plugin.opening import command

    answers = iter(["", str(shared / "her2st" / "B4")])
    monkeypatch.setattr(command.SlideDialog, "ask", classmethod(lambda _cls, *_a: next(answers)))
    monkeypatch.setattr("napari.utils.history.update_open_history", lambda _path: None)
    command.open_slide_dialog()
    assert panel.opener.path is None
    command.open_slide_dialog()
    qtbot.waitUntil(lambda: panel.session.slide is not None, timeout=60_000)
    assert shared_of(panel.canvas.viewer).session is panel.session
    qtbot.waitUntil(lambda: not panel.canvas.colouring.reading, timeout=60_000)
