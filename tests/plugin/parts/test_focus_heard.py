"""Changes of the focus are heard until it is closed."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QApplication, QWidget

from napari_c2lst.plugin.parts.focus_heard import FocusHeard


class Heard(FocusHeard):
    """Keeps what it hears."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.said: list[Any] = []

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        self.said.append((old, new))


def test_heard_until_it_is_closed(qtbot: Any) -> None:
    window, other = QWidget(), QWidget()
    qtbot.addWidget(window)
    qtbot.addWidget(other)
    heard = Heard(window)
    QApplication.instance().focusChanged.emit(window, other)
    assert heard.said == [(window, other)]
    heard.close()
    QApplication.instance().focusChanged.emit(other, window)
    assert len(heard.said) == 1


def test_who_hears_says_what_to_do(qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    heard = FocusHeard(window)
    with pytest.raises(NotImplementedError):
        heard._on_focus(None, window)
    heard.close()
