"""The field for weights: those of the package, of own trainings, public ones, or a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from qtpy.QtWidgets import QFileDialog

from napari_c2lst.common.kinds import may_be_none
from napari_c2lst.common.settings import SettingInfo
from napari_c2lst.plugin.forms.offered import OfferedField

_FILTER = "HoVer-Net weights (*.safetensors *.tar *.pth *.pt);;All files (*)"


class WeightsField(OfferedField):
    """One of the weights that are there; a file can be looked for on disk, and stays offered."""

    other: ClassVar[str] = "A file…"

    def __init__(self, info: SettingInfo, nothing: str = "none") -> None:
        self._files: list[str] = []
        super().__init__(info, [], nothing)
        self._is_path = True  # so that a file can be looked for

    def offer(self, choices: Iterable[tuple[str, Any]]) -> None:
        """Replace the choices, but for files that were chosen."""
        there = list(choices)
        known = [value for _, value in there]
        super().offer([*there, *((each, each) for each in self._files if each not in known)])

    def set(self, value: Any) -> None:
        """Choose weights."""
        value = None if value is None else str(value)
        if value is not None and value not in [each for _, each in self._choices]:
            self._files.append(value)
        self._is_path = False  # the value is a text, not a path
        super().set(value)
        self._is_path = True
        self._show(self.get(), self.get())

    def choose_other(self) -> None:
        """Let the user look for a file."""
        file, _ = QFileDialog.getOpenFileName(self.native, "Choose weights", "", _FILTER)
        if file:
            self.set(file)

    def problem(self) -> str:
        """Why there is nothing to work with; some tasks can do without."""
        return "" if self.get() or may_be_none(self.info.annotation) else "choose weights"
