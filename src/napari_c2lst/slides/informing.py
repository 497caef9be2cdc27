"""`c2lst info`: what a slide is made of, before any work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.slides.readers.choosing import theirs
from napari_c2lst.slides.spots.quality import spot_quality, summary_lines

from .opening import open_slide
from .settings import InfoSettings
from .slide import Slide

if TYPE_CHECKING:
    from napari_c2lst.slides.images.tissue import TissueMask

# Spots below these are commonly left out of an analysis of Visium data.
LOW_COUNTS, LOW_GENES, LOW_TISSUE = 500, 200, 0.5


class InfoResult(TaskResult):
    """What is known of a slide; JSON-able.

    Parameters
    ----------
    name, path, kind
        Short name, what was opened, and its kind in words.
    image, height, width, downsample
        The image in use, its level-0 size in pixels, and level-0 pixels per pixel of every level.
    mpp, mpp_source, mpp_detail
        Microns per level-0 pixel, and where that comes from; None when not known.
    spots, genes
        Numbers; None for an image alone.
    spot_um
        Diameter of a spot in microns.
    median_counts, median_genes
        Of a spot; None when the table has no raw counts.
    quality
        Lowest, 5 %, median and highest counts, genes and share of tissue of a spot (see `SpotQuality.summary`).
    low_spots
        Number of spots below each threshold that is commonly set, in words.
    spots_on_tissue
        Share of the spots whose centre lies on tissue.
    tissue_mm2
        Area of the tissue.
    coordinate_system, coordinate_systems, images, tables
        The one in use and all there are.
    spot_sets
        Number of spots of every stored spot set.
    notes
        What the user should know.
    """

    name: str
    path: Path
    kind: str
    image: str
    height: int
    width: int
    downsample: tuple[float, ...]
    mpp: float | None = None
    mpp_source: str | None = None
    mpp_detail: str = ""
    spots: int | None = None
    genes: int | None = None
    spot_um: float | None = None
    median_counts: float | None = None
    median_genes: float | None = None
    quality: dict[str, dict[str, float]] = Field(default_factory=dict)
    low_spots: dict[str, int] = Field(default_factory=dict)
    spots_on_tissue: float | None = None
    tissue_mm2: float | None = None
    coordinate_system: str
    coordinate_systems: tuple[str, ...]
    images: tuple[str, ...]
    tables: tuple[str, ...]
    spot_sets: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The same for people."""
        levels = f"{len(self.downsample)} levels" if len(self.downsample) > 1 else "1 level"
        lines = [
            f"{self.name}: {self.kind}",
            f"image '{self.image}': {self.height} x {self.width} px, {levels}{self._extent()}",
            self._microns(),
            *self._spot_lines(),
        ]
        if self.tissue_mm2 is not None:
            lines.append(f"tissue: {self.tissue_mm2:.1f} mm2")
        if self.spots_on_tissue is not None:
            lines.append(f"spots on tissue: {100 * self.spots_on_tissue:.0f} %")
        if len(self.coordinate_systems) > 1:
            others = ", ".join(self.coordinate_systems)
            lines.append(f"coordinate system '{self.coordinate_system}' (of: {others})")
        lines += [f"spot set '{name}': {count} spots" for name, count in self.spot_sets.items()]
        return lines + [f"note: {note}" for note in self.notes]

    def _extent(self) -> str:
        if self.mpp is None:
            return ""
        return f", {self.height * self.mpp / 1000:.2f} x {self.width * self.mpp / 1000:.2f} mm"

    def _microns(self) -> str:
        if self.mpp is None:
            return "microns per pixel: not known; pass --mpp"
        return f"microns per pixel: {self.mpp:.4g} ({self.mpp_source}: {self.mpp_detail})"

    def _spot_lines(self) -> list[str]:
        if self.spots is None:
            return ["spots: none, an image alone"]
        size = "" if self.spot_um is None else f" of {self.spot_um:.0f} um"
        lines = [f"spots: {self.spots}{size}, {self.genes} genes", *summary_lines(self.quality)]
        low = [f"{count} have {text}" for text, count in self.low_spots.items() if count]
        return [*lines, f"low spots: {', '.join(low)} ('c2lst select' can leave them out)"] if low else lines


