"""One setting, one widget: the annotation of a field says which. Every widget shows the field's value exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from magicgui.widgets import CheckBox, ComboBox, Container, FileEdit, LineEdit, SpinBox
from psygnal import Signal
from qtpy.QtWidgets import QAbstractSpinBox, QWidget

from napari_c2lst.common.kinds import is_sequence, is_structured, item_type, may_be_none, strip_optional
from napari_c2lst.common.settings import SettingInfo

_LARGEST = 2**53  # the largest whole number a spin box is asked to show
# What a path field asks for; a folder where it is not said.
_FILES = {
    "image": "Images (*.tif *.tiff *.svs *.ndpi *.jpg *.jpeg *.png);;All files (*)",
    "stain_reference": "Images (*.tif *.tiff *.jpg *.jpeg *.png);;All files (*)",
    "gene_list": "Text files (*.txt *.csv *.tsv);;All files (*)",
    "ids": "Text files (*.txt *.csv *.tsv);;All files (*)",
    "licence_file": "Text files (*.txt *.md);;All files (*)",
    "type_info": "JSON (*.json)",
    "polygon": "GeoJSON (*.geojson *.json);;All files (*)",
}
_FILES_TO_WRITE = {"csv": "CSV (*.csv)", "geojson": "GeoJSON (*.geojson)"}


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


class SwitchField(Field):
    """Yes or no."""

    def __init__(self, info: SettingInfo) -> None:
        super().__init__(info, CheckBox(text=""))

    def set(self, value: Any) -> None:
        self.widget.value = bool(value)


class ChoiceField(Field):
    """One of a few values."""

    def __init__(self, info: SettingInfo, choices: Sequence[tuple[str, Any]] | None = None) -> None:
        if choices is None:
            choices = [(str(value), value) for value in get_args(strip_optional(info.annotation))]
        if may_be_none(info.annotation):
            choices = [("none", None), *choices]
        super().__init__(info, _combo(choices))


class WholeField(Field):
    """A whole number within bounds."""

    def __init__(self, info: SettingInfo) -> None:
        low, high = _whole_bounds(info)
        widget = SpinBox(min=low, max=high, value=max(low, 0))
        widget.native.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        super().__init__(info, widget)

    def set(self, value: Any) -> None:
        if value is not None:
            self.widget.value = value


class TextField(Field):
    """A text; empty stands for none where there may be none."""

    def __init__(self, info: SettingInfo) -> None:
        super().__init__(info, LineEdit())
        self.native.setPlaceholderText(placeholder_of(info))

    def get(self) -> Any:
        text = self.widget.value.strip()
        return None if not text and (may_be_none(self.info.annotation) or self.info.required) else self.read(text)

    def set(self, value: Any) -> None:
        self.widget.value = "" if value is None else self.write(value)

    def read(self, text: str) -> Any:
        """The value of a text; the text itself where it is none."""
        return text

    def write(self, value: Any) -> str:
        """The text of a value."""
        return str(value)


class NumberField(TextField):
    """A number that may be tiny, fractional or none: written out, so that nothing is rounded."""

    def read(self, text: str) -> Any:
        try:
            return int(text) if strip_optional(self.info.annotation) is int else float(text.replace(",", "."))
        except ValueError:
            return text

    def write(self, value: Any) -> str:
        # NumPy's numbers have a repr of their own
        return (
            str(value) if isinstance(value, str) else repr(getattr(value, "item", lambda: value)()).removesuffix(".0")
        )

    def problem(self) -> str:
        value = self.get()
        if value is None:
            return ""
        if isinstance(value, str) or not math.isfinite(value):
            return "this is not a number"
        return "" if _within(value, self.info) else "this is out of bounds"


class ListField(TextField):
    """Several values with commas; as JSON where a value holds a comma itself."""

    def get(self) -> Any:
        text = self.widget.value.strip()
        return None if not text and self.info.required else self.read(text)

    def read(self, text: str) -> Any:
        kind = strip_optional(self.info.annotation)
        try:
            items = json.loads(text) if text.startswith("[") else [part.strip() for part in text.split(",")]
            read = [_item(item_type(kind), each) for each in items if each != ""]
        except ValueError:
            return text
        return tuple(read) if (get_origin(kind) or kind) is tuple else read

    def problem(self) -> str:
        return "these are not numbers" if isinstance(self.get(), str) else ""

    def write(self, value: Any) -> str:
        items = [str(each) if isinstance(each, Path) else each for each in value]
        plain = all("," not in str(each) and str(each).strip() == str(each) != "" for each in items)
        return ", ".join(map(str, items)) if plain and not str(items[:1]).startswith("['[") else json.dumps(items)


class JsonField(TextField):
    """Further settings as JSON; empty for none."""

    def get(self) -> Any:
        return self.read(self.widget.value.strip())

    def read(self, text: str) -> Any:
        try:
            return json.loads(text) if text else {}
        except ValueError:
            return text

    def write(self, value: Any) -> str:
        return json.dumps(value) if value else ""

    def problem(self) -> str:
        return "" if isinstance(self.get(), dict) else 'write it as {"name": value, ...}'


class ManyField(Field):
    """Some of a few values, each with a box to check."""

    def __init__(self, info: SettingInfo) -> None:
        self._values = list(get_args(item_type(strip_optional(info.annotation))))
        boxes = [CheckBox(text=str(value)) for value in self._values]
        container = Container(widgets=boxes, layout="vertical", labels=False)
        container.margins = (0, 0, 0, 0)
        super().__init__(info, container)

    def get(self) -> list[Any]:
        return [value for value, box in zip(self._values, self.widget, strict=True) if box.value]

    def set(self, value: Any) -> None:
        for each, box in zip(self._values, self.widget, strict=True):
            box.value = each in value


class PathField(Field):
    """A file or folder with a button to choose it; empty stands for none."""

    def __init__(self, info: SettingInfo) -> None:
        mode = "w" if info.name in _FILES_TO_WRITE else "r" if info.name in _FILES else "d"
        filter = _FILES_TO_WRITE.get(info.name) or _FILES.get(info.name)
        widget = FileEdit(mode=mode, filter=filter, nullable=True, value=None)
        widget.choose_btn.text = "…"
        widget.choose_btn.native.setMaximumWidth(32)
        widget.choose_btn.native.setAccessibleName("Choose")
        widget.margins = (0, 0, 0, 0)
        super().__init__(info, widget)
        widget.line_edit.native.setPlaceholderText(placeholder_of(info))

    def get(self) -> Path | None:
        return path_of(self.widget.line_edit.value)

    def set(self, value: Any) -> None:
        self.widget.line_edit.value = "" if value is None else str(value)


def field_of(info: SettingInfo) -> Field:
    """The widget of a setting.

    Raises
    ------
    TypeError
        If no widget is known for its annotation.
    """
    kind = strip_optional(info.annotation)
    if kind is bool:
        return SwitchField(info)
    if get_origin(kind) is Literal:
        return ChoiceField(info)
    if is_sequence(kind):
        return ManyField(info) if get_origin(item_type(kind)) is Literal else ListField(info)
    if is_structured(kind):
        return JsonField(info)
    if kind is Path:
        return PathField(info)
    if kind is int and not may_be_none(info.annotation):
        return WholeField(info)
    if kind in (int, float):
        return NumberField(info)
    if kind is str:
        return TextField(info)
    raise TypeError(f"no widget for {info.name}: {info.annotation}")


def path_of(text: str) -> Path | None:
    """The path that was typed; None for nothing."""
    path = Path(text.strip()) if text.strip() else None
    with suppress(RuntimeError):  # "~x" on the way to "~xavier", or a folder of that name
        path = path and path.expanduser()
    return path


def placeholder_of(info: SettingInfo) -> str:
    """What an empty field stands for: 'one for each core' where the help says 'none = one for each core'."""
    _, sign, rest = info.help.partition("none = ")
    if sign:
        return rest.split(";")[0].strip()
    return "none" if may_be_none(info.annotation) else ""


def _combo(choices: Sequence[tuple[str, Any]]) -> ComboBox:
    widget = ComboBox(choices=list(choices))
    # long names must not make the panel wide
    widget.native.setSizeAdjustPolicy(widget.native.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    widget.native.setMinimumContentsLength(8)
    return widget


def _item(kind: Any, value: Any) -> Any:
    # by its text: 1.5 is no whole number, and null is no number at all
    return kind(str(value)) if kind in (int, float, Path) else str(value)


def _whole_bounds(info: SettingInfo) -> tuple[int, int]:
    bounds = info.bounds
    low = bounds.get("ge", math.floor(bounds["gt"]) + 1 if "gt" in bounds else -_LARGEST)
    high = bounds.get("le", math.ceil(bounds["lt"]) - 1 if "lt" in bounds else _LARGEST)
    return math.ceil(low), math.floor(high)


def _within(value: float, info: SettingInfo) -> bool:
    b = info.bounds
    return (
        b.get("ge", -math.inf) <= value <= b.get("le", math.inf)
        and not value <= b.get("gt", -math.inf)
        and not value >= b.get("lt", math.inf)
    )
