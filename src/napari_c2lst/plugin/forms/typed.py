"""Settings that are typed: texts, numbers, lists and JSON."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, get_origin

from magicgui.widgets import LineEdit

from napari_c2lst.common.kinds import item_type, may_be_none, strip_optional
from napari_c2lst.common.settings import SettingInfo

from .field import Field, placeholder_of

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")  # a thousand for some, one for others


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
        if _THOUSANDS.fullmatch(text):
            return text
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
        if isinstance(value, str) and _THOUSANDS.fullmatch(value):
            return "this comma may mean thousands: write it without"
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


def _item(kind: Any, value: Any) -> Any:
    # by its text: 1.5 is no whole number, and null is no number at all
    return kind(str(value)) if kind in (int, float, Path) else str(value)


def _within(value: float, info: SettingInfo) -> bool:
    b = info.bounds
    return (
        b.get("ge", -math.inf) <= value <= b.get("le", math.inf)
        and not value <= b.get("gt", -math.inf)
        and not value >= b.get("lt", math.inf)
    )
