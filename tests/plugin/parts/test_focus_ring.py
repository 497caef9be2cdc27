"""Who goes by the keys sees where they are: in our panels, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QPushButton, QSplitter, QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.focus_ring import FocusRing
from napari_c2lst.plugin.parts.tab_order import ReadPanel
from napari_c2lst.plugin.parts.theme import BLUE, SKY


@pytest.fixture
def window(qtbot: Any) -> Iterator[QWidget]:
    """A window with a panel of ours and a button that is none of it."""
    window = QWidget()
    panel = ReadPanel()
    window.one, window.two, window.foreign = QPushButton("one"), QPushButton("two"), QPushButton("foreign")
    inside = QVBoxLayout(panel)
    inside.setContentsMargins(0, 0, 0, 0)
    inside.addWidget(window.one)
    inside.addWidget(window.two)
    column = QVBoxLayout(window)
    column.addWidget(panel)
    column.addWidget(window.foreign)
    window.panel = panel
    window.ring = FocusRing(window)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    window.foreign.setFocus()
    yield window
    window.ring.close()


def drawn(window: QWidget) -> QWidget:
    """The widget that is the ring."""
    assert window.ring._ring is not None
    return window.ring._ring


def test_it_goes_along_with_the_keys(qtbot: Any, window: QWidget) -> None:
    assert window.ring.around is None  # not ours
    window.one.setFocus()
    assert window.ring.around is window.one
    qtbot.keyClick(window.one, Qt.Key.Key_Tab)
    assert window.ring.around is window.two
    window.foreign.setFocus()
    assert window.ring.around is None


def test_the_mouse_needs_none(qtbot: Any, window: QWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QApplication, "mouseButtons", lambda: Qt.MouseButton.LeftButton)
    window.one.setFocus(Qt.FocusReason.MouseFocusReason)
    assert window.ring.around is None


def test_it_is_seen_around_the_widget_and_lets_the_mouse_through(qtbot: Any, window: QWidget) -> None:
    window.two.setFocus()
    ring = drawn(window)
    assert ring.isVisible()
    assert ring.geometry().contains(window.two.geometry())
    assert window.panel.rect().contains(ring.geometry())  # whole, also at the edge of the panel
    pressed: list[bool] = []
    window.two.clicked.connect(pressed.append)
    at = window.two.rect().center()
    child = window.panel.childAt(window.two.mapTo(window.panel, at))
    assert child is window.two
    qtbot.mouseClick(child, Qt.MouseButton.LeftButton)
    assert pressed


@pytest.mark.parametrize(("style", "colour"), [("color: white; background: #262930", SKY), ("color: black", BLUE)])
def test_its_colour_can_be_told_from_both_themes(qtbot: Any, window: QWidget, style: str, colour: str) -> None:
    window.setStyleSheet(f"QWidget {{ {style}; }}")
    window.two.setFocus()
    QApplication.processEvents()
    picture = window.panel.grab(drawn(window).geometry()).toImage()
    found = {picture.pixelColor(x, 0).name() for x in range(5, picture.width() - 5)}
    assert colour in found


def test_it_follows_what_moves_and_hides(qtbot: Any, window: QWidget) -> None:
    window.two.setFocus()
    before = drawn(window).geometry()
    window.one.setMinimumHeight(90)
    qtbot.waitUntil(lambda: drawn(window).geometry() != before)
    assert drawn(window).geometry().contains(window.two.geometry())
    window.panel.hide()
    assert window.ring.around is None or not drawn(window).isVisible()


def test_a_splitter_gets_no_pane_more(qtbot: Any, window: QWidget) -> None:
    panes = QSplitter()
    inside = QPushButton("inside")
    panes.addWidget(inside)
    window.panel.layout().addWidget(panes)
    panes.show()
    inside.setFocus()
    assert window.ring.around is inside
    assert panes.count() == 1


def test_another_window_has_its_own(qtbot: Any, window: QWidget) -> None:
    other = QWidget()
    qtbot.addWidget(other)
    panel, button = ReadPanel(other), QPushButton("there")
    QVBoxLayout(panel).addWidget(button)
    QVBoxLayout(other).addWidget(panel)
    other.show()
    window.ring._on_focus(None, button)  # as Qt tells every ring of the process
    assert window.ring.around is None
    ring = FocusRing(other)
    ring._on_focus(None, button)
    assert ring.around is button
    ring.close()


def test_nothing_stays_when_it_is_closed_or_the_panel_goes(qtbot: Any, window: QWidget) -> None:
    window.one.setFocus()
    children = len(window.panel.children())
    for _ in range(10):
        window.two.setFocus()
        window.one.setFocus()
    QApplication.sendPostedEvents(None, 52)  # deferred deletes
    assert len(window.panel.children()) == children
    window.panel.deleteLater()
    QApplication.sendPostedEvents(None, 52)
    assert window.ring.around is None
    window.foreign.setFocus()


def test_every_viewer_has_one(make_napari_viewer: Any) -> None:
    from napari_c2lst.plugin.shared import shared_of

    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((4, 4)))
    assert isinstance(shared_of(viewer).extras["focus"], FocusRing)
