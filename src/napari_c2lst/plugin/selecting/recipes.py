"""Ways to choose spots that can be said in a sentence: each gives one step. Needs neither Qt nor napari."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Reporter

from .choice import How, Mask, Step

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.geojson import Region

PATCH_UM = 112.0
MOST_VALUES = 60  # of a column to choose by; more are no labels


def random_share(
    slide: Slide,
    how: How,
    fraction: float,
    seed: int,
    split: Literal["random", "blocked"],
    low: Mask | None = None,
) -> Step:
    """A share of the spots at random, or in whole regions with a gap to the spots that are scored.

    Parameters
    ----------
    low
        (N,) spots that are not to be chosen.

    Raises
    ------
    InputError
        If there is no spot to choose from, or a blocked split is wanted and microns per pixel are not known.
    """
    from napari_c2lst.slides.spots.splitting import blocked_split, random_split

    spots = slide.require_spots()
    places = np.flatnonzero(~low) if low is not None else np.arange(len(spots))
    if not len(places):
        raise InputError("there is no spot to choose from", "lower the thresholds")
    mask, buffer = np.zeros(len(spots), dtype=bool), np.zeros(len(spots), dtype=bool)
    if split == "random":
        mask[places] = random_split(len(places), fraction, seed)
    else:
        yx_um = spots.yx[places] * slide.mpp
        mask[places], buffer[places] = blocked_split(yx_um, fraction, seed, patch_um=PATCH_UM)
    said = {"fraction": fraction, "seed": seed, "split": split}
    return Step(how, mask, "fraction", said, buffer=buffer, low=_drawn_without(low, mask))


def suggested(slide: Slide, how: How, number: int, low: Mask | None = None, reporter: Reporter | None = None) -> Step:
    """The spots that cover the slide's morphology best. Reads every patch: not on the GUI's thread.

    Raises
    ------
    InputError
        If there are not so many spots, or microns per pixel are not known.
    Stopped
        If the reporter asked to stop.
    """
    from napari_c2lst.slides.spots.suggesting import suggest_spots

    allowed = None if low is None else ~low
    mask = suggest_spots(slide, number, allowed=allowed, patch_um=PATCH_UM, reporter=reporter)
    return Step(how, mask, "suggest", {"suggest": number, "patch_um": PATCH_UM}, low=_drawn_without(low, mask))


def by_values(slide: Slide, how: How, column: str, values: Sequence[str]) -> Step:
    """Spots whose value in a column of the table is one of these.

    Raises
    ------
    InputError
        If no value is given, there is no such column, or a value occurs nowhere in it.
    """
    from napari_c2lst.slides.spots.ways import by_column

    if not values:
        raise InputError(f"no value of column '{column}' is ticked", "tick the values whose spots are wanted")
    mask = by_column(slide, column, values)
    return Step(how, mask, f"column {column}", {"column": column, "equals": list(values)})


def by_regions(
    slide: Slide,
    how: How,
    regions: Sequence[Region],
    path: Path,
    classes: Sequence[str] = (),
    system: str | None = None,
) -> Step:
    """Spots inside the shapes of a file.

    Parameters
    ----------
    classes
        The classes that were asked for; empty for all.
    system
        Coordinate system the shapes are in; None for pixels of the full-resolution image.

    Raises
    ------
    InputError
        If no spot lies in a shape, or the image has no place in that system.
    """
    import shapely

    from napari_c2lst.slides.spots.ways import in_regions

    mask = in_regions(slide, regions, system)
    if not mask.any():
        raise InputError(
            f"none of the {len(mask)} spots lies inside the {len(regions)} shapes of '{path.name}'",
            "QuPath writes pixels of the full-resolution image: is it the same image?",
        )
    said = {"polygon": str(path), "shapes": len(regions), "classes": list(classes), "system": system}
    area = shapely.union_all([region.area for region in regions]) if system is None else None
    return Step(how, mask, "polygon", said, area=area)


def by_names(slide: Slide, how: How, path: Path) -> Step:
    """Spots named in a text file.

    Raises
    ------
    InputError
        If the file cannot be read, or names no spots of the slide.
    """
    from napari_c2lst.slides.spots.ways import by_ids, read_ids

    return Step(how, by_ids(slide, read_ids(path)), "ids", {"ids": str(path)})


def label_columns(slide: Slide) -> dict[str, list[str]]:
    """Columns of the table that spots can be chosen by, with their values: labels, not measurements."""
    import pandas as pd

    if slide.spots is None or slide.table_name is None:
        return {}
    obs = slide.sdata.tables[slide.table_name].obs
    keys = slide.sdata.tables[slide.table_name].uns.get("spatialdata_attrs", {})
    found: dict[str, list[str]] = {}
    for name in obs.columns:
        if name in (keys.get("instance_key"), keys.get("region_key")):
            continue
        held = obs[name] if slide.rows is None else obs[name].iloc[slide.rows]
        if pd.api.types.is_float_dtype(held.dtype):
            continue
        values = held.dropna().unique()
        if 2 <= len(values) <= MOST_VALUES:
            found[str(name)] = [str(value) for value in _sorted(values)]
    return found


def low_spots(slide: Slide, thresholds: dict[str, Any]) -> Mask:
    """(N,) spots below a threshold. May read counts and the image: not on the GUI's thread.

    Parameters
    ----------
    thresholds
        `min_counts`, `min_genes`, `min_tissue`.

    Raises
    ------
    InputError
        If the table holds no raw counts, or tissue is asked for and microns per pixel are not known.
    """
    from napari_c2lst.slides.spots.quality import spot_quality

    if not any(thresholds.values()):
        return np.zeros(len(slide.require_spots()), dtype=bool)
    return spot_quality(slide, tissue=thresholds.get("min_tissue", 0) > 0).low(**thresholds)


def _drawn_without(low: Mask | None, mask: Mask) -> Mask:
    return np.zeros_like(mask) if low is None else low


def _sorted(values: Any) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)
