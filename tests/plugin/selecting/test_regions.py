"""Shapes by way of files, dialogs and layers: read beside the GUI's thread, written over files, at the wrong moment."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog, QWidget
from shapely.geometry import Polygon, box
from tests.plugin.selecting.waiting import WAIT_MS, Waiting

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.selecting import regions as module
from napari_c2lst.plugin.selecting.areas import MOST_OUTLINES
from napari_c2lst.plugin.selecting.choice import How, Step
from napari_c2lst.plugin.selecting.importing import Answer, RegionFile
from napari_c2lst.plugin.selecting.panel import SelectPanel
from napari_c2lst.plugin.selecting.regions import Regions, folder_of, slide_with_spots
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.geojson import Region, read_regions, write_regions
from napari_c2lst.slides.spots.spotsets import SpotSet

A, B, C = box(50, 50, 150, 150), box(250, 150, 350, 250), box(450, 250, 550, 350)  # one around each spot


class Shapes:
    """What is asked of a napari layer of shapes."""

    name = "mine"

    def __init__(self, *data: Any) -> None:
        self.data = [np.asarray(each, dtype=float) for each in data]
        self.shape_type = ["polygon"] * len(data)


class Bench(Waiting):
    """Regions over a slide of three spots, without a viewer."""

    def __init__(self, make_slide: Callable[..., Slide], folder: Path) -> None:
        super().__init__()
        self.make_slide, self.folder = make_slide, folder
        self.session.open(make_slide(path=folder / "P12.zarr"))
        self.window = QWidget()
        self.selection = SimpleNamespace(active=None)
        viewer = SimpleNamespace(layers=SimpleNamespace(selection=self.selection))
        shared: Any = SimpleNamespace(session=self.session, canvas=SimpleNamespace(viewer=viewer))
        pointing = SimpleNamespace(px_of=lambda _layer, data: data)
        hand: Any = SimpleNamespace(drawing=SimpleNamespace(pointing=pointing))
        self.regions = Regions(shared, self.choice, hand, lambda: self.how, self.window)
        self.regions.told.connect(self.hear)

    def file(self, *regions: Region) -> Path:
        path = self.folder / "q.geojson"
        write_regions(path, regions)
        return path


@pytest.fixture
def bench(qtbot: Any, make_slide: Callable[..., Slide], tmp_path: Path) -> Bench:
    made = Bench(make_slide, tmp_path)
    qtbot.addWidget(made.window)
    return made


class Gate:
    """Reads a file when the test says so, and in which thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.goes_on, self.threads = threading.Event(), list[threading.Thread]()
        self._read = module.read_file
        monkeypatch.setattr(module, "read_file", self)

    def __call__(self, path: Path, classes: tuple[str, ...] = ()) -> RegionFile:
        self.threads.append(threading.current_thread())
        assert self.goes_on.wait(20)
        return self._read(path, classes)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def answering(monkeypatch: pytest.MonkeyPatch, path: Path | str) -> None:
    for dialog in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, dialog, staticmethod(lambda *_: (str(path), "")))


def test_a_file_is_read_beside_the_guis_thread(bench: Bench, gate: Gate, qtbot: Any) -> None:
    bench.regions.take_file(bench.file(Region(A, label="Tumor"), Region(B, label="Tumor")))
    assert bench.told == [("info", "reading the shapes of 'q.geojson'…", "")]
    assert bench.spots == []
    bench.how = How.SUBTRACT  # the user goes on: what was asked for is added all the same
    gate.goes_on.set()
    assert bench.ended(qtbot) == ("success", "2 shapes (2 Tumor) of 'q.geojson': 2 spots", "")
    assert bench.spots == [0, 1]
    assert gate.threads[0] is not threading.main_thread()
    assert bench.choice.steps[0].how is How.ADD


