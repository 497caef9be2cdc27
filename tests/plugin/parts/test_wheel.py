"""Scrolling a panel changes no choice that passes under the mouse."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QComboBox, QSlider, QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.wheel import WheelGuard


@pytest.fixture
def window(qtbot: Any) -> QWidget:
    """A choice and a slider, guarded, and a second choice that can take the focus."""
    window = QWidget()
    window.choice, window.other, window.slider = QComboBox(), QComboBox(), QSlider(Qt.Orientation.Horizontal)
    window.choice.addItems(["a", "b", "c"])
    window.choice.setCurrentIndex(1)
    window.slider.setValue(50)
    layout = QVBoxLayout(window)
    guard = WheelGuard(window)
    for widget in (window.other, window.choice, window.slider):
        layout.addWidget(widget)
        guard.guard(widget)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    window.other.setFocus()
    return window


def scroll(widget: QWidget) -> bool:
    """Turn the wheel over a widget; whether the widget took it."""
    at = QPointF(5, 5)
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    return QApplication.sendEvent(widget, event) and event.isAccepted()


def test_a_wheel_over_a_choice_is_left_to_the_panel(window: Any) -> None:
    assert not scroll(window.choice)
    assert not scroll(window.slider)
    assert window.choice.currentIndex() == 1
    assert window.slider.value() == 50


def test_a_choice_that_was_clicked_takes_the_wheel(qtbot: Any, window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window.choice, "hasFocus", lambda: True)
    scroll(window.choice)
    assert window.choice.currentIndex() == 2


def test_the_wheel_gives_no_focus_and_tab_still_does(window: Any) -> None:
    for widget in (window.choice, window.slider):
        assert widget.focusPolicy() == Qt.FocusPolicy.StrongFocus


def test_keys_still_change_a_choice(qtbot: Any, window: Any) -> None:
    qtbot.keyClick(window.choice, Qt.Key.Key_Down)
    assert window.choice.currentText() == "c"
