"""Tabs look like napari's own in both themes."""

from __future__ import annotations

from typing import Any

import pytest
from napari._qt.qt_resources import get_stylesheet
from qtpy.QtWidgets import QLabel, QTabWidget, QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.theme import is_dark, plain_tabs


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_drawn_beside_the_tabs(qtbot: Any, theme: str) -> None:
    window, tabs = QWidget(), QTabWidget()
    qtbot.addWidget(window)
    tabs.setDocumentMode(True)
    plain_tabs(tabs)
    for name in ("Find", "Look"):
        tabs.addTab(QLabel(name), name)
    QVBoxLayout(window).addWidget(tabs)
    window.setStyleSheet(get_stylesheet(theme))
    window.resize(400, 200)
    window.show()
    qtbot.waitExposed(window)
    assert is_dark(window) == (theme == "dark")
    picture, bar = window.grab().toImage(), tabs.tabBar()
    top = bar.mapTo(window, bar.rect().topLeft()).y()
    right = tabs.geometry().right() - 20  # far from the tabs
    column = {picture.pixelColor(right, y).name() for y in range(top - 2, top + bar.height() + 2)}
    assert column == {picture.pixelColor(3, 3).name()}  # the window itself: neither a band nor a line
