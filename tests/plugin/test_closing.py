from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QEvent
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QVBoxLayout, QWidget

from napari_c2lst.plugin.closing import WindowGuard, dock_of, guard_dock


class Desk:
    """Answers as it is told, and keeps what was asked of it."""

    def __init__(self, answer: bool = True, loses: bool = True) -> None:
        self.answer, self.loses, self.calls = answer, loses, []

    def confirm_close(self, parent: Any) -> bool:
        self.calls.append("asked")
        return self.answer

    def confirm_loss(self, parent: Any) -> bool:
        self.calls.append("told of the loss")
        return self.loses

    def close(self) -> None:
        self.calls.append("closed")


class Dock(QDockWidget):
    """A dock as napari's: its close button calls this method."""

    closed = 0

    def destroyOnClose(self) -> None:  # napari's name
        self.closed += 1


@pytest.mark.parametrize("stays", [True, False])
def test_a_window_asks_and_ends_the_jobs(qtbot: Any, stays: bool) -> None:
    window, desk, ends = QMainWindow(), Desk(answer=not stays), []
    qtbot.addWidget(window)
    WindowGuard(window, desk, lambda: ends.append("end"))  # type: ignore[arg-type]
    window.show()
    assert window.close() is not stays
    assert window.isVisible() is stays
    assert desk.calls == (["asked"] if stays else ["asked", "told of the loss", "closed"])
    assert ends == ([] if stays else ["end"])
    desk.answer = True
    window.close()
    window.close()
    assert ends == ["end"]  # once


def test_a_window_stays_for_results_that_are_kept_nowhere_else(qtbot: Any) -> None:
    window, desk, ends = QMainWindow(), Desk(loses=False), []
    qtbot.addWidget(window)
    WindowGuard(window, desk, lambda: ends.append("end"))  # type: ignore[arg-type]
    window.show()
    assert not window.close()
    assert desk.calls == ["asked", "told of the loss"]  # no job was stopped
    desk.loses = True
    assert window.close()
    assert ends == ["end"]


def test_a_user_who_stays_after_all_loses_nothing_more(qtbot: Any) -> None:
    """napari asks too: the jobs are stopped by then, but what the panels share lives on."""

    class Stubborn(QMainWindow):
        def closeEvent(self, event: QCloseEvent | None) -> None:
            assert event is not None
            event.ignore()

    class Spontaneous(QCloseEvent):
        def spontaneous(self) -> bool:
            return True

    window, desk, ends = Stubborn(), Desk(), []
    qtbot.addWidget(window)
    guard = WindowGuard(window, desk, lambda: ends.append("end"))  # type: ignore[arg-type]
    window.show()
    event = Spontaneous()
    assert guard.eventFilter(window, event) is False
    QApplication.processEvents()
    assert ends == []
    window.hide()
    guard.eventFilter(window, event)
    QApplication.processEvents()
    assert ends == ["end"]


def test_other_events_and_widgets_pass(qtbot: Any) -> None:
    window, other, desk = QMainWindow(), QWidget(), Desk()
    qtbot.addWidget(window)
    qtbot.addWidget(other)
    guard = WindowGuard(window, desk, lambda: None)  # type: ignore[arg-type]
    assert guard.eventFilter(window, QEvent(QEvent.Type.Resize)) is False
    assert guard.eventFilter(other, QCloseEvent()) is False
    assert desk.calls == []


def test_the_close_button_of_a_dock_asks(qtbot: Any) -> None:
    dock, inside, panel, desk = Dock(), QWidget(), QWidget(), Desk(answer=False)
    qtbot.addWidget(dock)
    QVBoxLayout(inside).addWidget(panel)
    dock.setWidget(inside)
    assert dock_of(panel) is dock
    guard_dock(panel, desk)  # type: ignore[arg-type]
    guard_dock(panel, desk)  # type: ignore[arg-type]
    dock.destroyOnClose()
    assert (desk.calls, dock.closed) == (["asked"], 0)
    desk.answer = True
    dock.destroyOnClose()
    assert (desk.calls, dock.closed) == (["asked", "asked", "closed"], 1)


def test_a_widget_without_a_dock_is_left_alone(qtbot: Any) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    assert dock_of(widget) is None
    guard_dock(widget, Desk())  # type: ignore[arg-type]
