from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QInputDialog, QPushButton, QScrollArea
from shapely.geometry import box
from tests.plugin.selecting.labels import labelled
from tests.plugin.selecting.mouse import Mouse

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.selecting import regions
from napari_c2lst.plugin.selecting.choice import How
from napari_c2lst.plugin.selecting.panel import SelectPanel
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.geojson import Region, read_regions, write_regions
from napari_c2lst.slides.spots.spotsets import SpotSet, read_spot_set, spot_set_names

WAIT_MS = 30_000


def around(slide: Any, number: int) -> list[tuple[float, float]]:
    """A lasso in the world around the spots of the first quarter of the slide, of about this many corners."""
    yx = slide.spots.yx * slide.mpp
    low, high = yx.min(axis=0) - 20, yx.mean(axis=0)
    t = np.linspace(0, 1, number)[:-1, None]
    corners = [low, np.array([low[0], high[1]]), high, np.array([high[0], low[1]]), low]
    return [tuple(at) for a, b in pairwise(corners) for at in a + t * (b - a)]


def inside(slide: Any) -> np.ndarray:
    yx = slide.spots.yx
    return (yx <= yx.mean(axis=0)).all(axis=1)


def test_lasso_to_named_set_and_back_from_the_store(panel: SelectPanel, store: Path, qtbot: Any) -> None:
    slide = panel.session.slide
    panel.tools.tool_buttons["lasso"].click()
    Mouse(shared_of(panel._shared.canvas.viewer).canvas.viewer).drag(around(slide, 6))
    qtbot.waitUntil(lambda: bool(panel.choice.steps), timeout=WAIT_MS)
    assert np.array_equal(panel.session.chosen, inside(slide))
    chosen = int(inside(slide).sum())
    assert panel.count.words.text().startswith(f"{chosen} of {len(slide.spots)} spots (")
    panel.sets.name.setText("margin")
    panel.sets.keep.click()
    assert list(panel.session.sets) == ["margin"]
    qtbot.waitUntil(lambda: panel.message.level == "success", timeout=WAIT_MS)
    assert str(store) in panel.message.message
    again = read_spot_set(open_slide(store), "margin")
    assert np.array_equal(again.mask, inside(slide))
    # on the slide: its ring in its colour, the held-out spots crossed out
    marks = list(panel._shared.canvas.layer("sets").features["set"])
    assert marks.count("margin") == chosen
    assert marks.count("held out") == len(slide.spots) - chosen
    # another session finds it
    panel.session.open(open_slide(store))
    assert panel.sets.selected == "margin"
    assert not panel.choice.mask.any()
    panel.sets.take.click()
    assert np.array_equal(panel.session.chosen, inside(slide))
    assert panel.sets.name.text() == "train"


def test_nothing_is_replaced_unasked(panel: SelectPanel, store: Path, qtbot: Any) -> None:
    asked: list[str] = []
    panel.rules.random(0.2, 0, "random")
    panel._on_keep("train")
    qtbot.waitUntil(lambda: panel.message.level == "success", timeout=WAIT_MS)
    panel.rules.random(0.3, 0, "random")
    panel.keeper.agree = lambda question: bool(asked.append(question))
    before = panel.session.sets["train"]
    panel._on_keep("train")
    assert "There is a set 'train' of 57 spots already. Replace it by the 85 chosen spots?" in asked
    assert panel.session.sets["train"] is before
    panel.keeper.agree = lambda question: True
    panel.message.clear()
    panel._on_keep("train")
    qtbot.waitUntil(lambda: panel.message.level == "success", timeout=WAIT_MS)
    assert read_spot_set(open_slide(store), "train").mask.sum() == 85
    panel.keeper.agree = lambda question: pytest.fail("nothing changed")
    panel._on_keep("train")
    assert "is saved already" in panel.message.message