def test_two_files_are_not_read_at_once(bench: Bench, gate: Gate, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second would take the place of the first, whose spots the user waits for."""
    path = bench.file(Region(A))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: pytest.fail("nothing was to be asked"))
    bench.regions.take_file(path)
    for act in (bench.regions.ask_file, lambda: bench.regions.take_file(path)):
        with pytest.raises(InputError, match="the shapes of another file are being read"):
            act()
    gate.goes_on.set()
    bench.ended(qtbot)
    bench.regions.take_file(bench.file(Region(B)))
    bench.ended(qtbot)
    assert bench.spots == [0, 1]


def test_what_is_read_is_not_picked_on_another_slide(bench: Bench, gate: Gate, qtbot: Any) -> None:
    bench.regions.take_file(bench.file(Region(A)))
    bench.session.open(bench.make_slide(path=bench.folder / "other.zarr"))
    bench.regions.drop()  # as the panel does
    gate.goes_on.set()
    qtbot.waitUntil(lambda: not bench.regions._reading._workers, timeout=WAIT_MS)
    assert bench.choice.steps == ()
    assert [level for level, *_ in bench.told] == ["info"]
    bench.regions.take_file(bench.file(Region(C)))  # and the next one is not kept waiting
    bench.ended(qtbot)
    assert bench.spots == [2]


def test_without_a_slide_nothing_is_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: pytest.fail("nothing was to be asked"))
    bench.session.close()
    for act in (bench.regions.ask_file, bench.regions.take_layer, lambda: bench.regions.take_file(Path("q.geojson"))):
        with pytest.raises(InputError, match="no slide is open"):
            act()
    bench.session.open(bench.make_slide(spots=None))
    with pytest.raises(InputError, match="P12"):
        bench.regions.ask_file()
    assert bench.told == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no file '"),
        ("{", "' is not GeoJSON: "),
        ('{"type": "Topology"}', "is JSON, but not GeoJSON (its type is 'Topology')"),
        ('{"type": "FeatureCollection", "features": []}', "holds no polygon"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]]}', "crosses itself at x = 4.5"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [9, 9]]]}', "has fewer than 3 corners"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9]]]}', "none of the 3 spots lies inside the 1 sh"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_the_next_action(
    bench: Bench, qtbot: Any, text: str | None, said: str
) -> None:
    path = bench.folder / "q.geojson"
    if text is not None:
        path.write_text(text)
    bench.regions.take_file(path)
    level, message, hint = bench.ended(qtbot)
    assert (level, said in message, bool(hint)) == ("error", True, True), message
    assert bench.choice.steps == ()


def test_a_class_that_is_not_there_is_told(bench: Bench, qtbot: Any) -> None:
    bench.regions.take_file(bench.file(Region(A, label="Tumor")), ("Fat",))
    level, message, hint = bench.ended(qtbot)
    assert level == "error"
    assert "no shape in" in message
    assert hint == "it has 'Tumor'"


def test_a_file_is_asked_for_and_taken(bench: Bench, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "")
    bench.regions.ask_file()
    assert bench.told == []
    answering(monkeypatch, bench.file(Region(B)))
    bench.regions.ask_file()
    assert bench.ended(qtbot)[1] == "1 shape of 'q.geojson': 1 spots"
    assert bench.spots == [1]
    assert bench.choice.said() == {
        "polygon": str(bench.folder / "q.geojson"),
        "shapes": 1,
        "classes": [],
        "system": None,
    }


def test_classes_are_asked_about_once_the_file_is_read(
    bench: Bench, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.file(Region(A, label="Tumor"), Region(B, label="Stroma"), Region(C, name="Tumor"))

    def ask(window: Any, slide: Any, file: RegionFile) -> Answer:
        assert (window, slide) == (bench.window, bench.session.slide)
        assert file.classes == {"Tumor": 2, "Stroma": 1}
        path.unlink()  # it is not read a second time
        return Answer(("Tumor",))

    monkeypatch.setattr(module, "ask_what_to_take", ask)
    answering(monkeypatch, path)
    bench.regions.ask_file()
    assert bench.ended(qtbot)[1] == "2 shapes (2 Tumor) of 'q.geojson': 2 spots"
    assert bench.spots == [0, 2]
    assert bench.choice.only_said()["classes"] == ["Tumor"]


def test_who_goes_back_picks_nothing_and_the_message_goes(
    bench: Bench, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ask_what_to_take", lambda *_: None)
    answering(monkeypatch, bench.file(Region(A)))
    bench.regions.ask_file()
    qtbot.waitUntil(lambda: bench.told[-1] == ("", "", ""), timeout=WAIT_MS)
    assert bench.choice.steps == ()
    assert not bench.regions._reading.awaited


@pytest.mark.parametrize(("name", "picked"), [("P12.zarr", [0]), ("other.zarr", []), ("", [])])
def test_slides_that_come_and_go_while_the_user_is_asked(
    bench: Bench, qtbot: Any, monkeypatch: pytest.MonkeyPatch, name: str, picked: list[int]
) -> None:
    """A job that ends puts the same slide, opened anew, in the place of the open one."""
    asked = []

    def ask(*_: Any) -> Answer:
        asked.append(True)
        if name:
            bench.session.refresh(bench.make_slide(path=bench.folder / name))
        else:
            bench.session.close()
        return Answer()

    monkeypatch.setattr(module, "ask_what_to_take", ask)
    answering(monkeypatch, bench.file(Region(A)))
    bench.regions.ask_file()
    qtbot.waitUntil(lambda: bool(asked) and not bench.regions._reading.awaited, timeout=WAIT_MS)
    assert bench.spots == picked


def test_thousands_of_shapes_pick_their_spots_and_are_not_drawn(bench: Bench, qtbot: Any) -> None:
    """Nuclei, for instance: a viewer would take minutes for their outlines."""
    many = [Region(box(x, 0, x + 1, 1)) for x in range(0, 2 * MOST_OUTLINES, 2)]
    bench.regions.take_file(bench.file(Region(A), *many))
    level, message, hint = bench.ended(qtbot)
    assert (level, message) == ("success", f"{MOST_OUTLINES + 1} shapes of 'q.geojson': 1 spots")
    assert hint == f"more than {MOST_OUTLINES} outlines are not drawn; the spots are chosen all the same"
    area = bench.choice.steps[0].area
    assert area is not None  # they can be exported still
    assert area.area == pytest.approx(A.area + MOST_OUTLINES)


def test_shapes_of_the_layer_that_is_selected(bench: Bench) -> None:
    bench.selection.active = Shapes([(50, 50), (50, 150), (150, 150), (150, 50)], [(0, 0), (0, 9), (9, 9)])
    bench.how = How.LEAVE_OUT
    bench.regions.take_layer()
    assert np.flatnonzero(bench.choice.left_out).tolist() == [0]
    assert bench.choice.steps[0].area.geom_type == "MultiPolygon"  # type: ignore[union-attr]
    bench.selection.active = Shapes([(0, 0), (0, 9), (9, 9)])
    with pytest.raises(InputError, match="no spot lies inside the shapes of the selected layer"):
        bench.regions.take_layer()
    assert len(bench.choice.steps) == 1


def test_all_that_is_wrong_with_a_layer_is_said_at_once(bench: Bench) -> None:
    bench.selection.active = Shapes([(0, 0), (9, 9), (0, 9), (9, 0)], [(0, 0), (0, 9), (9, 9)], [(0, 0), (1, 1)])
    with pytest.raises(InputError, match=r"2 things are wrong.*shape 1 of 'mine'.*crosses itself.*shape 3 of 'mine'"):
        bench.regions.take_layer()


def test_exports_replace_whole_files_and_each_end_is_told(bench: Bench, qtbot: Any, tmp_path: Path) -> None:
    mask = np.array([True, False, True])
    bench.session.sets = {"train": SpotSet.of("train", np.array(["a", "b", "c"]), mask, {})}
    bench.choice.apply(Step(How.ADD, mask, "lasso", area=A))
    (tmp_path / "sets.geojson").write_text("before " * 1000)
    (tmp_path / "file").touch()
    for what, name in (("sets", "sets.geojson"), ("drawn", "none/drawn.geojson"), ("chosen", "chosen.geojson")):
        bench.regions.write(what, tmp_path / name, "margin")
    bench.regions.drop()  # another slide is opened: what is written is told all the same
    qtbot.waitUntil(lambda: len(bench.told) == 3, timeout=WAIT_MS)
    said = {message.split("'")[1]: (level, message, hint) for level, message, hint in bench.told}
    assert said[str(tmp_path / "none")] == (
        "error",
        f"there is no folder '{tmp_path / 'none'}'",
        "choose another folder",
    )
    for name in ("sets", "chosen"):
        path = tmp_path / f"{name}.geojson"
        assert said[str(path)] == ("success", f"wrote 1 region to '{path}'", "")
        assert json.loads(path.read_text())["type"] == "FeatureCollection"
    assert [region.name for region in read_regions(tmp_path / "chosen.geojson")] == ["margin"]


def test_what_is_written_is_what_was_chosen_when_it_was_asked_for(bench: Bench, qtbot: Any, tmp_path: Path) -> None:
    bench.choice.apply(Step(How.ADD, np.array([True, False, False]), "lasso"))
    bench.regions.write("chosen", tmp_path / "c.geojson", "")
    bench.choice.clear()
    bench.session.close()
    assert bench.ended(qtbot)[0] == "success"
    (region,) = read_regions(tmp_path / "c.geojson")
    assert (region.name, region.area.intersects(Polygon(A))) == ("chosen", True)


@pytest.mark.parametrize(
    ("what", "said"),
    [("chosen", "no spot is chosen"), ("sets", "there is no set of spots to export"), ("drawn", "no shape was drawn")],
)
def test_nothing_to_write_leaves_the_file_that_is_there(
    bench: Bench, qtbot: Any, tmp_path: Path, what: str, said: str
) -> None:
    path = tmp_path / "old.geojson"
    path.write_text("before")
    bench.regions.write(what, path, "x")
    assert bench.ended(qtbot)[:2] == ("error", said)
    assert path.read_text() == "before"


@pytest.mark.parametrize(("what", "name"), [("chosen", "chosen_spots"), ("sets", "spot_sets"), ("drawn", "shapes")])
def test_the_dialog_offers_a_name_beside_the_slide(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, what: str, name: str
) -> None:
    offered: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *args: (str(offered.append(args[2]) or ""), ""))
    bench.regions.ask_export(what, "x")
    assert offered == [str(bench.folder / f"{name}.geojson")]
    assert bench.told == []


def test_where_dialogs_begin(bench: Bench) -> None:
    assert folder_of(bench.session) == str(bench.folder)
    assert slide_with_spots(bench.session) is bench.session.slide
    with pytest.raises(InputError, match="no slide is open"):
        slide_with_spots(Session())
    assert folder_of(Session()) == str(Path.cwd())


def test_chosen_spots_are_written_where_the_user_says(
    panel: SelectPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    panel.ways.random_wanted.emit(0.25, 0, "random")
    panel.sets.name.setText("margin")
    answering(monkeypatch, tmp_path / "out.geojson")
    panel.sets.export_wanted.emit("chosen")
    qtbot.waitUntil(lambda: panel.message.level == "success", timeout=WAIT_MS)
    assert [region.name for region in read_regions(tmp_path / "out.geojson")] == ["margin"]
    panel.choice.clear()
    panel.ways.geojson_wanted.emit()
    qtbot.waitUntil(lambda: panel.choice.mask.any(), timeout=WAIT_MS)
    assert panel.message.message.endswith(f"{int(panel.choice.mask.sum())} spots")
