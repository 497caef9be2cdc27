"""`c2lst select`: choose training spots in one of several ways and keep them in the slide."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_c2lst.common.errors import InputError, raise_all
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.slides.genes.panel import refuse_few_spots
from napari_c2lst.slides.store.stored import open_stored

from .geojson import Region, describe_regions, read_regions
from .quality import SpotQuality, spot_quality
from .selection_settings import SelectSettings
from .splitting import blocked_split, overlapping_spots, random_split
from .spotsets import PREFIX, SpotSet, checked_name, refuse_taken_name, write_spot_set
from .suggesting import suggest_spots
from .ways import by_column, by_ids, in_regions, read_ids

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

Mask = NDArray[np.bool_]


class SelectResult(TaskResult):
    """What was selected.

    Attributes
    ----------
    path
        The SpatialData the set was written into.
    name
        Name of the set.
    way
        The setting that chose them: "fraction", "polygon", "column", "suggest" or "ids".
    selected, held_out, left_out
        Numbers of spots: to train on, to score on, neither.
    share
        Selected spots as a share of all spots.
    low
        Spots below each threshold, in words; a spot may be below several.
    buffer
        Held-out spots set aside because their patch overlaps a training patch.
    overlapping
        Spots to score on whose patch overlaps a training patch all the same.
    """

    path: Path
    name: str
    way: str
    selected: int
    held_out: int
    left_out: int
    share: float
    low: dict[str, int] = Field(default_factory=dict)
    buffer: int = 0
    overlapping: int = 0

    def lines(self) -> list[str]:
        """What to tell the user."""
        total = self.selected + self.held_out + self.left_out
        lines = [
            f"spot set '{self.name}': {self.selected} of {total} spots selected ({100 * self.share:.1f} %), "
            f"{self.held_out} held out, {self.left_out} left out"
        ]
        lines += [f"left out: {number} spots with {what}" for what, number in self.low.items()]
        if self.buffer:
            lines.append(f"left out: {self.buffer} spots whose patch overlaps a training patch")
        if self.overlapping:
            lines.append(
                f"{self.overlapping} held-out spots share tissue with a training patch: their score flatters"
                + (" (--split blocked sets them aside)" if self.way == "fraction" else "")
            )
        if not self.held_out:
            lines.append("no spot is held out: a model trained on this set cannot be scored on this slide")
        return [*lines, f"written: table '{PREFIX}{self.name}' of {self.path}"]


def run(settings: SelectSettings, reporter: Reporter) -> SelectResult:
    """Choose spots and write them into the slide's SpatialData.

    Raises
    ------
    InputError
        If the settings contradict each other, the slide or a file cannot be used, the name is taken, or fewer than 8
        spots are selected; nothing is written then.
    """
    files = _check(settings)
    slide = open_stored(settings, reporter, scale=False, spots=True)
    refuse_taken_name(slide, settings.name, settings.replace)
    choice = _choose(slide, settings, files, reporter)
    note = f" ({int(choice.low.sum())} spots are left out by the thresholds)" if choice.low.any() else ""
    count = int(choice.training.sum())
    refuse_few_spots(count, f"slide '{slide.name}'", note)
    left_out = (choice.low | choice.buffer) & ~choice.training
    spots = SpotSet.of(settings.name, slide.require_spots().ids, choice.training, choice.how, left_out)
    write_spot_set(slide, spots, replace=settings.replace)
    return SelectResult(
        path=slide.path,
        name=settings.name,
        way=settings.way,
        selected=count,
        held_out=int(spots.held_out.sum()),
        left_out=int(left_out.sum()),
        share=count / len(spots.mask),
        low=choice.low_numbers,
        buffer=int((choice.buffer & ~choice.low).sum()),
        overlapping=_overlapping(slide, spots, settings.patch_um),
    )


@dataclass(frozen=True)
class _Files:
    """What the user's files hold, read before any work starts."""

    regions: list[Region] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Choice:
    training: Mask
    buffer: Mask
    low: Mask
    low_numbers: dict[str, int]
    how: dict[str, Any]


