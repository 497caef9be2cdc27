"""Command line parameters made from the fields of a settings class.

Values are handed on as the user wrote them: the settings class alone says what is valid, so that all faults come at
once and read the same on the command line, in Python and in the plugin.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from click.core import ParameterSource

from napari_c2lst.common.kinds import (
    flag_name,
    is_sequence,
    is_structured,
    item_type,
    may_be_none,
    strip_optional,
)
from napari_c2lst.common.settings import DeviceSettings, RunSettings, SettingInfo, TaskSettings

_METAVARS: dict[Any, str] = {int: "NUMBER", float: "NUMBER", str: "TEXT", Path: "PATH"}
_BOUND_SIGNS = (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))


class FieldOption(click.Option):
    """An option that knows the field it stands for."""

    def __init__(self, *args: Any, field: SettingInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.field = field


class FieldArgument(click.Argument):
    """A positional argument that knows the field it stands for."""

    def __init__(self, *args: Any, field: SettingInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.field = field


def parameters(cls: type[TaskSettings]) -> list[click.Parameter]:
    """A parameter for every field: positional ones first, the rest in the class's order."""
    fields = ordered_fields(cls)
    return [_argument(f) if f.positional else _option(f, cls) for f in fields]


def ordered_fields(cls: type[TaskSettings]) -> list[SettingInfo]:
    """Every field: places first, then what is the task's own, then what all tasks share (`device`, `seed`, ...)."""
    shared = DeviceSettings.model_fields.keys() | RunSettings.model_fields.keys()

    def rank(field: SettingInfo) -> int:
        if field.positional:
            return 0
        return 2 if field.name in shared and not field.required else 1

    return sorted(cls.fields_info(), key=rank)


def explicit_values(context: click.Context) -> dict[str, Any]:
    """What the user gave on the command line, as values for `TaskSettings.resolve`; nothing for what was left out."""
    values: dict[str, Any] = {}
    for parameter in context.command.params:
        if not isinstance(parameter, (FieldOption, FieldArgument)) or parameter.name is None:
            continue
        if context.get_parameter_source(parameter.name) is not ParameterSource.COMMANDLINE:
            continue
        given = context.params[parameter.name]
        if given is not None and given != ():
            values[parameter.field.name] = value_of(parameter.field.annotation, given)
    return values


def value_of(annotation: Any, given: Any) -> Any:
    """The text a user gave, as the settings class wants it: lists split, choices of the type they have, JSON read."""
    kind = strip_optional(annotation)
    if is_sequence(kind):
        items = given if isinstance(given, (list, tuple)) else [given]
        return [value_of(item_type(kind), text) for text in _split(items, item_type(kind))]
    if isinstance(given, (list, tuple)):
        given = given[-1]
    if not isinstance(given, str):
        return given
    if get_origin(kind) is Literal and given in (choices := {str(choice): choice for choice in get_args(kind)}):
        return choices[given]
    if given.lower() == "none" and may_be_none(annotation):
        return None
    if is_structured(kind):
        return _read_pairs(given)
    return given


def _split(items: Sequence[Any], kind: Any) -> list[Any]:
    # a path may hold a comma, so paths are only repeated; a text with a comma stands in double quotes
    if kind is Path:
        return list(items)
    return [part.strip() for row in csv.reader(map(str, items), skipinitialspace=True) for part in row if part.strip()]


def _read_pairs(text: str) -> Any:
    """'where=grid,stride_um=28' or JSON, as a dictionary; other text is left for the settings class to refuse."""
    if "=" not in text or text.lstrip().startswith(("{", "[")):
        return _read_json(text)
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {name.strip(): _read_json(value.strip()) for name, _, value in pairs}


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _argument(field: SettingInfo) -> FieldArgument:
    several = is_sequence(strip_optional(field.annotation))
    # never required by click: the settings class names everything that is missing at once
    return FieldArgument(
        [field.name],
        field=field,
        required=False,
        nargs=-1 if several else 1,
        type=str,
        metavar=metavar_of_argument(field),
    )


def metavar_of_argument(field: SettingInfo) -> str:
    """'tiles' with several values -> 'TILES...'."""
    several = is_sequence(strip_optional(field.annotation))
    return field.name.upper() + ("..." if several else "")


def _option(field: SettingInfo, cls: type[TaskSettings]) -> FieldOption:
    kind = strip_optional(field.annotation)
    flag = flag_name(field.name)
    help_text = help_of(field, cls)
    if kind is bool:
        negative = "--no-" + field.name.replace("_", "-")
        return FieldOption([f"{flag}/{negative}"], field=field, default=None, help=help_text)
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
        if may_be_none(field.annotation) and "none" not in choices:
            choices.append("none")
        return FieldOption([flag], field=field, default=None, type=click.Choice(choices), help=help_text)
    several = is_sequence(kind)
    return FieldOption(
        [flag], field=field, default=None, multiple=several, type=str, metavar=_metavar(kind, field), help=help_text
    )


def _metavar(kind: Any, field: SettingInfo) -> str:
    if is_sequence(kind) and get_origin(item_type(kind)) is Literal:
        return ",".join(f"{choice}" for choice in get_args(item_type(kind)))
    if is_sequence(kind):
        one = _METAVARS.get(item_type(kind), "VALUE")
        return one if item_type(kind) is Path else f"{one},{one},..."
    if is_structured(kind):
        return "NAME=VALUE,..."
    return _METAVARS.get(kind, "NUMBER" if field.unit else "TEXT")


def help_of(field: SettingInfo, cls: type[TaskSettings]) -> str:
    """The help of a field with its bounds and its default, preset by preset where they differ."""
    notes = [note for note in (bounds_text(field), default_text(field, cls)) if note]
    return field.help + (f"  [{'; '.join(notes)}]" if notes else "")


def bounds_text(field: SettingInfo) -> str:
    """'>= 0, < 1', 'in um', or nothing."""
    bounds = ", ".join(f"{sign} {field.bounds[key]:g}" for key, sign in _BOUND_SIGNS if key in field.bounds)
    if field.unit and field.default is None:  # else the default says the unit
        return ", ".join(part for part in (f"in {field.unit}", bounds) if part)
    return bounds


def default_text(field: SettingInfo, cls: type[TaskSettings]) -> str:
    """'default: 10000 (paper), 300 (small)'; 'required' where there is none."""
    if field.required:
        return "required"
    by_preset = {name: values[field.name] for name, values in cls.presets.items() if field.name in values}
    defaults = {name: by_preset.get(name, field.default) for name in cls.presets} if by_preset else {}
    if len({str(v) for v in defaults.values()}) > 1:
        return "default: " + ", ".join(f"{show_value(v, field.unit)} ({name})" for name, v in defaults.items())
    only = next(iter(defaults.values())) if defaults else field.default
    if only is None or only in ((), [], "", {}):
        return ""
    return f"default: {show_value(only, field.unit)}"


def show_value(value: Any, unit: str | None = None) -> str:
    """A default as a user would write it: 'yes', '32,64,96', '112 um'."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        text = ",".join(show_value(v) for v in value)
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = "none" if value is None else str(value)
    return f"{text} {unit}" if unit and value is not None else text
