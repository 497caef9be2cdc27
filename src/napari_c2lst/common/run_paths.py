"""Paths among the settings of a run: the same place by whatever name, from whatever working folder it is called.

Settings keep paths as they were typed. Beside them `config.toml` keeps where they led: relative to the run folder what
belongs to the same piece of work, so that both can be moved together, and whole what does not.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from .places import find_place, keep_place
from .settings import TaskSettings

PLACES = "places"
_OF_THE_RUN = {"out", "resume"}  # where it is kept itself, and how it goes on
_OR_A_NAME = {"central", "weights", "cells"}  # a path, or a name: then nothing lies there


def places_of(settings: TaskSettings, run: Path) -> dict[str, Any]:
    """Where the paths among settings lead, by field; of a field with several paths a list."""
    values = settings.model_dump(mode="json", exclude_none=True)
    return _places(values, path_fields(type(settings)), Path.cwd(), run)


def kept_places(run: Path, config: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """The same of a run on disk; of one that did not keep it what can be said from where it was written.

    Parameters
    ----------
    config
        What `read_config` gave.
    names
        The fields that hold paths.
    """
    if isinstance(config.get(PLACES), dict):
        return dict(config[PLACES])
    values = config.get("settings", {})
    return _places(values, names, _began_in(run, str(values.get("out", ""))), run)


def whole_settings(run: Path, config: Mapping[str, Any], settings_class: type[TaskSettings]) -> dict[str, Any]:
    """Settings of a run on disk with whole paths, as they can be used in any working folder.

    A path of which it is not known where it led stays as it was typed.
    """
    settings = dict(config.get("settings", {}))
    places = kept_places(run, config, path_fields(settings_class))
    for name in places.keys() & settings.keys():
        kept = places[name]
        whole = [_whole(each, run) for each in (kept if isinstance(kept, list) else [kept])]
        settings[name] = whole if isinstance(kept, list) else whole[0]
    return settings


def path_fields(settings_class: type[TaskSettings]) -> set[str]:
    """Names of the fields that hold a path or several."""
    fields = settings_class.model_fields.items()
    found = {name for name, field in fields if _is_path(field.annotation) or name in _OR_A_NAME}
    return found - _OF_THE_RUN


def _is_path(annotation: Any) -> bool:
    return annotation is Path or any(_is_path(each) for each in get_args(annotation))


def _places(values: Mapping[str, Any], names: set[str], working: Path | None, run: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in sorted(names & values.keys()):
        value = values[name]
        several = isinstance(value, list)
        kept = [_place(each, working, run) for each in (value if several else [value])]
        if not kept or None in kept or (name in _OR_A_NAME and not _is_there(str(value), working)):
            continue
        found[name] = kept if several else kept[0]
    return found


def _place(typed: Any, working: Path | None, run: Path) -> str | None:
    """What to keep of a path; None where it is relative and the working folder is not known."""
    path = Path(str(typed))
    if not path.is_absolute():
        if working is None:
            return None
        path = working / path
    kept = keep_place(path, run)
    return kept if find_place(kept, run) is not None else str(path)


def _whole(kept: str, run: Path) -> str:
    return str(find_place(kept, run) or kept)


def _is_there(typed: str, working: Path | None) -> bool:
    return typed != "embedded" and ((working or Path()) / typed).exists()


def _began_in(run: Path, out: str) -> Path | None:
    """The working folder of a run that was written to the relative path `out`; None where that does not say it."""
    parts, whole = Path(out).parts, run.absolute().parts
    if not parts or Path(out).is_absolute() or ".." in parts or whole[-len(parts) :] != parts:
        return None
    return Path(*whole[: -len(parts)])
