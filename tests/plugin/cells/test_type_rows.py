from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.cells.type_rows import TypeRows, swatch

COLOURS = [(10, 20, 30), (40, 50, 60)]


@pytest.fixture
def rows(qtbot: Any) -> TypeRows:
    rows = TypeRows()
    qtbot.addWidget(rows)
    rows.show_types(("a", "b"), [3, 1], COLOURS, np.array([True, False]))
    return rows


def test_boxes_counts_and_shares(rows: TypeRows) -> None:
    assert [box.isChecked() for box in rows.boxes] == [True, False]
    assert [label.text() for label in rows.numbers] == ["3   75.0 %", "1   25.0 %"]
    assert rows.visible_types.tolist() == [True, False]


def test_showing_types_is_no_click(qtbot: Any, rows: TypeRows) -> None:
    with qtbot.assertNotEmitted(rows.ticked):
        rows.show_types(("a", "b"), [3, 1], COLOURS, np.array([False, True]))
    assert rows.visible_types.tolist() == [False, True]


def test_boxes_of_the_same_types_stay(rows: TypeRows) -> None:
    before = rows.boxes[0]
    rows.show_types(("a", "b"), [4, 1], COLOURS, np.array([True, True]))
    assert rows.boxes[0] is before
    rows.show_types(("c",), [1], COLOURS[:1], np.array([True]))
    assert [box.text() for box in rows.boxes] == ["c"]


def test_all_or_none_are_told_once(qtbot: Any, rows: TypeRows) -> None:
    told: list[int] = []
    rows.ticked.connect(lambda: told.append(1))
    rows.tick_all()
    assert rows.visible_types.all()
    rows.tick_all(False)
    assert not rows.visible_types.any()
    assert len(told) == 2
    rows.boxes[0].click()
    assert len(told) == 3


def test_no_nuclei_have_no_share(rows: TypeRows) -> None:
    rows.show_types(("a", "b"), [0, 0], COLOURS, np.array([True, True]))
    assert rows.numbers[0].text() == "0   0.0 %"


def test_a_swatch_is_its_colour(qtbot: Any) -> None:
    image = swatch((10, 20, 30)).pixmap(12, 12).toImage()
    assert image.pixelColor(6, 6).getRgb()[:3] == (10, 20, 30)
    assert image.pixelColor(0, 0).getRgb()[:3] == (128, 128, 128)


def test_odd_names_are_shown_as_they_are(rows: TypeRows) -> None:
    rows.show_types(("T & B cells", "a<b>c", ""), [1, 1, 1], [*COLOURS, COLOURS[0]], np.ones(3, bool))
    assert rows.boxes[0].text().replace("&&", "&") == "T & B cells"
    assert rows.boxes[0].shortcut().isEmpty()
    assert len(rows.boxes) == 3


def test_no_cells_and_one_cell(rows: TypeRows) -> None:
    rows.show_types(("a", "b"), [0, 0], COLOURS, np.ones(2, bool))
    assert [label.text() for label in rows.numbers] == ["0   0.0 %"] * 2
    rows.show_types(("a", "b"), [0, 1], COLOURS, np.ones(2, bool))
    assert [label.text() for label in rows.numbers] == ["0   0.0 %", "1   100.0 %"]
    rows.show_types((), [], [], np.zeros(0, bool))
    assert rows.boxes == []
    assert rows.visible_types.shape == (0,)


def test_all_and_none_are_one_change(qtbot: Any, rows: TypeRows) -> None:
    told: list[list[bool]] = []
    rows.ticked.connect(lambda: told.append(rows.visible_types.tolist()))
    rows.tick_all()
    rows.tick_all(False)
    assert told == [[True, True], [False, False]]


def test_the_space_bar_ticks(qtbot: Any, rows: TypeRows) -> None:
    rows.show()
    with qtbot.waitSignal(rows.ticked, timeout=2000):
        qtbot.keyClick(rows.boxes[1], " ")
    assert rows.visible_types.tolist() == [True, True]
