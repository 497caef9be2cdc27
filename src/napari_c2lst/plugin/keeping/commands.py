"""A step as a command line or as Python that repeats it: only what differs from the defaults is written."""

from __future__ import annotations

import json
import pprint
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_origin

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.kinds import flag_name, is_sequence, is_structured, item_type, joined_texts, strip_optional
from napari_c2lst.common.settings import SettingInfo, TaskSettings
from napari_c2lst.jobs.tasks import get_task

# As napari_c2lst/jobs/api.py has them: these take further places than the slide.
_PLACES_IN_PYTHON = {"pretrain": ("tiles",), "convert": ("slide", "out")}
_NAMES_IN_PYTHON = {"cells": "find_cells", "train-cells": "train_cells"}


def command_line(task: str, values: Mapping[str, Any]) -> str:
    """The `c2lst` line that runs a task with these settings, quoted for a POSIX shell.

    Parameters
    ----------
    task
        Name of the task.
    values
        Its settings, explicit ones or all of them; those that the line would have without being told are left out.

    Raises
    ------
    InputError
        If there is no such task, or a value cannot be used.
    """
    return shlex.join(["c2lst", task, *arguments_of(task, values)])


def arguments_of(task: str, values: Mapping[str, Any]) -> list[str]:
    """What stands behind `c2lst TASK`, one item a word."""
    cls = get_task(task).settings_class()
    needed = needed_values(cls, values)
    places = [f for f in cls.fields_info() if f.positional and f.name in needed]
    options = [f for f in cls.fields_info() if not f.positional and f.name in needed]
    words = [text for f in places for text in _texts(f, needed[f.name])]
    flags = [word for f in options for word in _option(f, needed[f.name])]
    # a place that begins with a dash would be read as a flag
    return [*flags, "--", *words] if any(word.startswith("-") for word in words) else [*words, *flags]


def python_snippet(task: str, values: Mapping[str, Any]) -> str:
    """Python that runs a task with these settings.

    Raises
    ------
    InputError
        As `command_line`.
    """
    cls = get_task(task).settings_class()
    needed = needed_values(cls, values)
    first = _PLACES_IN_PYTHON.get(task, ("slide",))
    places: list[Any] = []
    for name in first:
        if name in needed:
            value = needed.pop(name)
            places += list(value) if isinstance(value, (list, tuple)) else [value]
    written = [_literal(value) for value in places] + [f"{name}={_literal(value)}" for name, value in needed.items()]
    call = f"result = c2lst.{_NAMES_IN_PYTHON.get(task, task)}({_broken(written)})"
    return f'import napari_c2lst as c2lst\n\n{call}\nprint(*result.lines(), sep="\\n")\n'


def needed_values(cls: type[TaskSettings], values: Mapping[str, Any]) -> dict[str, Any]:
    """Of these settings those that must be said to get the same settings, in the class's order.

    A value equal to the one that its preset gives is left out; so is one that is the default. The preset itself is
    written when it was chosen, also when it is the one this computer would take: another computer may take another.

    Raises
    ------
    InputError
        If the values are not valid settings.
    """
    given = {name: value for name, value in values.items() if name in cls.model_fields}
    unknown = sorted(values.keys() - given.keys())
    if unknown:
        raise InputError(f"'{cls.task}' has no setting {unknown[0]!r}", f"see 'c2lst {cls.task} --help'")
    wanted = cls.resolve(**given)
    required = [f.name for f in cls.fields_info() if f.required]
    kept = {name: given[name] for name in required if name in given}
    if given.get("preset", "auto") != "auto":
        kept["preset"] = given["preset"]
    without = cls.resolve(**kept)
    for name in cls.model_fields:
        if name not in kept and name in given and getattr(wanted, name) != getattr(without, name):
            kept[name] = given[name]
    dumped = wanted.model_dump(mode="json")
    return {name: dumped[name] for name in cls.model_fields if name in kept}


def _option(field: SettingInfo, value: Any) -> list[str]:
    kind = strip_optional(field.annotation)
    if kind is bool:
        return [flag_name(field.name) if value else "--no-" + field.name.replace("_", "-")]
    return [word for text in _texts(field, value) for word in _with_flag(flag_name(field.name), text)]


def _with_flag(flag: str, text: str) -> list[str]:
    # "--name -x" would be read as two flags
    return [f"{flag}={text}"] if text.startswith("-") else [flag, text]


def _texts(field: SettingInfo, value: Any) -> list[str]:
    """A value as the command line takes it: lists as one word for each item, unless they hold plain choices."""
    kind = strip_optional(field.annotation)
    if value is None:
        return ["none"]
    if is_sequence(kind):
        return _several(field, value)
    if is_structured(kind):
        return [json.dumps(value)]
    return [_text(value)]


def _several(field: SettingInfo, value: Any) -> list[str]:
    """The items of a list: plain choices and numbers with commas, everything else one by one."""
    item = item_type(strip_optional(field.annotation))
    words = [_text(each) for each in value]
    if not words:
        raise InputError(f"{field.name} = [] cannot be said on a command line", "copy the Python snippet instead")
    if item is str:
        return [joined_texts([word]) for word in words]  # a text with a comma stands in quotes
    together = not field.positional and (get_origin(item) is Literal or item in (int, float))
    return [",".join(words)] if together else words


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _literal(value: Any) -> str:
    if isinstance(value, str | Path):
        return repr(str(value))  # a long path stays one text
    return pprint.pformat(value, width=100, compact=True)


def _broken(written: list[str]) -> str:
    line = ", ".join(written)
    if len(line) <= 80:
        return line
    return "\n" + "".join(f"    {each},\n" for each in written)
