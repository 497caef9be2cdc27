"""Which image, spots and table of a SpatialData make up the slide; every choice can be named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import OURS
from napari_c2lst.slides.geometry import image_size, matrix_to_system, scale_of, systems_of


@dataclass(frozen=True)
class Choice:
    """Names of the elements that make up a slide; shapes and table are None for an image alone."""

    image: str
    shapes: str | None
    table: str | None
    system: str
    notes: tuple[str, ...] = ()


def choose_elements(
    sdata: Any,
    where: str,
    *,
    image: str | None = None,
    table: str | None = None,
    system: str | None = None,
    preferred: str | None = None,
    preferred_table: str | None = None,
) -> Choice:
    """Choose the elements of a slide.

    Defaults: the table called `table`, else the first; the spots it annotates; the coordinate system `global`, else one
    that spots and images share; the image the reader prefers, else the finest one there.

    Parameters
    ----------
    where
        What to call the input in an error.
    image, table, system
        Names the user gave.
    preferred, preferred_table
        The image and the table the reader prefers.

    Raises
    ------
    InputError
        If a name is not there, or image and spots share no coordinate system.
    """
    images = theirs(sdata.images)
    _refuse_wrong_name("image", image, images, where)
    _refuse_wrong_name("coordinate system", system, sdata.coordinate_systems, where)
    notes: list[str] = []
    if table is None and preferred_table is not None and preferred_table in sdata.tables:
        table = preferred_table
    else:
        table, notes = _choose_table(sdata, where, table)
    shapes = None if table is None else _choose_shapes(sdata, where, table, image, system)
    system = system or _choose_system(sdata, where, shapes, image or _held(preferred, images))
    there = [name for name in images if system in systems_of(sdata.images[name])]
    if image is not None and image not in there:
        raise InputError(
            f"image '{image}' of {where} has no place in the coordinate system '{system}'",
            f"choose one of: {', '.join(there)}",
        )
    if not there:
        raise InputError(
            f"{where} has no image in the coordinate system '{system}'", "choose another coordinate system"
        )
    image = image or (preferred if preferred in there else _finest(sdata, there, system))
    if len(there) > 1:
        notes.append(f"image '{image}' is used; there are also: {', '.join(n for n in there if n != image)}")
    return Choice(image, shapes, table, system, tuple(notes))


def theirs(names: Iterable[str]) -> list[str]:
    """Names of the user's elements: those that are not ours."""
    return [name for name in names if not name.startswith(OURS)]


def regions_of(table: Any) -> list[str]:
    """Names of the elements a table annotates; none for a table that annotates nothing."""
    attrs = table.uns.get("spatialdata_attrs")
    if not attrs:
        return []
    region = attrs["region"]
    return [region] if isinstance(region, str) else [str(name) for name in region]


def _held(name: str | None, names: list[str]) -> str | None:
    return name if name in names else None


def _refuse_wrong_name(what: str, name: str | None, names: Iterable[str], where: str) -> None:
    if name is not None and name not in (there := sorted(names)):
        raise InputError(f"{where} has no {what} '{name}'", f"there: {', '.join(there) or 'none'}")


def _choose_table(sdata: Any, where: str, table: str | None) -> tuple[str | None, list[str]]:
    tables = theirs(sdata.tables)
    _refuse_wrong_name("table", table, tables, where)
    on_spots = [name for name in tables if any(region in sdata.shapes for region in regions_of(sdata.tables[name]))]
    if table is not None:
        if table not in on_spots:
            regions = ", ".join(regions_of(sdata.tables[table])) or "nothing"
            raise InputError(
                f"table '{table}' of {where} annotates {regions}, not spots (a shapes element that is there)",
                f"tables that do: {', '.join(on_spots) or 'none'}",
            )
        return table, []
    if not on_spots:
        return None, [
            f"no table annotates spots: opened as an image alone ({len(tables)} other tables)"
        ] if tables else []
    chosen = "table" if "table" in on_spots else on_spots[0]
    others = [name for name in on_spots if name != chosen]
    return chosen, [f"table '{chosen}' is used; there are also: {', '.join(others)}"] if others else []


def _choose_shapes(sdata: Any, where: str, table: str, image: str | None, system: str | None) -> str:
    """The spots a table annotates; of several samples, those that share a system with what was asked for."""
    candidates = [name for name in regions_of(sdata.tables[table]) if name in sdata.shapes]
    wanted = {system} if system else set(systems_of(sdata.images[image])) if image else set()
    fitting = [name for name in candidates if not wanted or wanted & set(systems_of(sdata.shapes[name]))]
    if not fitting:
        raise InputError(
            f"the spots of table '{table}' of {where} have no place in: {', '.join(sorted(wanted))}",
            f"they have one in: {', '.join(systems_of(sdata.shapes[candidates[0]]))}",
        )
    return fitting[0]


def _choose_system(sdata: Any, where: str, shapes: str | None, image: str | None) -> str:
    images = [image] if image else theirs(sdata.images)
    shared = {name for i in images for name in systems_of(sdata.images[i])}
    if shapes is not None:
        own = set(systems_of(sdata.shapes[shapes]))
        if not shared & own:
            raise InputError(
                f"spots '{shapes}' ({', '.join(sorted(own))}) and images ({', '.join(sorted(shared))}) of {where} "
                "share no coordinate system",
                "choose another image, or give both a place in one system",
            )
        shared &= own
    # spatialdata-io names the system of full-resolution pixels after the sample, as it does the spots
    return next((name for name in ("global", shapes) if name in shared), None) or min(shared)


def _finest(sdata: Any, names: list[str], system: str) -> str:
    """The image with the smallest pixels; of equals the multiscale one, then the first by name."""
    from xarray import DataTree

    def rank(name: str) -> tuple[bool, float, int, bool, str]:
        element = sdata.images[name]
        height, width = image_size(element)
        channels = len(element["scale0"]["c"] if isinstance(element, DataTree) else element["c"])
        size = scale_of(matrix_to_system(element, system, f"image '{name}'"))
        return channels not in (1, 3, 4), round(size, 6), -height * width, not isinstance(element, DataTree), name

    return min(names, key=rank)
