"""The parts of the panel alone: they know neither the viewer nor the slide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon, QKeySequence, QShortcut
from shapely.geometry import box

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.selecting.choice import How
from napari_c2lst.plugin.selecting.count_bar import CountBar
from napari_c2lst.plugin.selecting.importing import Answer, ImportDialog, RegionFile, ask_what_to_take, read_file
from napari_c2lst.plugin.selecting.named import SetLine
from napari_c2lst.plugin.selecting.sets_box import SetsBox
from napari_c2lst.plugin.selecting.tool_box import HOWS, TOOLS, ToolBox
from napari_c2lst.plugin.selecting.ways_box import WaysBox
from napari_c2lst.slides.spots.geojson import Region, write_regions


class Heard:
    """What signals told."""

    def __init__(self, **signals: Any) -> None:
        self.told: list[tuple[Any, ...]] = []
        for name, signal in signals.items():
            signal.connect(lambda *args, n=name: self.told.append((n, *args)))


@pytest.fixture
def tools(qtbot: Any) -> ToolBox:
    made = ToolBox()
    qtbot.addWidget(made)
    made.show()
    return made


def test_one_tool_at_a_time_and_a_second_click_puts_it_down(tools: ToolBox) -> None:
    heard = Heard(tool=tools.tool_wanted)
    for tool in TOOLS:
        tools.tool_buttons[tool].click()
        assert tools.tool == tool
    tools.tool_buttons["brush"].click()
    assert tools.tool == ""
    assert heard.told == [("tool", tool) for tool in [*TOOLS, ""]]
    tools.take("lasso")
    assert len(heard.told) == len(TOOLS) + 1  # nobody is told of what the panel did itself


def test_the_radius_is_seen_with_the_brush_alone(tools: ToolBox) -> None:
    heard = Heard(radius=tools.radius_wanted)
    assert not tools.radius.isVisible()
    tools.take("brush")
    assert tools.radius.isVisible()
    tools.radius.setValue(300)
    assert tools.slider.value() == 300
    tools.slider.setValue(120)
    assert tools.radius.value() == 120
    assert heard.told == [("radius", 300.0), ("radius", 120.0)]
    tools.use_unit(False)
    assert tools.radius.text() == "120 px"


def test_one_effect_at_a_time(tools: ToolBox) -> None:
    assert tools.how is How.ADD
    for how in HOWS:
        tools.how_buttons[how].click()
        assert tools.how is how
        assert sum(button.isChecked() for button in tools.how_buttons.values()) == 1
    tools.set_how(How.SUBTRACT)
    assert tools.how is How.SUBTRACT


def test_undo_by_key_in_the_panel(tools: ToolBox) -> None:
    heard = Heard(undo=tools.undo_wanted, redo=tools.redo_wanted, invert=tools.invert_wanted, clear=tools.clear_wanted)
    tools.add_shortcuts(tools)
    tools.allow(True, True, False, True)
    assert not tools.redo.isEnabled()
    for button in (tools.undo, tools.invert, tools.clear):
        button.click()
    shortcuts = {each.key().toString(): each for each in tools.findChildren(QShortcut)}
    # a window that no window manager makes active gets no keys: what they would do is called
    for keys in (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo):
        shortcut = shortcuts[QKeySequence(keys).toString()]
        assert shortcut.context() == Qt.ShortcutContext.WidgetWithChildrenShortcut
        shortcut.activated.emit()
    assert [name for name, *_ in heard.told] == ["undo", "invert", "clear", "undo", "redo"]
    tools.allow(False, False, False, False)
    assert not any(button.isEnabled() for button in tools.tool_buttons.values())


@pytest.fixture
def ways(qtbot: Any) -> WaysBox:
    made = WaysBox()
    qtbot.addWidget(made)
    made.offer(283, {"label": ["Fat", "Tumor, invasive"], "grade": ["1", "2", "3"]})
    return made


def test_a_random_share_as_it_stands_in_the_form(ways: WaysBox) -> None:
    heard = Heard(random=ways.random_wanted)
    ways.share.setValue(12.5)
    ways.seed.setValue(7)
    ways._on_random()
    ways.blocked.setChecked(True)
    ways._on_random()
    assert heard.told == [("random", 0.125, 7, "random"), ("random", 0.125, 7, "blocked")]


def test_suggest_and_stop_are_one_button(ways: WaysBox) -> None:
    heard = Heard(suggest=ways.suggest_wanted, stop=ways.stop_wanted)
    assert ways.number.maximum() == 283
    ways.suggest_button.click()
    ways.show_progress("Reading patches… 3 of 283")
    assert "3 of 283" in ways.suggest_note.text()
    ways.suggest_button.click()
    ways.show_progress("")
    assert heard.told == [("suggest", 40), ("stop",)]
    assert ways.suggest_button.text() == "Su&ggest"


def test_ticked_values_of_the_column(ways: WaysBox) -> None:
    heard = Heard(column=ways.column_wanted)
    ways.column.setCurrentText("grade")
    for row in (0, 2):
        ways.values.item(row).setCheckState(Qt.CheckState.Checked)
    ways.column_button.click()
    ways.column.setCurrentText("label")
    ways.values.item(1).setCheckState(Qt.CheckState.Checked)
    ways.column_button.click()
    assert heard.told == [("column", "grade", ["1", "3"]), ("column", "label", ["Tumor, invasive"])]
    ways.offer(283, {})
    assert not ways.column_button.isEnabled()
    assert not ways.column_note.isHidden()
    ways.offer(0, {})
    assert not ways.isEnabled()
    assert ways.number.value() == 40


def test_thresholds(ways: WaysBox) -> None:
    heard = Heard(low=ways.low_wanted)
    assert ways.counts.text() == "any"
    ways.counts.setValue(500)
    ways.tissue.setValue(30)
    ways.low_button.click()
    assert heard.told == [("low", {"min_counts": 500.0, "min_genes": 0, "min_tissue": 0.3})]


LINES = [
    SetLine("a", "#0072b2", 1200, 0.25, 3000, 600, True),
    SetLine("b", "#d55e00", 9, 0.01, 791, 0, False),
]


@pytest.fixture
def sets(qtbot: Any) -> SetsBox:
    made = SetsBox()
    qtbot.addWidget(made)
    return made


def test_the_list_says_what_there_is(sets: SetsBox) -> None:
    assert not sets.delete.isEnabled()
    sets.show_sets(LINES)
    item = sets.list.topLevelItem(0)
    assert [item.text(i) for i in range(4)] == ["a", "1,200", "25.0 %", "saved"]
    assert sets.list.topLevelItem(1).text(3) == "not saved"
    assert "3000 held out, 600 left out, saved in the slide; blue" in item.toolTip(0)
    assert sets.selected == "b"  # the newest
    assert sets.delete.isEnabled()


def test_what_is_hidden_and_selected_stays_so(sets: SetsBox) -> None:
    sets.show_sets(LINES)
    heard = Heard(shown=sets.shown_changed)
    sets.select("a")
    sets.list.topLevelItem(1).setCheckState(0, Qt.CheckState.Unchecked)
    assert heard.told == [("shown",), ("shown",)]
    sets.show_sets(LINES)
    assert (sets.selected, sets.ticked()) == ("a", ["a"])
    sets.show_sets(LINES[1:])
    assert (sets.selected, sets.ticked()) == ("b", [])
    assert len(heard.told) == 2  # filling the list is no choice of the user


def test_what_can_be_done_with_a_set(sets: SetsBox) -> None:
    heard = Heard(
        keep=sets.keep_wanted,
        take=sets.take_wanted,
        rename=sets.rename_wanted,
        delete=sets.delete_wanted,
        colour=sets.colour_wanted,
        export=sets.export_wanted,
    )
    sets.show_sets(LINES)
    sets.name.setText(" new ")
    sets.allow(False, False, False)
    sets.name.returnPressed.emit()
    assert heard.told == []  # nothing to keep
    sets.allow(True, True, False)
    sets.keep.click()
    for button in (sets.take, sets.rename, sets.delete):
        button.click()
    sets._colours["#009e73"].trigger()
    sets._exports["sets"].trigger()
    assert heard.told == [
        ("keep", "new"),
        ("take", "b"),
        ("rename", "b"),
        ("delete", "b"),
        ("colour", "b", "#009e73"),
        ("export", "sets"),
    ]
    assert not sets._exports["drawn"].isEnabled()


def test_the_bar_is_drawn_as_wide_as_the_share(qtbot: Any) -> None:
    bar = CountBar()
    qtbot.addWidget(bar)
    bar.resize(300, 60)
    bar.show()
    bar.show_count("60 of 100", "", (0.6, 0.3, 0.1))
    assert not bar.note.isVisible()
    picture = bar.bar.grab().toImage()
    blue = [picture.pixelColor(x, picture.height() // 2).blue() for x in range(picture.width())]
    red = [picture.pixelColor(x, picture.height() // 2).red() for x in range(picture.width())]
    filled = np.array([b > 150 and r < 60 for b, r in zip(blue, red, strict=True)])
    assert filled.mean() == pytest.approx(0.6, abs=0.03)
    bar.show_count("0 of 0", "choose", (0, 0, 0))
    assert bar.note.isVisible()


def test_classes_and_systems_of_a_file(qtbot: Any, tmp_path: Path) -> None:
    path = tmp_path / "q.geojson"
    labels = ["Tumor", "Tumor", "Stroma"]
    write_regions(path, [Region(box(i, 0, i + 0.5, 1), label=label) for i, label in enumerate(labels)])
    file = read_file(path)
    assert file.classes == {"Tumor": 2, "Stroma": 1}
    dialog = ImportDialog(file, ["global"])
    qtbot.addWidget(dialog)
    assert dialog.answer() == Answer()
    dialog.classes.item(1).setCheckState(Qt.CheckState.Unchecked)
    dialog.system.setCurrentIndex(1)
    assert dialog.answer() == Answer(("Tumor",), "global")
    assert len(read_file(path, ("Tumor",)).regions) == 2
    with pytest.raises(InputError, match="of class or name 'Fat'"):
        read_file(path, ("Fat",))


def test_nothing_is_asked_where_there_is_nothing_to_choose(qtbot: Any) -> None:
    class Plain:
        sdata = None
        image_name = "image"

    file = RegionFile(Path("q.geojson"), [Region(box(0, 0, 1, 1), label="Tumor")])
    assert ask_what_to_take(None, Plain(), file) == Answer()  # type: ignore[arg-type]


def test_the_bar_of_shares_stays_thin_whatever_room_there_is(qtbot: Any) -> None:
    count = CountBar()
    qtbot.addWidget(count)
    count.resize(300, 200)
    count.show()
    count.show_count("0 of 9 spots", "Draw around spots with a tool", (0.0, 1.0, 0.0))
    height = count.bar.height()
    count.show_count("3 of 9 spots", "", (0.3, 0.7, 0.0))
    assert count.bar.height() == height <= 16


def test_the_swatch_of_a_selected_set_has_the_colour_of_its_spots(qtbot: Any) -> None:
    box = SetsBox()
    qtbot.addWidget(box)
    box.show_sets([SetLine("train", "#d55e00", 9, 0.5, 9, 0, True)])
    icon = box.list.topLevelItem(0).icon(0)
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        assert icon.pixmap(QSize(12, 12), mode).toImage().pixelColor(6, 6).name() == "#d55e00"
