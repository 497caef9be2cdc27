"""Tab goes through a panel as it is read, whenever its widgets were made."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_c2lst.plugin.parts.scrolled import scrolled
from napari_c2lst.plugin.parts.tab_order import ReadPanel, as_read


def named(kind: type[QWidget], name: str, parent: QWidget | None = None) -> QWidget:
    widget = kind(parent)
    widget.setObjectName(name)
    return widget


def names(widgets: list[QWidget]) -> list[str]:
    return [widget.objectName() for widget in widgets]


@pytest.fixture
def panel(qtbot: Any) -> ReadPanel:
    """Made from the bottom to the top: the run button first, the line of the path last."""
    panel = ReadPanel()
    run, log = named(QPushButton, "run", panel), named(QPushButton, "log", panel)
    grid = QGridLayout()
    for row, kind in ((2, QSpinBox), (0, QComboBox), (1, QLineEdit)):
        grid.addWidget(QLabel("a label"), row, 0)
        grid.addWidget(named(kind, f"row {row}"), row, 1)
    body = QWidget()
    body.setLayout(grid)
    area = scrolled(body)
    area.setObjectName("area")
    path = named(QLineEdit, "path")
    buttons, column = QHBoxLayout(), QVBoxLayout(panel)
    for button in (run, log):
        buttons.addWidget(button)
    for part in (path, area):
        column.addWidget(part)
    column.addLayout(buttons)
    qtbot.addWidget(panel)
    panel.show()
    panel.activateWindow()
    qtbot.waitActive(panel)
    path.setFocus()
    return panel


AS_READ = ["path", "area", "row 0", "row 1", "row 2", "run", "log"]


def walk(qtbot: Any, key: Qt.Key, steps: int) -> list[str]:
    found = []
    for _ in range(steps):
        qtbot.keyClick(QApplication.focusWidget(), key)
        found.append(QApplication.focusWidget().objectName())
    return found


def test_the_order_of_the_layouts(panel: ReadPanel) -> None:
    assert names(as_read(panel)) == AS_READ


def test_tab_and_back(qtbot: Any, panel: ReadPanel) -> None:
    assert walk(qtbot, Qt.Key.Key_Tab, 7) == [*AS_READ[1:], "path"]
    assert walk(qtbot, Qt.Key.Key_Backtab, 7) == [*reversed(AS_READ[1:]), "path"]


def test_a_row_that_comes_later_is_in_its_place(qtbot: Any, panel: ReadPanel) -> None:
    old = panel.findChild(QWidget, "row 0")
    grid = old.parentWidget().layout()
    grid.removeWidget(old)
    old.hide()
    old.deleteLater()
    grid.addWidget(named(QLineEdit, "another row 0"), 0, 1)
    QApplication.processEvents()  # a layout shows what is new later
    assert walk(qtbot, Qt.Key.Key_Tab, 3) == ["area", "another row 0", "row 1"]


def test_what_cannot_be_used_is_passed(qtbot: Any, panel: ReadPanel) -> None:
    panel.findChild(QWidget, "row 1").setEnabled(False)
    panel.findChild(QWidget, "run").hide()
    assert walk(qtbot, Qt.Key.Key_Tab, 4) == ["area", "row 0", "row 2", "log"]


def test_pages_come_after_their_tabs_and_rows_of_a_list_are_no_stops(qtbot: Any) -> None:
    tabs = QTabWidget()
    qtbot.addWidget(tabs)
    for name in ("first", "second"):
        page = QWidget()
        QVBoxLayout(page).addWidget(named(QListWidget, name))
        tabs.addTab(page, name)
    assert names(as_read(tabs)) == ["qt_tabwidget_tabbar", "first", "second"]


def test_inner_lines_of_a_number_are_no_stops(qtbot: Any) -> None:
    panel = QWidget()
    qtbot.addWidget(panel)
    box = named(QComboBox, "choice")
    box.setEditable(True)
    column = QVBoxLayout(panel)
    for part in (named(QSpinBox, "number"), box):
        column.addWidget(part)
    assert names(as_read(panel)) == ["number", "choice"]
