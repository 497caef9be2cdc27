"""What a slide is, in a few lines, and what could be chosen otherwise. Knows no Qt and no layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_c2lst.plugin.telling import as_text
from napari_c2lst.slides.geometry import systems_of
from napari_c2lst.slides.microns import SQUARES
from napari_c2lst.slides.readers.choosing import regions_of, theirs
from napari_c2lst.slides.store.results import store_name

from .wording import in_panel

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

_SOURCES = {"stored": "stored in the slide", "fitted": "worked out from the array of spots", "given": "given by you"}


@dataclass(frozen=True)
class Choices:
    """Names to choose from; the first of `current` is what is used."""

    images: list[str]
    systems: list[str]
    tables: list[str]
    square_um: float | None


def choices_of(slide: Slide) -> Choices:
    """Images, coordinate systems and tables the slide could be opened with."""
    sdata = slide.sdata
    images = [name for name in theirs(sdata.images) if systems_of(sdata.images[name])]
    spots = set(systems_of(sdata.shapes[slide.shapes_name])) if slide.shapes_name in sdata.shapes else None
    systems = sorted({name for image in images for name in systems_of(sdata.images[image])})
    if spots is not None:
        systems = [name for name in systems if name in spots]
    tables = [n for n in theirs(sdata.tables) if any(region in sdata.shapes for region in regions_of(sdata.tables[n]))]
    squares = getattr(slide.facts, "array", None) == SQUARES
    return Choices(images, systems, tables, slide.facts.spot_um if squares else None)


def summary(slide: Slide) -> str:
    """Two lines: what it is, and how large."""
    height, width = slide.pyramid.shape
    size = f"{width:,} × {height:,} px"
    if slide.microns is not None:
        mm = [side * slide.microns.value / 1000 for side in (width, height)]
        size = f"{size}, {mm[0]:.1f} × {mm[1]:.1f} mm"
    if slide.spots is None:
        return f"{slide.kind}\n{size}; no spots"
    what = "squares" if getattr(slide.facts, "array", None) == SQUARES else "spots"
    return f"{slide.kind}\n{size}\n{len(slide.spots):,} {what}, {len(slide.genes):,} genes"


def microns_words(slide: Slide) -> str:
    """Where the size of a pixel comes from."""
    if slide.microns is None:
        return "Not known: lengths are in pixels. Give it to go on; most steps need it."
    source, detail = _SOURCES[slide.microns.source], slide.microns.detail
    return f"{source[0].upper()}{source[1:]}" + ("" if slide.microns.source == "given" else f": {detail}") + "."


def notes_words(slide: Slide) -> str:
    """What the user should know about how it was read, a line each."""
    return "\n".join(f"• {as_text(in_panel(note), '')}" for note in slide.notes)


def store_words(slide: Slide) -> str:
    """What happens before results can be kept; empty for a store."""
    if slide.is_zarr:
        return ""
    return (
        f"Nothing is changed in this input. The first step that keeps something makes the store "
        f"“{store_name(slide.path)}” of it."
    )
