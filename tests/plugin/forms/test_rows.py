"""The rows of a form: what is beside a field, what is hidden with it, and how it is marked."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QLabel

from napari_c2lst.common.settings import TaskSettings, setting
from napari_c2lst.plugin.forms.field import Field
from napari_c2lst.plugin.forms.fields import field_of
from napari_c2lst.plugin.forms.rows import WRONG, Rows
from napari_c2lst.plugin.forms.typed import TextField


class Shown(TaskSettings):
    stride_um: float = setting(56.0, help="distance of positions", unit="um", gt=0)
    steps: int = setting(3, help="steps", ge=1)
    use: Literal["both", "real"] = setting("both", help="which")
    title: str = setting("x", help="what it is called <here>")


INFOS = {info.name: info for info in Shown.fields_info()}


@pytest.fixture
def rows(qtbot: Any) -> Rows:
    rows = Rows()
    qtbot.addWidget(rows)
    for info in INFOS.values():
        rows.put(field_of(info))
    rows.resize(360, 300)
    rows.show()
    return rows


def texts(rows: Rows) -> list[str]:
    """What is read beside the fields, by the alphabet."""
    return sorted(each.text() for each in rows.findChildren(QLabel) if each.isVisible() and each.parent() is rows)


def row_of(rows: Rows, name: str) -> tuple[Any, Any, Any]:
    return rows._rows[name]


def test_a_unit_stands_beside_its_field_only(rows: Rows) -> None:
    assert texts(rows) == ["Grid spacing", "Learn from", "Steps", "Title", "µm"]
    _, with_unit, unit = row_of(rows, "stride_um")
    _, without, _ = row_of(rows, "title")
    assert unit.x() >= with_unit.geometry().right()
    assert without.width() > with_unit.width()  # what needs no unit takes its place


def test_a_row_goes_and_comes_as_a_whole(rows: Rows) -> None:
    rows.set_visible("stride_um", False)
    assert not any(part.isVisible() for part in row_of(rows, "stride_um"))
    rows.set_visible("stride_um", True)
    assert all(part.isVisible() for part in row_of(rows, "stride_um"))


def test_an_empty_unit_never_comes_up(rows: Rows) -> None:
    rows.set_visible("steps", False)
    rows.set_visible("steps", True)
    label, widget, unit = row_of(rows, "steps")
    assert (label.isVisible(), widget.isVisible(), unit.isVisible()) == (True, True, False)


def test_a_row_that_is_not_there_can_be_hidden(rows: Rows) -> None:
    rows.set_visible("no such field", False)
    assert len(texts(rows)) == 5


def test_another_widget_takes_the_place_of_the_one_before(rows: Rows) -> None:
    before, old = texts(rows), row_of(rows, "steps")[1]
    other: Field = TextField(INFOS["steps"])
    rows.put(other)
    QApplication.processEvents()
    assert texts(rows) == before
    assert not old.isVisible()
    assert row_of(rows, "steps")[1] is other.native
    assert other.native.y() < row_of(rows, "use")[1].y()


def test_labels_lead_to_their_fields_and_fields_are_named(rows: Rows) -> None:
    for label, widget, _ in rows._rows.values():
        assert label.buddy() is widget
        assert widget.accessibleName() == label.text()
        assert label.toolTip() == widget.toolTip()
    assert "&lt;here>" in row_of(rows, "title")[1].toolTip()  # a help text is no markup


def test_what_is_wrong_is_said_in_words_and_colour_and_taken_back(rows: Rows) -> None:
    label = row_of(rows, "stride_um")[0]
    rows.mark("stride_um", "this is not a number", False)
    assert label.text() == "Grid spacing\nthis is not a number"
    assert WRONG in label.styleSheet()
    assert label.accessibleDescription() == "this is not a number"
    rows.mark("stride_um", "this is out of bounds", True)
    assert label.text() == "Grid spacing\nthis is out of bounds"
    rows.mark("stride_um", "", False)
    assert (label.text(), label.styleSheet(), label.accessibleDescription()) == ("Grid spacing", "", "")


def test_what_differs_is_bold_and_read_out(rows: Rows) -> None:
    label = row_of(rows, "steps")[0]
    rows.mark("steps", "", True)
    assert label.font().bold()
    assert label.accessibleDescription() == "differs from the preset"
    rows.mark("steps", "", False)
    assert not label.font().bold()


@pytest.mark.parametrize("name", ["steps", "use"])
def test_the_wheel_passes_over_fields_that_were_not_clicked(rows: Rows, name: str) -> None:
    widget = row_of(rows, name)[1]
    shown = (lambda: widget.value()) if name == "steps" else (lambda: widget.currentText())
    before = shown()
    widget.clearFocus()
    down = QPoint(0, -120)
    event = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), down, down, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    assert shown() == before
    assert not event.isAccepted()  # the panel scrolls instead
    assert widget.focusPolicy() == Qt.FocusPolicy.StrongFocus
