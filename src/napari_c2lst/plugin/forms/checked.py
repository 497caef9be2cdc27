"""A field of several values out of those that are there: a list with boxes to check."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_origin

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QWidget

from napari_c2lst.common.kinds import item_type, strip_optional
from napari_c2lst.common.settings import SettingInfo
from napari_c2lst.plugin.parts.theme import clear_boxes

_ROWS = 4  # that are shown without scrolling
_USER = Qt.ItemDataRole.UserRole


class CheckedField:
    """Several values, each with a box to check; values that are not offered can be set, and are then shown.

    Parameters
    ----------
    info
        The field of the settings class.
    choices
        Label and value of each.
    """

    changed = Signal()

    def __init__(self, info: SettingInfo, choices: Iterable[tuple[str, Any]] = ()) -> None:
        self.info = info
        self.native: QWidget = QListWidget()
        self._list: QListWidget = self.native
        self._list.itemChanged.connect(self._on_change)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # tooltips say long names
        clear_boxes(self._list)
        self._none = ""
        self.offer(choices)

    def explain_none(self, text: str) -> None:
        """Say, below the choices, what it means while none of them is checked."""
        self._none = text
        self._renew_none()

    def offer(self, choices: Iterable[tuple[str, Any]]) -> None:
        """Replace the choices; what is checked stays checked if it is among them."""
        checked = self.get()
        self._list.blockSignals(True)
        self._list.clear()
        for label, value in choices:
            self._add(label, value, value in checked)
        self._list.blockSignals(False)
        self._renew_none()
        if self.get() != checked:
            self.changed.emit()

    def get(self) -> Any:
        """The checked values, in the order they are shown."""
        items = self._items()
        values = [item.data(_USER) for item in items if item.checkState() == Qt.CheckState.Checked]
        kind = strip_optional(self.info.annotation)
        return tuple(values) if (get_origin(kind) or kind) is tuple else values

    def set(self, value: Any) -> None:
        """Check these values and no others."""
        wanted = [Path(each) if item_type(strip_optional(self.info.annotation)) is Path else each for each in value]
        before = self.get()
        self._list.blockSignals(True)
        there = []
        for item in self._items():
            there.append(item.data(_USER))
            item.setCheckState(_state(item.data(_USER) in wanted))
        for each in wanted:
            if each not in there:
                self._add(str(each), each, True)
        self._list.blockSignals(False)
        self._renew_none()
        if self.get() != before:
            self.changed.emit()

    def problem(self) -> str:
        """Nothing can be wrong with it."""
        return ""

    def _items(self) -> list[QListWidgetItem]:
        """The rows that can be checked."""
        items = [self._list.item(row) for row in range(self._list.count())]
        return [item for item in items if item is not None and item.flags() & Qt.ItemFlag.ItemIsUserCheckable]

    def _renew_none(self) -> None:
        """The last row, which cannot be checked: what it means that nothing is."""
        self._list.blockSignals(True)
        choices = self._items()
        while self._list.count() > len(choices):
            self._list.takeItem(self._list.count() - 1)
        if self._none and choices and not self.get():
            row = QListWidgetItem(self._none)
            row.setFlags(Qt.ItemFlag.ItemIsEnabled)
            row.setToolTip(self._none)
            font = row.font()
            font.setItalic(True)
            row.setFont(font)
            self._list.addItem(row)
        self._fit()
        self._list.blockSignals(False)

    def _add(self, label: str, value: Any, checked: bool) -> None:
        item = QListWidgetItem(label)
        item.setData(_USER, value)
        item.setToolTip(str(value))
        item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        item.setCheckState(_state(checked))
        self._list.insertItem(len(self._items()), item)

    def _fit(self) -> None:
        rows = min(max(self._list.count(), 1), _ROWS)
        height = max(self._list.sizeHintForRow(0), self._list.fontMetrics().height() + 6)
        self._list.setFixedHeight(rows * height + 6)

    def _on_change(self, *_: Any) -> None:
        self._renew_none()
        self.changed.emit()


def _state(checked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked
