"""A field whose value is one out of those that are there: a drop-down list."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFileDialog

from napari_c2lst.common.kinds import may_be_none, strip_optional
from napari_c2lst.common.settings import SettingInfo


class OfferedField:
    """One of several choices; a value that is not offered can be set, and is then shown.

    Parameters
    ----------
    info
        The field of the settings class. A path can also be looked for on disk.
    choices
        Label and value of each.
    nothing
        What no value is called.
    eager
        Take the first choice rather than none, until the user chooses.
    """

    changed = Signal()
    other: ClassVar[str] = "Other folder…"

    def __init__(
        self, info: SettingInfo, choices: Iterable[tuple[str, Any]], nothing: str = "none", eager: bool = False
    ) -> None:
        self.info = info
        self._eager = eager
        self._nothing = nothing
        self._choices: list[tuple[str, Any]] = []
        self._chosen = 0  # the last choice that was none of "other"
        self._own: Any = None  # a path that was looked for on disk: no list knows it
        self._is_path = strip_optional(info.annotation) is Path
        self.native = QComboBox()
        # long names must not make the panel wide
        self.native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.native.setMinimumContentsLength(8)
        self.native.currentIndexChanged.connect(self._on_change)
        self.native.activated.connect(self._on_activated)
        self.offer(choices)

    def offer(self, choices: Iterable[tuple[str, Any]]) -> None:
        """Replace the choices; the value stays if it is among them or a path of one's own, else the first is taken."""
        before = self.get()
        self._choices = list(choices)
        if may_be_none(self.info.annotation) or not self._choices:
            self._choices.insert(0, (self._nothing, None))
        values = [value for _, value in self._choices]
        if before is not None and before == self._own and before not in values:
            self._choices.append((str(before), before))
        elif before not in values or (before is None and self._eager):
            self._show(values[1] if self._eager and len(values) > 1 else values[0], before)
            return
        self._show(before, before)

    def get(self) -> Any:
        """The chosen value; None for none."""
        index = self.native.currentIndex()
        return self._choices[index][1] if 0 <= index < len(self._choices) else None

    def set(self, value: Any) -> None:
        """Choose a value."""
        before = self.get()
        self._eager = False
        if self._is_path and value is not None:
            value = Path(value)
        if value not in [each for _, each in self._choices]:
            self._choices.append((self._nothing if value is None else str(value), value))
            self._own = value if self._is_path else None
        self._show(value, before)

    def problem(self) -> str:
        """Nothing is wrong with a choice."""
        return ""

    def missing(self) -> str:
        """What to do first where a value is needed and there is none to choose; else empty."""
        needed = self.get() is None and not may_be_none(self.info.annotation)
        return self._nothing if needed and self._nothing != "none" else ""

    def choose_other(self) -> None:
        """Let the user look for a folder."""
        folder = QFileDialog.getExistingDirectory(self.native, "Choose a run folder")
        if folder:
            self.set(folder)

    def _show(self, value: Any, before: Any) -> None:
        self.native.blockSignals(True)
        self.native.clear()
        for label, each in self._choices:
            self.native.addItem(label)
            tip = "" if each is None else str(each)
            self.native.setItemData(self.native.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        if self._is_path:
            self.native.addItem(self.other)
        self._chosen = [each for _, each in self._choices].index(value)
        self.native.setCurrentIndex(self._chosen)
        self.native.blockSignals(False)
        if self.get() != before:
            self.changed.emit()

    def _on_change(self, index: int) -> None:
        if 0 <= index < len(self._choices):
            self._chosen = index
            self.changed.emit()

    def _on_activated(self, index: int) -> None:
        self._eager = False
        if index == len(self._choices):
            self.native.blockSignals(True)
            self.native.setCurrentIndex(self._chosen)  # stays if the user goes back from the dialog
            self.native.blockSignals(False)
            self.choose_other()