def _check(settings: SelectSettings) -> _Files:
    """Everything that can be wrong without the slide, all at once."""
    problems: list[InputError] = []
    regions: list[Region] = []
    ids: list[str] = []
    try:
        settings.check()
    except InputError as problem:
        problems.append(problem)
    try:
        checked_name(settings.name)
    except InputError as problem:
        problems.append(problem)
    try:
        if settings.polygon is not None:
            regions = read_regions(settings.polygon, labels=settings.polygon_class)
        if settings.ids is not None:
            ids = read_ids(settings.ids)
    except InputError as problem:
        problems.append(problem)
    raise_all(problems)
    return _Files(regions, ids)


def _choose(slide: Slide, settings: SelectSettings, files: _Files, reporter: Reporter) -> _Choice:
    thresholds = {key: getattr(settings, key) for key in ("min_counts", "min_genes", "min_tissue")}
    quality = _quality(slide, thresholds)
    low = quality.low(**thresholds) if quality else np.zeros(len(slide.require_spots()), dtype=bool)
    how: dict[str, Any] = {key: value for key, value in thresholds.items() if value}
    buffer = np.zeros(len(low), dtype=bool)
    if settings.way == "fraction":
        training, buffer = _by_fraction(slide, settings, ~low)
        how |= {"fraction": settings.fraction, "seed": settings.seed, "split": settings.split}
    elif settings.way == "suggest":
        assert settings.suggest is not None
        training = suggest_spots(
            slide,
            settings.suggest,
            allowed=~low,
            patch_um=settings.patch_um,
            workers=settings.workers,
            reporter=reporter,
        )
        how |= {"suggest": settings.suggest, "patch_um": settings.patch_um}
    else:
        training, description = _named(slide, settings, files)
        training = training & ~low
        how |= description
    if settings.way == "polygon":
        reporter.message(f"{describe_regions(files.regions)} in {settings.polygon}")
    return _Choice(training, buffer, low, quality.low_numbers(**thresholds) if quality else {}, how)


def _quality(slide: Slide, thresholds: dict[str, Any]) -> SpotQuality | None:
    if not any(thresholds.values()):
        return None
    return spot_quality(slide, tissue=thresholds["min_tissue"] > 0)


def _by_fraction(slide: Slide, settings: SelectSettings, usable: Mask) -> tuple[Mask, Mask]:
    """Split the usable spots; buffer spots of a blocked split are among them."""
    assert settings.fraction is not None
    places = np.flatnonzero(usable)
    training, buffer = np.zeros(len(usable), dtype=bool), np.zeros(len(usable), dtype=bool)
    if not len(places):
        return training, buffer
    if settings.split == "random":
        training[places] = random_split(len(places), settings.fraction, settings.seed)
        return training, buffer
    yx_um = slide.require_spots().yx[places] * slide.mpp
    training[places], buffer[places] = blocked_split(
        yx_um, settings.fraction, settings.seed, patch_um=settings.patch_um
    )
    return training, buffer


def _named(slide: Slide, settings: SelectSettings, files: _Files) -> tuple[Mask, dict[str, Any]]:
    """By polygon, column or ids: the mask and how to describe it."""
    if settings.polygon is not None:
        how = {
            "polygon": str(settings.polygon),
            "shapes": len(files.regions),
            "classes": list(settings.polygon_class),
            "system": settings.polygon_system,
        }
        return in_regions(slide, files.regions, settings.polygon_system), how
    if settings.column is not None:
        how = {"column": settings.column, "equals": list(settings.equals)}
        return by_column(slide, settings.column, settings.equals), how
    return by_ids(slide, files.ids), {"ids": str(settings.ids)}


def _overlapping(slide: Slide, spots: SpotSet, patch_um: float) -> int:
    if slide.microns is None:
        return 0
    touching = overlapping_spots(slide.require_spots().yx * slide.mpp, spots.mask, patch_um)
    return int((touching & spots.held_out).sum())
