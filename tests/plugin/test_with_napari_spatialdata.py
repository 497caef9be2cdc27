"""Beside napari-spatialdata: its readers, docks and widgets at work in one window with ours, the package itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils import notifications
from qtpy.QtCore import QItemSelectionModel, QTimer
from qtpy.QtWidgets import QApplication

from napari_c2lst.plugin.keeping.panel import KeepPanel
from napari_c2lst.plugin.neighbour.docks import neighbour_of
from napari_c2lst.plugin.opening.panel import OpenPanel
from napari_c2lst.plugin.shared import forget, shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path

pytest.importorskip("napari_spatialdata")

GENE = "ERBB2"


class Both:
    """A window with our panels and a slide, and all errors that napari heard of."""

    def __init__(self, viewer: Any, qtbot: Any) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        self.shared = shared_of(viewer)
        self.session, self.canvas = self.shared.session, self.shared.canvas
        self.panel, self.keep = OpenPanel(viewer), KeepPanel(viewer)
        viewer.window.add_dock_widget(self.panel, name="Open", area="right")
        qtbot.addWidget(self.keep)
        self.warned: list[str] = []
        notifications.notification_manager.notification_ready.connect(self._on_notice)
        self.told: list[tuple[str, str, str]] = []
        self.session.told.connect(lambda *said: self.told.append(said))

    def _on_notice(self, notice: Any) -> None:
        if str(notice.severity) in ("warning", "error"):
            self.warned.append(notice.message)

    def close(self) -> None:
        notifications.notification_manager.notification_ready.disconnect(self._on_notice)
        forget(self.viewer)
        for widget in list(self.docks.values()):
            self.viewer.window.remove_dock_widget(widget)

    def open(self, path: Path) -> None:
        self.panel.opener.open(path)
        self.qtbot.waitUntil(lambda: self.session.slide is not None, timeout=60_000)
        self.qtbot.waitUntil(lambda: not self.canvas.colouring.reading, timeout=60_000)

    def show_there(self) -> None:
        """Press our button and wait for its docks."""
        self.panel.neighbour.button.click()
        neighbour = neighbour_of(self.shared)
        self.qtbot.waitUntil(lambda: not neighbour.busy and "SpatialData" in self.docks, timeout=120_000)

    @property
    def docks(self) -> Any:
        return self.viewer.window.dock_widgets

    @property
    def spots(self) -> Any:
        return self.canvas.layer("spots")

    def choose(self, layer: Any) -> None:
        self.viewer.layers.selection.active = layer
        QApplication.processEvents()

    def choose_quietly(self, layer: Any) -> None:
        self.canvas.stack.select(layer)

    def click(self, layer: Any) -> None:
        """Choose a layer as a click in napari's list does, which takes one for the other in one go."""
        view = self.viewer.window._qt_viewer.layers
        row = len(self.viewer.layers) - 1 - self.viewer.layers.index(layer)  # the topmost is the first
        index = view.model().index(row, 0)
        view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        QApplication.processEvents()

    def add(self, name: str) -> Any:
        """Add an element with its dock, as a double click does."""
        before = set(self.viewer.layers)
        dock = self.docks["SpatialData"]
        dock._onClick(name)
        self.qtbot.waitUntil(lambda: len(self.viewer.layers) > len(before), timeout=60_000)
        self.qtbot.waitUntil(lambda: not dock.worker_thread.isRunning(), timeout=60_000)
        return next(layer for layer in self.viewer.layers if layer not in before)

    def places(self) -> list[tuple[Any, ...]]:
        """Where our layers lie, how large they are and whether they are seen."""
        return [
            (key, layer.visible, layer.extent.world.tolist(), np.ravel(getattr(layer, "size", 0)).tolist())
            for key, layer in self.canvas.stack.ours()
        ]

    def counts(self, gene: str = GENE) -> np.ndarray:
        slide = self.session.slide
        return slide.counts()[:, slide.genes.index(gene)].toarray().ravel()


@pytest.fixture
def b4() -> Path:
    return sample_slide_path()


@pytest.fixture
def both(make_napari_viewer: Callable[..., Any], qtbot: Any) -> Iterator[Both]:
    viewer = make_napari_viewer(show=True)
    made = Both(viewer, qtbot)
    yield made
    made.close()


def test_both_read_stores_and_we_say_how_to_end_the_question(shared: Path, both: Both, monkeypatch: Any) -> None:
    from napari.plugins._npe2 import get_readers
    from napari.settings import NapariSettings

    settings = NapariSettings(None)
    settings.plugins.extension2reader = {}
    monkeypatch.setattr("napari.settings.get_settings", lambda: settings)
    store = shared / "layouts" / "spatialdata_zarr_v2" / "blobs.zarr"
    assert {"napari-c2lst", "napari-spatialdata"} <= set(get_readers(str(store)))
    both.panel.reader.look()
    assert both.panel.reader.isVisible()
    assert "napari spatialdata" in both.panel.reader.words.text()
    both.panel.reader.button.click()
    assert "napari-c2lst" in settings.plugins.extension2reader.values()
    assert not both.panel.reader.button.isVisible()


