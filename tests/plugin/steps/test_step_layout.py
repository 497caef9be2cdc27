"""The keys stay in a step's panel when what had them goes: they would end up at the button that hides the dock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from qtpy.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_c2lst.jobs.tasks import get_task
from napari_c2lst.plugin.forms.form import SettingsForm
from napari_c2lst.plugin.steps.adapt import AdaptPanel
from napari_c2lst.plugin.steps.step_layout import StepLayout


@pytest.fixture
def window(qtbot: Any) -> QWidget:
    """A button as napari's dock has it, and the widgets of a step."""
    window = QWidget()
    window.hider, panel = QPushButton("hide"), QWidget()
    column = QVBoxLayout(window)
    column.addWidget(window.hider)
    column.addWidget(panel)
    form = SettingsForm(get_task("adapt").settings_class(), panel)
    window.ui = StepLayout(panel, form, "Teaches.")
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    return window


def test_a_job_that_starts_leaves_the_keys_in_the_panel(window: QWidget) -> None:
    ui = window.ui
    ui.show_state(False, None, False)
    ui.run.setFocus()
    ui.show_state(True, None, False)  # not begun yet: there is nothing to stop
    assert ui.scroll.hasFocus()
    ui.show_state(False, None, True)
    assert ui.resume.hasFocus()
    ui.show_state(True, None, False)
    ui.show_state(False, None, False)
    assert ui.run.hasFocus()


def test_keys_that_are_elsewhere_stay_there(window: QWidget) -> None:
    window.ui.show_state(False, None, False)
    window.hider.setFocus()
    window.ui.show_state(True, None, False)
    window.ui.show_state(False, None, True)
    assert window.hider.hasFocus()


def test_what_is_still_there_keeps_the_keys(window: QWidget) -> None:
    window.ui.show_state(False, None, False)
    window.ui.fold.setFocus()
    window.ui.show_state(True, None, False)
    assert window.ui.fold.hasFocus()


def test_from_a_setting_to_stop_and_back(qtbot: Any, panel_of: Any, acting: Callable[[str], None]) -> None:
    """With a process: the setting that had the keys when Ctrl+Return was pressed is disabled while it runs."""
    acting("patient")
    panel = panel_of(AdaptPanel)
    panel.activateWindow()
    qtbot.waitActive(panel)
    panel.form.field("steps").native.setFocus()
    panel.run()
    qtbot.waitUntil(panel.ui.stop.isEnabled, timeout=30_000)
    assert panel.ui.stop.hasFocus()
    panel.stop()
    qtbot.waitUntil(lambda: not panel._active(), timeout=30_000)
    focus = QApplication.focusWidget()
    assert focus in (panel.ui.resume, panel.ui.run)
    assert not isinstance(focus, QLineEdit | QLabel)
