"""Sets into the slide's store and out of it; each of these takes a second or so and runs beside the GUI's thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_c2lst.common.errors import InputError

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.spotsets import SpotSet


def store_set(slide: Slide, spots: SpotSet, *, replace: bool, instead_of: str = "") -> Slide:
    """Write a set into the store of an open slide, whole or not at all.

    Parameters
    ----------
    replace
        Whether the user agreed to replace a set of that name.
    instead_of
        A set that goes once this one is written: its old name. Empty for none.

    Returns
    -------
    The slide, which holds the set now.

    Raises
    ------
    InputError
        If the name is taken and may not be replaced, the disk is full, or the slide is no store.
    """
    from napari_c2lst.slides.spots.spotsets import spot_set_names, write_spot_set

    write_spot_set(slide, spots, replace=replace)
    if instead_of and instead_of != spots.name and instead_of in spot_set_names(slide):
        delete_set(slide, instead_of)
    return slide


def delete_set(slide: Slide, name: str) -> Slide:
    """Delete a set from the store; nothing else is ever deleted.

    Raises
    ------
    InputError
        If the store cannot be written.
    """
    from napari_c2lst.slides.spots.spotsets import delete_spot_set

    delete_spot_set(slide, name)
    return slide


def name_of(slide: Slide) -> Path:
    """What the store is called that a slide that is none is converted to."""
    from napari_c2lst.slides.store.results import store_name

    return slide.path.absolute().parent / store_name(slide.path)


def target_of(slide: Slide) -> Path:
    """The store that a slide that is none is converted to.

    Raises
    ------
    InputError
        If there is such a store already.
    """
    out = name_of(slide)
    if out.exists():
        raise InputError(
            f"'{slide.path}' is no SpatialData store, and '{out}' is there already",
            f"open '{out}' and choose the spots in it",
        )
    return out


def open_and_store(path: Path, opening: Mapping[str, Any], sets: Sequence[SpotSet]) -> Slide:
    """Open a store that was just made and write sets into it."""
    from napari_c2lst.slides.opening import open_slide
    from napari_c2lst.slides.spots.spotsets import write_spot_set

    slide = open_slide(path, **opening)
    for spots in sets:
        write_spot_set(slide, spots, replace=True)
    return slide
