"""What every field of a form is: a setting and the widget that shows it."""

from __future__ import annotations

from typing import Any

from psygnal import Signal
from qtpy.QtWidgets import QWidget

from napari_c2lst.common.kinds import may_be_none
from napari_c2lst.common.settings import SettingInfo


class Field:
    """One setting as a widget.

    Attributes
    ----------
    info
        The field of the settings class.
    widget
        The magicgui widget that shows it.
    """

    changed = Signal()

    def __init__(self, info: SettingInfo, widget: Any) -> None:
        self.info = info
        self.widget = widget
        self.set(info.default)
        widget.changed.connect(self._on_change)

    @property
    def native(self) -> QWidget:
        """The Qt widget."""
        return self.widget.native

    def get(self) -> Any:
        """The value; what cannot be read as one comes as the text it is: the settings class says what is wrong."""
        return self.widget.value

    def set(self, value: Any) -> None:
        """Show a value."""
        self.widget.value = value

    def problem(self) -> str:
        """Why the value cannot be used, in words; empty when it can."""
        return ""

    def _on_change(self, *_: Any) -> None:
        self.changed.emit()


def placeholder_of(info: SettingInfo) -> str:
    """What an empty field stands for: 'one for each core' where the help says 'none = one for each core'."""
    _, sign, rest = info.help.partition("none = ")
    if sign:
        return rest.split(";")[0].strip()
    return "none" if may_be_none(info.annotation) else ""