def test_opening_never_asks(both: Both, b4: Path, monkeypatch: Any) -> None:
    def asked(*_args: Any, **_more: Any) -> None:
        raise AssertionError("napari asks for a reader")

    monkeypatch.setattr("napari._qt.dialogs.qt_reader_dialog.handle_gui_reading", asked)
    both.open(b4)
    assert both.canvas.keys() == ["image", "spots"]
    both.viewer.open_sample("napari-c2lst", "her2st-b4")
    assert "sdata" not in both.spots.metadata  # it is ours


def test_its_view_colours_our_spots_by_genes_and_columns(both: Both, b4: Path) -> None:
    both.open(b4)
    both.show_there()
    view = both.docks["View (napari-spatialdata)"]
    both.choose(both.spots)
    genes = [view.var_widget.item(i).text() for i in range(view.var_widget.count())]
    assert genes == both.session.slide.genes
    view.var_widget.itemDoubleClicked.emit(view.var_widget.item(genes.index(GENE)))
    counts = both.counts()
    assert both.spots.features[GENE].tolist() == counts.tolist()
    colours = both.spots.face_color
    most, least = int(counts.argmax()), int(counts.argmin())
    assert np.allclose(colours[most], (0.993248, 0.906157, 0.143936, 1), atol=1e-3)  # the ends of viridis
    assert np.allclose(colours[least], (0.267004, 0.004874, 0.329415, 1), atol=1e-3)
    view.obs_widget._onAction(("array_row",))
    assert both.spots.features["array_row"].tolist() == both.spots.metadata["adata"].obs["array_row"].tolist()
    both.session.show_gene("ACTB")  # ours again
    assert str(both.spots.face_color_mode) == "colormap"
    assert np.allclose(both.spots.features["value"], np.log1p(both.counts("ACTB")))


def test_its_view_finds_the_spots_of_visium_by_their_numbers(both: Both, shared: Path) -> None:
    both.open(shared / "layouts" / "visium_v1_scanpy")
    both.show_there()
    both.choose(both.spots)
    gene = both.session.slide.genes[int(both.session.slide.counts().sum(axis=0).argmax())]
    both.docks["View (napari-spatialdata)"].var_widget._onAction((gene,))
    counts = both.counts(gene)
    colours = both.spots.face_color
    assert np.allclose(colours[int(counts.argmax())], (0.993248, 0.906157, 0.143936, 1), atol=1e-3)
    assert len(np.unique(colours, axis=0)) == len(np.unique(counts))


def test_its_scatter_plots_our_spots(both: Both, b4: Path) -> None:
    both.open(b4)
    both.show_there()
    both.choose(both.spots)
    _, scatter = both.viewer.window.add_plugin_dock_widget("napari-spatialdata", "Scatter")
    scatter.parent().setFloating(True)  # it needs room to plot on
    scatter.parent().resize(800, 800)
    both.qtbot.waitUntil(lambda: scatter.plot_widget.height() > 100)
    for axis, gene in ((scatter.x_widget, GENE), (scatter.y_widget, "ACTB")):
        axis.selection_widget.setCurrentText("var")
        axis.widget._onAction((gene,))
    scatter.plot_button_widget.click()
    assert scatter.x_widget.widget.data["vec"].tolist() == both.counts().tolist()
    assert scatter.y_widget.widget.data["vec"].tolist() == both.counts("ACTB").tolist()
    drawn = scatter.plot_widget.scatter.getData()
    assert np.allclose(drawn[0], both.counts())
    for layer in (both.canvas.layer("image"), both.viewer.layers["annotations"], both.spots):
        both.click(layer)  # it fails at layers without a table
        assert both.viewer.layers.selection.active is layer
    assert scatter.x_widget.widget.count() == len(both.session.slide.genes)
    for axis in (scatter.x_widget, scatter.y_widget):
        axis.selection_widget.setCurrentText("obs")  # it fails as well when no layer at all is chosen, as at the end


def test_another_slide_opens_while_its_scatter_plots_this_one(both: Both, b4: Path, shared: Path) -> None:
    both.open(b4)
    both.show_there()
    both.choose(both.spots)
    _, scatter = both.viewer.window.add_plugin_dock_widget("napari-spatialdata", "Scatter")
    scatter.x_widget.selection_widget.setCurrentText("var")
    with pytest.raises(AttributeError):  # it fails when no layer is chosen; the day it does not, this test can go
        both.viewer.layers.selection.active = None
    both.choose_quietly(both.spots)
    both.session.open(open_slide(shared / "layouts" / "visium_v1_scanpy"))
    both.qtbot.waitUntil(lambda: not both.canvas.colouring.reading, timeout=60_000)
    assert both.canvas.keys() == ["image", "spots"]
    assert both.viewer.layers.selection.active is both.spots
    assert both.session.gene
    scatter.x_widget.selection_widget.setCurrentText("obs")


