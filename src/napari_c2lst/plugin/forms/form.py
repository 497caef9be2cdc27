"""The form of a settings class: every field as a widget, presets, advanced fields folded away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QToolButton, QVBoxLayout, QWidget

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.kinds import is_sequence, strip_optional
from napari_c2lst.common.settings import DeviceSettings, RunSettings, SettingInfo, TaskSettings, default_preset

from .checked import CheckedField
from .field import Field
from .fields import ChoiceField, field_of
from .labels import faults_in_window
from .offered import OfferedField
from .rows import Rows

AnyField = Field | OfferedField | CheckedField
_SHARED_LAST = (DeviceSettings.model_fields.keys() | RunSettings.model_fields.keys()) - {"preset", "out"}


class SettingsForm(QWidget):
    """A form with one widget for each field of a settings class.

    Parameters
    ----------
    settings_class
        The settings of a task.
    first
        Fields to show first, below the preset.

    Notes
    -----
    The form shows the values of the chosen preset. Choosing another preset shows that one's values in every field that
    presets differ in; another device does so only in fields the user has not changed.
    """

    changed = Signal()

    def __init__(
        self, settings_class: type[TaskSettings], parent: QWidget | None = None, *, first: Sequence[str] = ()
    ) -> None:
        super().__init__(parent)
        self.settings_class = settings_class
        self._infos = {info.name: info for info in settings_class.fields_info()}
        self._fields: dict[str, AnyField] = {}
        self._hidden: set[str] = set()
        self._off: set[str] = set()
        self._meaning = "paper"
        self._rows, self._advanced = Rows(self), Rows(self)
        self._fold = _fold_button(self)
        self._fold.toggled.connect(self._on_fold)
        self._lay_out()
        for info in _in_order(self._infos.values(), first):
            self.use(self._field_of(info))
        self._show_preset()
        self._on_fold(False)

    def field(self, name: str) -> AnyField:
        """The field of that name."""
        return self._fields[name]

    def use(self, field: AnyField) -> None:
        """Show a field by this widget, in place of the one that was there."""
        name = field.info.name
        self._fields[name] = field
        rows = self._advanced if field.info.advanced else self._rows
        rows.put(field)
        rows.set_visible(name, name not in self._hidden | self._off)
        field.changed.connect(lambda: self._on_change(name))

    def values(self) -> dict[str, Any]:
        """The value of every field, hidden ones included; of a field that is switched off, the preset's."""
        base = self.preset_values()
        return {name: base[name] if name in self._off else self._fields[name].get() for name in self._infos}

    def explicit(self) -> dict[str, Any]:
        """What differs from the preset: what a command line needs, and a job is started with."""
        base, values = self.preset_values(), self.values()
        differing = {name: value for name, value in values.items() if name != "preset" and value != base[name]}
        preset = values.get("preset", "auto")
        return differing if preset == "auto" else {"preset": preset, **differing}

    def set_values(self, values: dict[str, Any]) -> None:
        """Show these values; the preset comes first, fields that are not named keep theirs."""
        if "preset" in values and "preset" in self._fields:
            self._fields["preset"].set(values["preset"])
        for name, value in values.items():
            if name != "preset":
                self._fields[name].set(value)

    def resolve(self, values: dict[str, Any] | None = None) -> TaskSettings:
        """The settings; all faults at once, in the form's own words.

        Parameters
        ----------
        values
            Others than those that are shown.

        Raises
        ------
        InputError
            If a value cannot be used or is missing.
        """
        try:
            return self.settings_class.resolve(**(self.explicit() if values is None else values))
        except InputError as error:
            hint = "; ".join(self._missing()) or "correct it in the form"
            raise InputError(faults_in_window(error.message, self._infos), hint) from None

    def reset(self) -> None:
        """Show the values of the preset again in every field that is not hidden."""
        for name, value in self.preset_values().items():
            if name not in self._hidden and name != "preset":
                self._fields[name].set(value)

    def hide_fields(self, *names: str) -> None:
        """Leave fields out of the form; they keep their values."""
        for name in names:
            if name in self._fields:
                self._hidden.add(name)
                self._rows.set_visible(name, False)
                self._advanced.set_visible(name, False)
        self._fold.setVisible(any(i.advanced and i.name not in self._hidden for i in self._infos.values()))

    def show_fields(self, *names: str) -> None:
        """Bring hidden fields back into the form."""
        for name in names:
            self._hidden.discard(name)
            self._rows.set_visible(name, name not in self._off)
            self._advanced.set_visible(name, name not in self._off)

    def switch(self, name: str, on: bool) -> None:
        """Show a field that matters now, or leave one out that does not: its value is then as if never touched."""
        if (name in self._off) == on:
            (self._off.discard if on else self._off.add)(name)
            for rows in (self._rows, self._advanced):
                rows.set_visible(name, on and name not in self._hidden)

    def fix(self, name: str, value: Any) -> None:
        """Set a field to a value that the user does not choose, and leave it out of the form."""
        self._fields[name].set(value)
        self.hide_fields(name)

    def offer(
        self, name: str, choices: Iterable[tuple[str, Any]], nothing: str = "none", *, eager: bool = False
    ) -> None:
        """Offer choices (label, value) for a field; one that holds several values gets a box to check for each.

        Parameters
        ----------
        nothing
            What the choice of no value is called.
        eager
            Take the first choice rather than none, until the user chooses.
        """
        there = self._fields[name]
        if isinstance(there, OfferedField | CheckedField):
            there.offer(choices)
            return
        info, value = self._infos[name], there.get()
        several = is_sequence(strip_optional(info.annotation))
        field: Any = CheckedField(info, choices) if several else OfferedField(info, choices, nothing, eager)
        # what no one has chosen (a default that is not there) gives way to what is offered
        if value != info.default:
            field.set(value)
        self.use(field)
        self._on_change(name)

    def preset_values(self) -> dict[str, Any]:
        """The values of the chosen preset for every field; 'auto' means what it would mean on this computer."""
        changes = self.settings_class.presets.get(self._meaning, {})
        return {name: changes.get(name, info.default) for name, info in self._infos.items()}

    @property
    def preset_meaning(self) -> str:
        """The preset that is shown: "paper" or "small", also when 'auto' is chosen."""
        return self._meaning

    def problems(self) -> dict[str, str]:
        """The fields whose values cannot be read or are out of bounds, with the reason."""
        found = {name: field.problem() for name, field in self._fields.items() if name not in self._hidden | self._off}
        return {name: problem for name, problem in found.items() if problem}

    def _missing(self) -> list[str]:
        """What has to be done first, for want of anything to choose: 'select spots first'."""
        fields = [field for name, field in self._fields.items() if name not in self._off]
        return [each.missing() for each in fields if isinstance(each, OfferedField) and each.missing()]

    def _field_of(self, info: SettingInfo) -> Field:
        if info.name == "preset":
            return ChoiceField(info, _preset_choices(default_preset("auto")))
        return field_of(info)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for part in (self._rows, self._fold, self._advanced):
            layout.addWidget(part)

    def _on_fold(self, open: bool) -> None:
        self._fold.setText(("▾" if open else "▸") + "  Advanced settings")
        self._advanced.setVisible(open)

    def _on_change(self, name: str) -> None:
        if name == "preset":
            self._show_preset()
            for each in self._governed():
                self._fields[each].set(self.preset_values()[each])
        elif name == "device":
            self._follow_device()
        self._mark(name)
        self.changed.emit()

    def _governed(self) -> set[str]:
        """The fields that presets differ in."""
        return {name for preset in self.settings_class.presets.values() for name in preset}

    def _follow_device(self) -> None:
        before = self.preset_values()
        self._show_preset()
        for name in self._governed():
            if self._fields[name].get() == before[name]:
                self._fields[name].set(self.preset_values()[name])

    def _show_preset(self) -> None:
        """Find out what the chosen preset means here, and show it."""
        if "preset" not in self._fields:
            return
        chosen = self._fields["preset"].get()
        if chosen == "auto":
            with suppress(InputError):  # of a device that is not here, resolve() tells
                chosen = default_preset(str(self._fields["device"].get()))
        if chosen not in (self._meaning, "auto"):
            before, self._meaning = self.preset_values(), chosen
            for name, value in self.preset_values().items():
                if name != "preset" and self._fields[name].get() == before[name]:
                    self._fields[name].set(value)

    def _mark(self, name: str) -> None:
        field = self._fields[name]
        rows = self._advanced if field.info.advanced else self._rows
        differs = name != "preset" and field.get() != self.preset_values()[name]
        chosen_anyway = field.info.required or name == "out" or isinstance(field, OfferedField | CheckedField)
        rows.mark(name, field.problem(), differs and not chosen_anyway)


def _in_order(infos: Iterable[SettingInfo], first: Sequence[str]) -> list[SettingInfo]:
    """The preset, what is named first, what is the task's own, then what all tasks share."""

    def rank(info: SettingInfo) -> tuple[bool, int, bool, bool]:
        place = first.index(info.name) if info.name in first else len(first)
        return info.name != "preset", place, not info.positional, info.name in _SHARED_LAST

    return sorted(infos, key=rank)


def _preset_choices(auto_means: str) -> list[tuple[str, Any]]:
    return [
        (f"auto ({auto_means} here)", "auto"),
        ("paper: for a GPU", "paper"),
        ("small: for a CPU", "small"),
    ]


def _fold_button(parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setCheckable(True)
    button.setAutoRaise(True)
    button.setToolTip("Show or hide the settings that are rarely changed")
    return button