def test_rename_recolour_and_delete(panel: SelectPanel, store: Path, qtbot: Any) -> None:
    def saved() -> bool:
        return not panel.keeper._work.awaited

    for name in ("a", "b"):
        panel.rules.random(0.2, 0, "random")
        panel._on_keep(name)
        qtbot.waitUntil(saved, timeout=WAIT_MS)
    panel.rename("a", "b")
    assert panel.message.message == "there is a set 'b' already"
    panel.rename("a", "my set")
    assert "cannot be the name" in panel.message.message
    panel.rename("a", "c")
    qtbot.waitUntil(saved, timeout=WAIT_MS)
    assert list(panel.session.sets) == ["c", "b"]
    assert spot_set_names(open_slide(store)) == ["b", "c"]
    panel.sets.colour_wanted.emit("c", "#009e73")
    qtbot.waitUntil(saved, timeout=WAIT_MS)
    assert read_spot_set(open_slide(store), "c").how["colour"] == "#009e73"
    asked: list[str] = []
    panel.keeper.agree = lambda question: bool(asked.append(question))
    panel.sets.delete_wanted.emit("c")
    assert str(store) in asked[0]
    assert "c2lst_set_c" in asked[0]
    assert "c" in panel.session.sets
    panel.keeper.agree = lambda question: True
    panel.sets.delete_wanted.emit("c")
    qtbot.waitUntil(lambda: list(panel.session.sets) == ["b"], timeout=WAIT_MS)
    assert spot_set_names(open_slide(store)) == ["b"]


def imported(panel: SelectPanel, path: Path, qtbot: Any) -> None:
    panel.import_regions(path)
    assert panel.message.message == f"reading the shapes of '{path.name}'…"
    qtbot.waitUntil(lambda: panel.message.level in ("success", "error"), timeout=WAIT_MS)


