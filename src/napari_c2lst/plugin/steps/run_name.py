"""The name of a run: a folder among the slide's runs, unless a whole path is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.widgets import LineEdit

from napari_c2lst.common.settings import SettingInfo
from napari_c2lst.plugin.forms.field import Field
from napari_c2lst.plugin.forms.fields import path_of


class RunNameField(Field):
    """A run folder by its name.

    Parameters
    ----------
    info
        The field `out`.
    stem
        What a first run is called; the second one gets a number.

    Attributes
    ----------
    folder
        Where runs of the slide are kept; None while no slide is open.
    """

    def __init__(self, info: SettingInfo, stem: str) -> None:
        self.folder: Path | None = None
        self._stem = stem
        self._proposed = ""
        super().__init__(info, LineEdit())
        self.native.setPlaceholderText("a name, or the path of a folder")

    @property
    def typed(self) -> str:
        """The name as it was typed."""
        return self.widget.value.strip()

    def get(self) -> Path | None:
        path = path_of(self.typed)
        return path if path is None or self.folder is None else self.folder / path  # a whole path stays what it is

    def set(self, value: Any) -> None:
        if value is None:
            self.widget.value = ""
            return
        path = Path(value)
        inside = self.folder is not None and path.parent == self.folder
        self.widget.value = path.name if inside else str(path)

    def look_in(self, folder: Path | None) -> None:
        """Propose a name that is free in a folder, unless the user gave one of their own that is free."""
        self.folder = folder
        mine = self.typed
        if mine in ("", self._proposed) or self._taken(mine):
            self._proposed = self._free(mine if mine and mine != self._proposed else self._stem)
            self.widget.value = self._proposed

    def problem(self) -> str:
        """Why the name cannot be one; a run that is not a plain folder beside the others would not be found again."""
        path = path_of(self.typed)
        if path is None:
            return "give it a name"
        if path.is_absolute():
            return ""
        if len(path.parts) != 1:
            return "a name has no / in it"
        return "a name does not begin with a dot" if path.name.startswith(".") else ""

    def _taken(self, name: str) -> bool:
        try:
            return self.folder is not None and (self.folder / name).exists()
        except OSError:  # no disk takes such a name: the job says so
            return False

    def _free(self, wanted: str) -> str:
        stem, _, number = wanted.rpartition("_")
        if not (stem and number.isdecimal()):
            stem, number = wanted, "1"
        names = (stem if n == 1 else f"{stem}_{n}" for n in range(int(number), int(number) + 10_000))
        return next(name for name in names if not self._taken(name))