def test_our_layers_stay_where_they_are_whatever_is_chosen_in_its_dock(both: Both, shared: Path, b4: Path) -> None:
    both.open(b4)
    places = both.places()
    both.viewer.open(str(shared / "layouts" / "spatialdata_zarr_v2" / "blobs.zarr"), plugin="napari-spatialdata")
    dock = both.docks["SpatialData"]
    systems = dock.coordinate_system_widget
    assert systems.count() > 1
    for row in range(systems.count()):
        systems.setCurrentRow(row)
        both.add(dock.elements_widget.item(0).text())
    for row in range(systems.count()):
        systems.setCurrentRow(row)
        assert both.places() == places
    spots = both.spots
    both.viewer.layers.remove(spots)
    both.viewer.layers.append(spots)
    both.viewer.layers.remove(spots)
    both.canvas.colouring.repaint()  # made again, as a layer that its dock has seen come
    both.viewer.layers.remove(both.spots)
    both.canvas.colouring.repaint()
    assert sorted(both.places()) == sorted(places)


def test_our_button_lays_its_layers_on_ours(both: Both, b4: Path) -> None:
    both.open(b4)
    places, active = both.places(), both.viewer.layers.selection.active
    both.show_there()
    assert both.places() == places
    assert both.viewer.layers.selection.active is active
    theirs = both.add("spots")
    ours = both.spots
    assert np.allclose(theirs._transforms[1:].simplified(theirs.data), ours._transforms[1:].simplified(ours.data))
    assert np.allclose(theirs.size, np.ravel(ours.size) * ours.scale[0])
    assert str(theirs.units[0]) == "micrometer"
    assert both.viewer.layers.units is not None  # one unit: the scale bar stays in microns
    assert not both.warned
    image = both.add("image")
    assert np.allclose(image.extent.world, both.canvas.layer("image").extent.world)
    both.viewer.layers.remove(theirs)
    both.viewer.layers.remove(image)
    assert both.places() == places


def test_what_is_annotated_and_saved_there_lies_right_in_the_slide(
    both: Both, b4: Path, tmp_path: Path, qtbot: Any
) -> None:
    store = Path(shutil.copytree(b4, tmp_path / "B4.zarr"))
    both.open(store)
    both.show_there()
    layer = both.viewer.layers["annotations"]
    both.choose(layer)
    annotation = both.docks["Annotation (napari-spatialdata)"]
    assert annotation.annotation_widget.add_button.isEnabled()  # it takes the layer for linked
    annotation.annotation_widget.add_button.click()
    annotation.annotation_widget.tree_view.button_group.buttons()[1].click()
    layer.add_polygons(np.array([[300, 500], [300, 900], [700, 900.0]]))  # (y, x) of napari's pixels
    _save_in_its_dialog(annotation, "tumour")
    assert "tumour: 1 shape with classes" in both.keep.drawn.state.text()
    assert any("memory only" in message for _, message, _ in both.told)
    both.keep.drawn.button.click()
    qtbot.waitUntil(lambda: any("saved into" in message for _, message, _ in both.told), timeout=60_000)
    assert not both.keep.drawn.isVisibleTo(both.keep)
    stored = open_slide(store)
    polygon = stored.sdata.shapes["c2lst_drawn_tumour"].geometry.iloc[0]
    # (x, y) in pixels, whose corner is (0, 0)
    assert np.allclose(polygon.exterior.coords[:3], [[500.5, 300.5], [900.5, 300.5], [900.5, 700.5]])
    assert stored.sdata.tables["c2lst_drawn_tumour_table"].obs["class"].tolist() == ["Class_1"]
    both.viewer.layers.remove(layer)


def _save_in_its_dialog(annotation: Any, name: str) -> None:
    def fill() -> None:
        dialog = QApplication.activeModalWidget()
        dialog.spatial_element_line_edit.setText(name)
        dialog.table_line_edit.setText(f"{name}_classes")
        dialog.save_clicked()

    QTimer.singleShot(200, fill)
    annotation.annotation_widget.save_button.click()


def test_nothing_that_is_done_there_reaches_the_slide(both: Both, b4: Path) -> None:
    both.open(b4)
    both.show_there()
    slide, lent = both.session.slide, neighbour_of(both.shared).lent
    lent.sdata.tables["table"].obs["theirs"] = 1
    both.spots.metadata["adata"].obs["theirs"] = 1
    assert "theirs" not in slide.sdata.tables["table"].obs
    assert slide.sdata.coordinate_systems == [slide.coordinate_system]


def test_its_docks_load_no_torch() -> None:
    code = (
        "import sys, napari_spatialdata, napari_spatialdata._view\n"
        "import napari_c2lst.plugin.neighbour.docks, napari_c2lst.plugin.neighbour.keep_box\n"
        "print(sorted({'torch', 'torchvision', 'timm'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
