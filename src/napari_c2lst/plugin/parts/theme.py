"""Colours of the theme a widget is in, and colours that colour-blind people can tell apart."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QTabWidget, QWidget

# Okabe and Ito
BLUE, ORANGE, GREEN, VERMILION, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9"
LEVEL_COLOURS = {"info": BLUE, "warning": ORANGE, "error": VERMILION, "success": GREEN}


def text_colour(widget: QWidget) -> QColor:
    """The colour of text on a widget, as the style sheet of the theme left it in the palette."""
    widget.ensurePolished()
    return widget.palette().color(QPalette.ColorRole.WindowText)


def dress_popup(popup: QWidget | None, widget: QWidget) -> None:
    """Let a list that pops up over a widget have its colours: napari's style sheet ends at its window."""
    widget.ensurePolished()
    colours = widget.palette()
    base, text = colours.color(QPalette.ColorRole.Base).name(), colours.color(QPalette.ColorRole.Text).name()
    style = (
        f"QAbstractItemView {{ background: {base}; color: {text}; border: 1px solid {text};"
        f" selection-background-color: {BLUE}; selection-color: white; }}"
    )
    if popup is not None and popup.styleSheet() != style:
        popup.setStyleSheet(style)


def clear_boxes(view: QAbstractItemView) -> None:
    """Boxes of a list that can be seen while they are empty: their edge is about as light or dark as the text."""
    view.setItemDelegate(_ClearBoxes(view))


class _ClearBoxes(QStyledItemDelegate):
    """The style draws the edge of a box in a darker shade of the window's colour, on a dark ground no edge at all.

    The palette of the view itself is that of napari's style sheet, whatever it is set to.
    """

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:
        """Qt's hook: how an item is to be drawn."""
        super().initStyleOption(option, index)
        if option is not None:
            text = option.palette.color(QPalette.ColorRole.Text)
            option.palette.setColor(QPalette.ColorRole.Window, text.lighter(140))


def plain_tabs(tabs: QTabWidget) -> None:
    """Tabs without the band that napari's style draws beside them, and the line, white in dark themes, above it."""
    tabs.setStyleSheet("QTabBar { background: transparent; border: none; }")
    bar = tabs.tabBar()
    if bar is not None:
        bar.setDrawBase(False)


def is_dark(widget: QWidget) -> bool:
    """Whether a widget shows light text."""
    return text_colour(widget).lightness() > 127
