from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QWidget

from napari_c2lst.plugin.parts.scrolled import scrolled


def test_what_is_too_tall_scrolls_and_what_is_too_wide_is_fitted(qtbot: Any) -> None:
    inside = QWidget()
    inside.setMinimumHeight(900)
    area = scrolled(inside)
    qtbot.addWidget(area)
    area.resize(300, 400)
    area.show()
    assert area.widget() is inside
    assert area.verticalScrollBar().maximum() > 0
    assert inside.width() <= area.viewport().width()
    assert not area.horizontalScrollBar().isVisible()