def run(settings: InfoSettings, reporter: Reporter) -> InfoResult:
    """Open a slide and describe it.

    Raises
    ------
    InputError
        If it cannot be opened (see `open_slide`). Counts that cannot be used are a note, not an error.
    """
    slide = open_slide(settings.slide, **settings.opening)
    return describe(slide, tissue=settings.tissue)


def describe(slide: Slide, *, tissue: bool = True) -> InfoResult:
    """Describe an open slide.

    Parameters
    ----------
    tissue
        Also look for tissue, which reads a coarse level of the image.
    """
    notes = list(slide.notes)
    mask = _tissue(slide, notes) if tissue else None
    found = {**_spot_facts(slide, mask, notes), **_tissue_facts(slide, mask)}
    height, width = slide.pyramid.shape
    microns = slide.microns
    return InfoResult(
        name=slide.name,
        path=slide.path,
        kind=slide.kind,
        image=slide.image_name,
        height=height,
        width=width,
        downsample=tuple(round(d, 4) for d in slide.pyramid.downsample),
        mpp=None if microns is None else microns.value,
        mpp_source=None if microns is None else microns.source,
        mpp_detail="" if microns is None else microns.detail,
        coordinate_system=slide.coordinate_system,
        coordinate_systems=tuple(slide.sdata.coordinate_systems),
        images=tuple(theirs(slide.sdata.images)),
        tables=tuple(theirs(slide.sdata.tables)),
        spot_sets=_spot_sets(slide, notes),
        notes=tuple(notes),
        **found,
    )


def _tissue(slide: Slide, notes: list[str]) -> TissueMask | None:
    """Where tissue is; None when it cannot be said, and then a note."""
    if slide.microns is None:
        return None
    from napari_c2lst.slides.images.tissue import tissue_mask

    try:
        return tissue_mask(slide)
    except InputError as error:
        notes.append(str(error))
        return None


def _spot_facts(slide: Slide, mask: TissueMask | None, notes: list[str]) -> dict[str, Any]:
    if slide.spots is None:
        return {}
    facts: dict[str, Any] = {"spots": len(slide.spots), "genes": len(slide.genes), "spot_um": slide.spots.diameter_um}
    try:
        quality = spot_quality(slide, tissue=False if mask is None else mask)
    except InputError as error:
        notes.append(str(error))
        return facts
    facts["quality"] = quality.summary()
    facts["low_spots"] = quality.low_numbers(
        min_counts=LOW_COUNTS,
        # a small panel of genes says nothing about a spot
        min_genes=LOW_GENES if len(slide.genes) >= 5 * LOW_GENES else 0,
        min_tissue=0 if quality.tissue is None else LOW_TISSUE,
    )
    facts["median_counts"] = float(np.median(quality.counts)) if len(quality.counts) else None
    facts["median_genes"] = float(np.median(quality.genes)) if len(quality.genes) else None
    return facts


def _tissue_facts(slide: Slide, mask: TissueMask | None) -> dict[str, float]:
    if mask is None:
        return {}
    area = float(mask.bits.sum()) * (mask.px * slide.mpp / 1000) ** 2
    facts = {"tissue_mm2": area}
    if slide.spots is not None and len(slide.spots):
        facts["spots_on_tissue"] = float(np.mean(mask.at(slide.spots.yx)))
    return facts


def _spot_sets(slide: Slide, notes: list[str]) -> dict[str, int]:
    if slide.spots is None or not slide.is_zarr:
        return {}
    from napari_c2lst.slides.spots.spotsets import list_spot_sets

    try:
        return {spot_set.name: int(spot_set.mask.sum()) for spot_set in list_spot_sets(slide)}
    except InputError as error:
        notes.append(str(error))
        return {}
