"""The choice as `c2lst select` makes it again; what was drawn by hand goes into a file first. Needs no Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import atomic_file, content_hash, disk_errors
from napari_c2lst.slides.spots.spotsets import checked_name

from .choice import Choice, How
from .exchange import drawn_regions

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session

FOLDER = "choices"
"""Where files of hand-drawn choices go, in the folder of a slide's runs."""

# What a set calls settings of other names.
_SETTINGS = {"classes": "polygon_class", "system": "polygon_system"}


def command_of(session: Session, choice: Choice, name: str) -> tuple[str, dict[str, Any]]:
    """Task and settings that choose the same spots again.

    A choice made in one step is said by its settings. Shapes that were all added are written as GeoJSON, any other
    choice as a list of spot ids, into the folder of the slide's runs.

    Parameters
    ----------
    name
        Name of the set.

    Raises
    ------
    InputError
        If no slide is open, nothing is chosen, the name cannot be one, or the file cannot be written.
    """
    slide = session.require_slide()
    checked_name(name)  # of a file as well
    if not choice.mask.any():
        raise InputError("no spot is chosen", "choose spots first: lasso, brush, random share, ...")
    values: dict[str, Any] = {"slide": str(slide.path), "name": name}
    values |= {key: str(value) if isinstance(value, Path) else value for key, value in session.opening.items()}
    values |= {key: value for key, value in choice.state.thresholds.items() if value}
    said = settings_of(choice.only_said())
    if said:
        return "select", {**values, **said}
    folder = session.runs_folder
    assert folder is not None
    target = folder / FOLDER
    if _only_added_shapes(choice):
        return "select", {**values, "polygon": str(_write_shapes(choice, target, name))}
    ids = [str(each) for each in slide.require_spots().ids[choice.mask]]
    return "select", {**values, "ids": str(write_ids(ids, target / f"{name}-{mark_of(ids)}.txt"))}


def mark_of(texts: Iterable[str]) -> str:
    """Eight letters that texts have for themselves: a command that was copied before keeps its file."""
    return content_hash([text.encode() + b"\n" for text in texts]).removeprefix("sha256:")[:8]


def settings_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a set says about how it was chosen, as settings; empty if none of the ways of `c2lst select` says it."""
    from napari_c2lst.slides.spots.selection_settings import WAYS, SelectSettings

    named = {_SETTINGS.get(key, key): value for key, value in said.items()}
    if not any(named.get(way) is not None for way in WAYS):
        return {}
    return {k: v for k, v in named.items() if k in SelectSettings.model_fields and v not in (None, [])}


def _only_added_shapes(choice: Choice) -> bool:
    return all(step.area is not None and step.how in (How.NEW, How.ADD) for step in choice.steps)


def _write_shapes(choice: Choice, folder: Path, name: str) -> Path:
    from napari_c2lst.slides.spots.geojson import write_regions

    regions = drawn_regions(choice.steps)
    path = folder / f"{name}-{mark_of(region.area.wkt for region in regions)}.geojson"
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"'{folder}' is not a folder", "move the file of that name away") from error
    write_regions(path, regions)
    return path


def write_ids(ids: Iterable[str], path: Path) -> Path:
    """Write the names of spots, one a line; the folder is made.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    with atomic_file(path) as file:
        file.write_text("".join(f"{name}\n" for name in ids), encoding="utf-8")
    return path