def test_bad_input_is_one_sentence(panel: SelectPanel, tmp_path: Path, qtbot: Any) -> None:
    told: list[tuple[str, str, str]] = []
    panel.session.told.connect(lambda *args: told.append(args))
    panel.rules.random(0.001, 0, "random")
    panel._on_keep("train")
    assert panel.message.message == "the choice has 1 training spots, at least 8 are needed"
    assert panel.message.hint == "select more spots: a larger share, a larger polygon, lower thresholds"
    panel.rules.random(0.5, 0, "random")
    assert panel.message.level == ""  # what was wrong is right now
    panel._on_keep("")
    assert "cannot be the name of a spot set" in panel.message.message
    (tmp_path / "none.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    imported(panel, tmp_path / "none.geojson", qtbot)
    assert "holds no polygon" in panel.message.message
    crossing = '{"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]]}'
    (tmp_path / "eight.geojson").write_text(crossing)
    imported(panel, tmp_path / "eight.geojson", qtbot)
    assert "crosses itself" in panel.message.message
    panel.ways.layer_wanted.emit()
    assert "no Shapes layer" in panel.message.message
    assert [level for level, _, _ in told] == ["error"] * 5
    assert panel.session.sets == {}


def test_geojson_in_and_out(panel: SelectPanel, tmp_path: Path, qtbot: Any) -> None:
    slide = panel.session.slide
    corner = slide.spots.yx.mean(axis=0)
    write_regions(tmp_path / "in.geojson", [Region(box(0, 0, corner[1], corner[0]), label="Tumor")])
    imported(panel, tmp_path / "in.geojson", qtbot)
    assert np.array_equal(panel.choice.mask, inside(slide))
    assert len(panel._shared.canvas.layer("drawn").data) == 1  # it is seen
    assert panel.as_command()[1]["polygon"] == str(tmp_path / "in.geojson")
    for what in ("drawn", "chosen"):
        panel.message.clear()
        panel.export_regions(what, tmp_path / f"{what}.geojson")
        qtbot.waitUntil(lambda: panel.message.level == "success", timeout=WAIT_MS)
        panel.choice.clear()
        imported(panel, tmp_path / f"{what}.geojson", qtbot)
        assert np.array_equal(panel.choice.mask, inside(slide)), what
    panel.choice.clear()
    panel.export_regions("drawn", tmp_path / "nothing.geojson")
    qtbot.waitUntil(lambda: panel.message.level == "error", timeout=WAIT_MS)
    assert panel.message.message == "no shape was drawn"
    assert not (tmp_path / "nothing.geojson").exists()
    assert len(read_regions(tmp_path / "drawn.geojson")) == 1


def test_suggestion_with_progress_and_stop(panel: SelectPanel, qtbot: Any) -> None:
    seen: list[int] = []
    panel.rules.suggestion.progress.connect(lambda done, total: seen.append(done))
    panel.ways.number.setValue(12)
    panel.ways.suggest_button.click()
    assert panel.ways.suggesting
    qtbot.waitUntil(lambda: int(panel.choice.mask.sum()) == 12, timeout=WAIT_MS)
    assert not panel.ways.suggesting
    assert seen[-1] == len(panel.session.slide.spots)
    panel.ways.suggest_button.click()
    with qtbot.waitSignal(panel.rules.suggestion.stopped, timeout=WAIT_MS):
        panel.ways.suggest_button.click()  # it is the stop button now
    assert int(panel.choice.mask.sum()) == 12
    panel.ways.suggest_wanted.emit(99_999)
    qtbot.waitUntil(lambda: panel.message.level == "error", timeout=WAIT_MS)
    assert "99999 spots are asked for" in panel.message.message


def test_by_column_and_low_spots(panel: SelectPanel, qtbot: Any) -> None:
    slide = labelled(panel.session.slide, label=np.where(np.arange(283) < 30, "Tumor", "Fat"))
    panel._use_slide()
    panel.ways.column.setCurrentText("label")
    assert [panel.ways.values.item(i).text() for i in range(2)] == ["Fat", "Tumor"]
    panel.ways.column_button.click()
    assert "no value of column 'label' is ticked" in panel.message.message
    panel.ways.values.item(1).setCheckState(Qt.CheckState.Checked)
    panel.ways.column_button.click()
    assert np.flatnonzero(panel.choice.mask).tolist() == list(range(30))
    panel.ways.counts.setValue(2000)
    panel.ways.low_button.click()
    qtbot.waitUntil(lambda: panel.choice.left_out.any(), timeout=WAIT_MS)
    low = np.asarray(slide.counts().sum(axis=1)).ravel() < 2000
    assert np.array_equal(panel.choice.left_out, low)
    assert "left out" in panel.count.words.text()


def test_undo_by_button_and_by_key(panel: SelectPanel, qtbot: Any) -> None:
    panel.rules.random(0.2, 0, "random")
    panel.tools.invert.click()
    panel.tools.undo.click()
    assert int(panel.session.chosen.sum()) == 57
    viewer = panel._shared.canvas.viewer
    from napari.utils.key_bindings import coerce_keybinding

    viewer.keymap[coerce_keybinding("Control-Z")](viewer)
    assert not panel.session.chosen.any()
    assert not panel.tools.undo.isEnabled()
    viewer.keymap[coerce_keybinding("Control-Shift-Z")](viewer)
    assert int(panel.session.chosen.sum()) == 57
    panel.close()
    assert coerce_keybinding("Control-Z") not in viewer.keymap


def test_boolean_steps_between_sets_and_ways(panel: SelectPanel, qtbot: Any) -> None:
    panel.rules.random(0.5, 0, "random")
    panel._on_keep("half")
    half = panel.choice.mask.copy()
    panel.choice.clear()
    panel.rules.random(0.5, 1, "random")
    other = panel.choice.mask.copy()
    for how, wanted in ((How.ADD, half | other), (How.SUBTRACT, other & ~half), (How.INTERSECT, half & other)):
        panel.tools.set_how(how)
        panel._on_take("half")
        assert np.array_equal(panel.choice.mask, wanted)
        panel.choice.undo()
    qtbot.waitUntil(lambda: not panel.keeper._work.awaited, timeout=WAIT_MS)


def test_what_others_choose_is_taken_over(panel: SelectPanel) -> None:
    mask = np.arange(283) < 11
    panel.session.choose(mask)
    assert np.array_equal(panel.choice.mask, mask)
    panel.choice.undo()
    assert not panel.session.chosen.any()


def test_without_a_slide_and_with_one_without_spots(
    make_napari_viewer: Callable[..., Any], make_slide: Callable[..., Any]
) -> None:
    viewer = make_napari_viewer()
    panel = SelectPanel(viewer)
    assert panel.count.words.text() == "No slide is open."
    assert not panel.tools.tool_buttons["lasso"].isEnabled()
    panel.rules.random(0.5, 0, "random")
    assert panel.message.message == "no slide is open"
    panel.session.open(make_slide(spots=None))
    assert "is an image without spots" in panel.count.words.text()
    assert not panel.ways.isEnabled()
    panel.close()


def test_a_slide_that_is_no_store_is_converted_first(panel: SelectPanel, tmp_path: Path, qtbot: Any) -> None:
    from napari_c2lst.slides.sample_data import sample_source

    source = tmp_path / "raw" / sample_source().name
    source.parent.mkdir()
    (shutil.copytree if sample_source().is_dir() else shutil.copy)(sample_source(), source)
    panel.session.open(open_slide(source))
    asked: list[str] = []
    panel.rules.random(0.2, 0, "random")
    panel.keeper.agree = lambda question: bool(asked.append(question))
    panel._on_keep("train")
    target = source.parent / f"{source.name}.zarr"
    assert str(target) in asked[0]
    assert "is not saved" in panel.message.message
    assert "train" in panel.session.sets  # not lost
    panel.keeper.agree = lambda question: True
    panel._on_keep("train")
    qtbot.waitUntil(lambda: panel.message.level in ("success", "error"), timeout=4 * WAIT_MS)
    assert panel.message.level == "success", panel.message.message
    assert panel.session.store == target
    assert read_spot_set(open_slide(target), "train").mask.sum() == panel.choice.mask.sum()


def test_it_fits_a_narrow_dock_and_every_control_has_a_name(panel: SelectPanel) -> None:
    from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox

    assert panel.minimumSizeHint().width() <= 370
    for kind in (QAbstractButton, QAbstractSpinBox, QComboBox):
        for widget in panel.findChildren(kind):
            if not widget.isVisibleTo(panel):
                continue
            named = widget.accessibleName() or widget.toolTip() or getattr(widget, "text", str)()
            assert named or widget.objectName().startswith("qt_"), widget


def test_nothing_stays_after_the_panel(make_napari_viewer: Callable[..., Any], slide: Any) -> None:
    viewer = make_napari_viewer()
    session = shared_of(viewer).session
    session.open(slide)
    counts = []
    for _ in range(4):
        panel = SelectPanel(viewer)
        panel.tools.tool_buttons["brush"].click()
        panel.close()
        panel.deleteLater()
        QApplication.sendPostedEvents(None, 52)  # DeferredDelete
        counts.append(
            (
                len(session.sets_changed),
                len(session.chosen_changed),
                len(viewer.mouse_drag_callbacks),
                len(viewer.layers.selection.events.active.callbacks),
                len(viewer.layers),
            )
        )
    assert counts[0] == counts[-1]


def test_taking_a_set_keeps_what_was_left_out_before(panel: SelectPanel) -> None:
    """Folds that were left out, and low spots, are not learnt from because a set is taken afterwards."""
    at = np.arange(283)
    panel.session.sets = {"half": SpotSet.of("half", panel.session.slide.spots.ids, at < 140, {}, at >= 200)}
    panel._on_take("half")
    assert (int(panel.choice.mask.sum()), int(panel.choice.left_out.sum())) == (140, 83)
    panel.choice.undo()
    panel.choice.leave_low_out(at < 20, {"min_counts": 100})
    panel._on_take("half")
    assert (int(panel.choice.mask.sum()), int(panel.choice.left_out.sum())) == (120, 103)


AROUND_FIVE = ((10.0, 10.0), (10.0, 100.0), (100.0, 100.0), (100.0, 10.0))
BOW_TIE = ((10.0, 10.0), (200.0, 200.0), (10.0, 200.0), (200.0, 10.0))


def test_undo_does_not_reach_over_a_change_of_slides(plain: Any) -> None:
    panel = plain.panel
    plain.draw(*AROUND_FIVE)
    assert plain.spots == [0, 1, 2, 3, 4]
    panel.choice.undo()
    plain.open("P13")
    assert not any(button.isEnabled() for button in (panel.tools.undo, panel.tools.redo))
    for step in (panel.choice.redo, panel.choice.undo):
        step()
        assert (plain.spots, panel.choice.steps) == ([], ())
    plain.draw(*AROUND_FIVE)
    panel.choice.undo()
    panel.choice.undo()
    assert plain.spots == []
    plain.open("P12")
    assert not panel.tools.redo.isEnabled()
    assert panel.count.words.text().startswith("0 of 20 spots")


def test_shapes_of_one_slide_are_not_seen_on_the_next(plain: Any) -> None:
    plain.draw(*AROUND_FIVE)
    assert len(plain.shared.canvas.layer("drawn").data) == 1
    plain.open("P13")
    layer = plain.shared.canvas.layer("drawn")
    assert layer is None or len(layer.data) == 0
    assert plain.panel.tools.tool == ""


def test_a_lasso_that_crosses_itself_is_said_until_a_good_one_is_drawn(plain: Any) -> None:
    plain.draw(*BOW_TIE)
    message = plain.panel.message
    assert message.message.startswith("the shape crosses itself at x = ")
    assert message.hint == "draw it again, or in two shapes"
    assert plain.told == [("error", message.message, message.hint)]
    assert plain.spots == []
    plain.draw(*AROUND_FIVE)
    assert (message.level, plain.spots) == ("", [0, 1, 2, 3, 4])


def test_a_file_that_is_read_is_forgotten_with_its_slide(
    plain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    goes_on, panel = threading.Event(), plain.panel
    read = regions.read_file
    monkeypatch.setattr(regions, "read_file", lambda *args: goes_on.wait(20) and read(*args))
    write_regions(tmp_path / "in.geojson", [Region(box(10, 10, 100, 100))])
    panel.import_regions(tmp_path / "in.geojson")
    assert panel.message.message == "reading the shapes of 'in.geojson'…"
    panel.import_regions(tmp_path / "in.geojson")
    assert panel.message.message == "the shapes of another file are being read"
    plain.open("P13")
    assert panel.message.level == ""
    goes_on.set()
    qtbot.waitUntil(lambda: not panel.regions._reading._workers, timeout=WAIT_MS)
    assert (plain.spots, panel.message.level) == ([], "")
    imported(panel, tmp_path / "in.geojson", qtbot)
    assert plain.spots == [0, 1, 2, 3, 4]


def test_a_tool_that_cannot_be_taken_is_put_down(plain: Any) -> None:
    plain.session.close()
    plain.panel.tools.tool_buttons["lasso"].setEnabled(True)  # as in the moment before the panel hears of it
    plain.panel.tools.tool_buttons["lasso"].click()
    assert plain.panel.message.message == "no slide is open"
    assert plain.panel.tools.tool == ""


def test_the_command_has_the_name_of_the_set_that_is_chosen(plain: Any) -> None:
    panel = plain.panel
    with pytest.raises(InputError, match="no spot is chosen"):
        panel.as_command()
    plain.draw(*AROUND_FIVE)
    panel.sets.name.setText(" margin ")
    assert panel.as_command()[1]["name"] == "margin"
    panel.sets.name.clear()
    assert panel.as_command()[1]["name"] == "train"
    ids = plain.session.slide.spots.ids
    plain.session.sets = {"edge": SpotSet.of("edge", ids, panel.choice.mask, {})}
    plain.session.sets_changed.emit()
    assert panel.as_command()[1]["name"] == "edge"
    panel.choice.invert()
    assert panel.as_command()[1]["name"] == "train"


@pytest.mark.parametrize(
    ("answer", "names"),
    [(("new", False), ["a"]), ((" new ", True), ["new"]), (("a", True), ["a"]), (("b c", True), ["a"])],
)
def test_renaming_by_the_dialog(
    plain: Any, monkeypatch: pytest.MonkeyPatch, answer: tuple[str, bool], names: list[str]
) -> None:
    plain.session.sets = {"a": SpotSet.of("a", plain.session.slide.spots.ids, np.arange(20) < 9, {})}
    plain.session.sets_changed.emit()
    asked: list[str] = []
    monkeypatch.setattr(QInputDialog, "getText", lambda *args, text: (asked.append(f"{args[2]} {text}"), answer)[1])
    plain.panel.sets.rename.click()
    assert asked == ["New name of 'a': a"]
    assert list(plain.session.sets) == names
    assert plain.panel.sets.selected == names[0]
    assert ("cannot be the name" in plain.panel.message.message) is (answer[0] == "b c")


def test_no_two_buttons_that_are_seen_have_one_key(plain: Any) -> None:
    """Alt and a letter that two buttons have presses neither."""
    panel = plain.panel
    for tab in range(panel.ways.count()):
        panel.ways.setCurrentIndex(tab)
        buttons = [each for each in panel.findChildren(QPushButton) if each.isVisibleTo(panel) and "&" in each.text()]
        keys = [each.shortcut().toString() for each in buttons]
        assert len(keys) > 10
        assert len(set(keys)) == len(keys), sorted(keys)


def test_a_panel_that_is_opened_late_takes_what_is_chosen(plain: Any) -> None:
    plain.session.choose(np.arange(20) < 7)
    late = SelectPanel(plain.viewer)
    assert np.flatnonzero(late.choice.mask).tolist() == plain.spots == list(range(7))
    late.choice.invert()  # and both are one
    assert plain.spots == list(range(7, 20))
    late.close()
    late.close()
    plain.panel.choice.clear()
    assert late.choice.mask.any()  # it hears no more


def test_count_and_message_are_in_sight_wherever_one_works(panel: SelectPanel, qtbot: Any) -> None:
    panel.resize(380, 420)
    panel.show()
    down = panel.sets.rename
    area = panel.findChild(QScrollArea)
    area.ensureWidgetVisible(down)
    QApplication.processEvents()
    assert area.verticalScrollBar().value() > 0
    panel._on_keep("no such name")
    qtbot.waitUntil(panel.message.isVisible)
    QApplication.processEvents()
    for part in (panel.count.words, panel.message.text):
        assert not part.visibleRegion().isEmpty()
    assert panel.minimumSizeHint().width() <= 380
