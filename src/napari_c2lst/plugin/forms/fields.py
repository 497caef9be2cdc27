"""One setting, one widget: the annotation of a field says which. Every widget shows the field's value exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from magicgui.widgets import CheckBox, ComboBox, Container, FileEdit, SpinBox
from qtpy.QtWidgets import QAbstractSpinBox

from napari_c2lst.common.kinds import is_sequence, is_structured, item_type, may_be_none, strip_optional
from napari_c2lst.common.settings import SettingInfo

from .field import Field, placeholder_of
from .typed import JsonField, ListField, NumberField, TextField

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


def _combo(choices: Sequence[tuple[str, Any]]) -> ComboBox:
    widget = ComboBox(choices=list(choices))
    # long names must not make the panel wide
    widget.native.setSizeAdjustPolicy(widget.native.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    widget.native.setMinimumContentsLength(8)
    return widget


def _whole_bounds(info: SettingInfo) -> tuple[int, int]:
    bounds = info.bounds
    low = bounds.get("ge", math.floor(bounds["gt"]) + 1 if "gt" in bounds else -_LARGEST)
    high = bounds.get("le", math.ceil(bounds["lt"]) - 1 if "lt" in bounds else _LARGEST)
    return math.ceil(low), math.floor(high)
