"""A notification that goes takes the keys from nothing of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from qtpy.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.focus_kept import FocusKept
from napari_c2lst.plugin.parts.tab_order import ReadPanel

qt_notification = pytest.importorskip("napari._qt.dialogs.qt_notification")


@pytest.fixture
def window(qtbot: Any) -> QWidget:
    """A canvas that can have the keys, a line in a panel of ours and one in another plugin's."""
    window = QWidget()
    window.canvas, panel = QLineEdit(), ReadPanel()
    window.line, window.foreign = QLineEdit(), QLineEdit()
    QVBoxLayout(panel).addWidget(window.line)
    column = QVBoxLayout(window)
    for part in (window.canvas, panel, window.foreign):
        column.addWidget(part)
    window.kept = FocusKept(window)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    return window


@pytest.fixture
def notify(window: QWidget) -> Callable[[], Any]:
    """Show a notification of napari's on the canvas."""

    def show() -> Any:
        shown = qt_notification.NapariQtNotification("saved", "info", parent=window.canvas)
        shown.show()
        return shown

    return show


def test_what_is_typed_stays_in_its_line(qtbot: Any, window: QWidget, notify: Callable[[], Any]) -> None:
    window.line.setFocus()
    notify().close()
    qtbot.waitUntil(window.line.hasFocus)
    qtbot.keyClicks(QApplication.focusWidget(), "a name")
    assert window.line.text() == "a name"


def test_what_is_not_ours_is_left_to_napari(qtbot: Any, window: QWidget, notify: Callable[[], Any]) -> None:
    window.foreign.setFocus()
    notify().close()
    QApplication.processEvents()
    assert window.canvas.hasFocus()


def test_the_keys_can_go_to_the_picture_while_one_is_shown(
    qtbot: Any, window: QWidget, notify: Callable[[], Any]
) -> None:
    shown = notify()
    window.line.setFocus()
    window.canvas.setFocus()
    QApplication.processEvents()
    assert window.canvas.hasFocus()
    shown.close()


def test_what_is_gone_gets_nothing(qtbot: Any, window: QWidget, notify: Callable[[], Any]) -> None:
    window.line.setFocus()
    notify().close()
    window.line.deleteLater()
    QApplication.sendPostedEvents(window.line, 52)  # deferred deletes
    QApplication.processEvents()
    assert window.canvas.hasFocus()


def test_closed_it_gives_nothing_back(qtbot: Any, window: QWidget, notify: Callable[[], Any]) -> None:
    window.kept.close()
    window.line.setFocus()
    notify().close()
    QApplication.processEvents()
    assert window.canvas.hasFocus()
