"""Tab goes through a panel as one reads it: down the rows, and along each of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QGridLayout,
    QLayout,
    QScrollArea,
    QTabBar,
    QTabWidget,
    QWidget,
)

_WHOLE = (QComboBox, QAbstractSpinBox, QAbstractScrollArea, QTabBar)


class ReadPanel(QWidget):
    """A panel in which Tab goes as one reads.

    Qt goes by when a widget was made. The order is set at each Tab, since rows come and go with the settings.
    """

    def focusNextPrevChild(self, next: bool) -> bool:
        """Qt's hook for Tab and Shift+Tab of whatever is inside.

        Of what is shown alone: with the hidden pages of a dock in the order, Tab left the dock after some panels.
        """
        for before, after in pairwise(each for each in as_read(self) if each.isVisible()):
            QWidget.setTabOrder(before, after)
        return super().focusNextPrevChild(next)


def as_read(widget: QWidget) -> list[QWidget]:
    """The widgets inside that Tab can go to, in the order of the layouts they are in."""
    return [each for each in _inside(widget) if each.focusPolicy() & Qt.FocusPolicy.TabFocus]


def _inside(widget: QWidget) -> Iterator[QWidget]:
    for part in _parts(widget):
        yield part
        # the inner widgets of a choice or a number go along with it
        if isinstance(part, QScrollArea) or not isinstance(part, _WHOLE):
            yield from _inside(part)


def _parts(widget: QWidget) -> list[QWidget]:
    if isinstance(widget, QScrollArea):
        inside = widget.widget()
        return [] if inside is None else [inside]
    if isinstance(widget, QTabWidget):
        bar = widget.tabBar()
        pages = [page for page in (widget.widget(i) for i in range(widget.count())) if page is not None]
        return pages if bar is None else [bar, *pages]
    layout = widget.layout()
    found = [] if layout is None else list(_laid_out(layout))
    loose = [child for child in widget.children() if isinstance(child, QWidget) and not child.isWindow()]
    return [*found, *(child for child in loose if child not in found)]


def _laid_out(layout: QLayout) -> Iterator[QWidget]:
    places = list(range(layout.count()))
    if isinstance(layout, QGridLayout):  # counts its items as they came
        places.sort(key=lambda i: layout.getItemPosition(i)[:2])
    for i in places:
        item = layout.itemAt(i)
        widget, inner = (None, None) if item is None else (item.widget(), item.layout())
        if widget is not None:
            yield widget
        elif inner is not None:
            yield from _laid_out(inner)
