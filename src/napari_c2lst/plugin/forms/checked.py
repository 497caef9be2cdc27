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
        self.offer(choices)

    def offer(self, choices: Iterable[tuple[str, Any]]) -> None:
        """Replace the choices; what is checked stays checked if it is among them."""
        checked = self.get()
        self._list.blockSignals(True)
        self._list.clear()
        for label, value in choices:
            self._add(label, value, value in checked)
        self._fit()
        self._list.blockSignals(False)
        if self.get() != checked:
            self.changed.emit()

    def get(self) -> Any:
        """The checked values, in the order they are shown."""
        items = [self._list.item(row) for row in range(self._list.count())]
        values = [item.data(_USER) for item in items if item.checkState() == Qt.CheckState.Checked]
        kind = strip_optional(self.info.annotation)
        return tuple(values) if (get_origin(kind) or kind) is tuple else values

    def set(self, value: Any) -> None:
        """Check these values and no others."""
        wanted = [Path(each) if item_type(strip_optional(self.info.annotation)) is Path else each for each in value]
        before = self.get()
        self._list.blockSignals(True)
        there = []
        for row in range(self._list.count()):
            item = self._list.item(row)
            there.append(item.data(_USER))
            item.setCheckState(_state(item.data(_USER) in wanted))
        for each in wanted:
            if each not in there:
                self._add(str(each), each, True)
        self._fit()
        self._list.blockSignals(False)
        if self.get() != before:
            self.changed.emit()

    def problem(self) -> str:
        """Nothing can be wrong with it."""
        return ""

    def _add(self, label: str, value: Any, checked: bool) -> None:
        item = QListWidgetItem(label)
        item.setData(_USER, value)
        item.setToolTip(str(value))
        item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        item.setCheckState(_state(checked))
        self._list.addItem(item)

    def _fit(self) -> None:
        rows = min(max(self._list.count(), 1), _ROWS)
        height = max(self._list.sizeHintForRow(0), self._list.fontMetrics().height() + 6)
        self._list.setFixedHeight(rows * height + 6)

    def _on_change(self, *_: Any) -> None:
        self.changed.emit()


def _state(checked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked
