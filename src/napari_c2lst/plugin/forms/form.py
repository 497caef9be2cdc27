"""The form of a settings class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_c2lst.common.settings import TaskSettings


class SettingsForm(QWidget):
    """A form with one widget for each field of a settings class.

    Parameters
    ----------
    settings_class
        The settings of a task.
    """

    changed = Signal()

    def __init__(self, settings_class: type[TaskSettings], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.settings_class = settings_class

    def values(self) -> dict[str, Any]:
        """The value of every field, hidden ones included."""
        raise NotImplementedError

    def explicit(self) -> dict[str, Any]:
        """What differs from the preset: what a command line needs."""
        raise NotImplementedError

    def set_values(self, values: dict[str, Any]) -> None:
        """Show these values; fields that are not named keep theirs."""
        raise NotImplementedError

    def resolve(self) -> TaskSettings:
        """The settings, all faults at once as an InputError."""
        raise NotImplementedError

    def hide_fields(self, *names: str) -> None:
        """Leave fields out of the form; they keep their values."""
        raise NotImplementedError

    def fix(self, name: str, value: Any) -> None:
        """Set a field to a value that the user does not choose, and leave it out of the form."""
        raise NotImplementedError

    def offer(self, name: str, choices: Iterable[tuple[str, Any]]) -> None:
        """Offer choices (label, value) for a field, such as the spot sets of the open slide."""
        raise NotImplementedError
