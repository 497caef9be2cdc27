"""What has to be on disk before a job starts: the slide itself and the spot set it is told to use. Runs in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_c2lst.common.errors import InputError

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.spotsets import SpotSet


def unsaved_set(slide: Slide, wanted: SpotSet | None) -> SpotSet | None:
    """The set that a job is to use, if the store does not have it yet; None if there is nothing to do.

    Raises
    ------
    InputError
        If the store has other spots under that name, or a damaged set: they are never replaced silently.
    """
    from napari_c2lst.slides.spots.spotsets import read_spot_set, spot_set_names

    if wanted is None:
        return None
    if wanted.name not in spot_set_names(slide):
        return wanted
    try:
        same = wanted.same_as(read_spot_set(slide, wanted.name))
    except (InputError, KeyError, TypeError, ValueError, AttributeError):  # what cannot be read is another one
        same = False
    if not same:
        raise InputError(
            f"the slide holds other spots under '{wanted.name}' than are shown",
            "save the set first (it will ask before it replaces anything), or give it another name",
        )
    return None


def store_set(store: Path, opening: Mapping[str, Any], spots: SpotSet) -> Slide:
    """Write a set into a store; the slide as it is then."""
    from napari_c2lst.slides.opening import open_slide
    from napari_c2lst.slides.spots.spotsets import spot_set_names, write_spot_set

    slide = open_slide(store, **opening)
    if spots.name not in spot_set_names(slide):
        write_spot_set(slide, spots)
    return slide
