"""Make a slide out of what a reader gave and the elements that were chosen; the same for every kind of input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.geometry import apply_yx, centres_yx, matrix_to_system, scale_of
from napari_c2lst.slides.images.pyramid import Pyramid
from napari_c2lst.slides.microns import fit_microns, recognise_array
from napari_c2lst.slides.readers.spots_of_table import spots_of_table
from napari_c2lst.slides.slide import Microns, Slide, Spots

from .choosing import Choice
from .reading import Reading

# Stored and fitted sizes of a pixel that differ by more are worth a word.
_AGREEMENT = 0.05
# Coordinate systems whose unit is the micron by their name (Xenium, MERSCOPE, ... as spatialdata-io writes them).
_MICRON_SYSTEMS = ("microns", "micrometers", "um", "µm")


def make_slide(path: Path, reading: Reading, choice: Choice, mpp: float | None) -> Slide:
    """Make the slide; see `open_slide` for what it may raise."""
    sdata, facts = reading.sdata, reading.facts
    where = f"slide '{facts.name}'"
    element = sdata.images[choice.image]
    pyramid = Pyramid.of_element(element, f"image '{choice.image}' of {where}")
    to_system = matrix_to_system(element, choice.system, f"image '{choice.image}' of {where}")
    placed = None if choice.shapes is None else _place_spots(reading, choice, to_system, pyramid.shape, where)
    microns, notes = _find_microns(reading, choice, to_system, placed, mpp)
    spots = None
    if placed is not None:
        diameter = facts.spot_um
        if diameter is None and placed.radius_px is not None and microns is not None:
            diameter = 2 * placed.radius_px * microns.value
        spots = Spots(placed.ids, placed.yx, diameter, placed.array_rc)
    return Slide(
        name=facts.name,
        path=path,
        kind=facts.kind,
        sdata=sdata,
        image_name=choice.image,
        shapes_name=choice.shapes,
        table_name=choice.table,
        coordinate_system=choice.system,
        pyramid=pyramid,
        microns=microns,
        spots=spots,
        is_zarr=reading.is_zarr,
        rows=None if placed is None else placed.rows,
        notes=(*reading.notes, *choice.notes, *(placed.notes if placed else ()), *notes),
        facts=facts,
    )


@dataclass(frozen=True, eq=False)
class _PlacedSpots:
    """Spots in level-0 pixels of the chosen image."""

    rows: NDArray[np.int64]
    ids: NDArray[np.str_]
    yx: NDArray[np.float64]
    array_rc: NDArray[np.int64] | None
    radius_px: float | None
    notes: tuple[str, ...]


def _place_spots(
    reading: Reading, choice: Choice, to_system: NDArray[np.float64], size: tuple[int, int], where: str
) -> _PlacedSpots:
    assert choice.shapes is not None
    assert choice.table is not None
    shapes = reading.sdata.shapes[choice.shapes]
    found = spots_of_table(reading.sdata.tables[choice.table], choice.table, shapes, choice.shapes, where)
    own = matrix_to_system(shapes, choice.system, f"spots '{choice.shapes}' of {where}")
    to_pixels = np.linalg.inv(to_system) @ own
    yx = apply_yx(to_pixels, centres_yx(shapes)[found.places])
    inside = ((yx >= 0) & (yx <= size)).all(axis=1)
    notes = found.notes
    keep: Any = slice(None)
    if "Visium HD" in reading.facts.kind and inside.any() and not inside.all():
        # the slide area of Visium HD reaches beyond the picture; squares there hold no tissue that can be seen
        notes = [*notes, f"{int((~inside).sum())} squares outside the image are left out"]
        keep = inside
    elif not inside.all():
        first = int(np.flatnonzero(~inside)[0])
        y, x = yx[first]
        raise InputError(
            f"{int((~inside).sum())} of {len(yx)} spots of {where} lie outside the image '{choice.image}' "
            f"({size[0]} x {size[1]} px), first '{found.ids[first]}' at y = {y:.0f}, x = {x:.0f}",
            "check that image and spots belong together; pass --image-scale if the image is a scaled version",
        )
    radius = float(np.median(shapes["radius"])) * scale_of(to_pixels) if "radius" in shapes.columns else None
    rc = None if found.array_rc is None else found.array_rc[keep]
    return _PlacedSpots(found.rows[keep], found.ids[keep], yx[keep], rc, radius, tuple(notes))


def _find_microns(
    reading: Reading, choice: Choice, to_system: NDArray[np.float64], placed: _PlacedSpots | None, mpp: float | None
) -> tuple[Microns | None, list[str]]:
    """Given before stored before fitted; a word when stored and fitted do not agree."""
    stored = _stored_microns(reading, choice, to_system)
    fitted = _fitted_microns(reading, placed)
    if mpp is not None:
        return Microns(mpp, "given", "given by the user"), []
    if stored is not None and fitted is not None and abs(fitted.value / stored.value - 1) > _AGREEMENT:
        text = f"{stored.value:.3g} um per pixel are stored, but the array of spots says {fitted.value:.3g}"
        return stored, [f"{text}; the stored value is used, pass --mpp to choose"]
    return stored or fitted, []


def _stored_microns(reading: Reading, choice: Choice, to_system: NDArray[np.float64]) -> Microns | None:
    facts = reading.facts
    own_systems = dict.fromkeys(_MICRON_SYSTEMS, 1.0)
    for system, per_unit in (*facts.microns_per_unit.items(), *own_systems.items()):
        matrix = to_system
        if system != choice.system:
            try:
                matrix = matrix_to_system(reading.sdata.images[choice.image], system, "")
            except InputError:
                continue
        detail = facts.microns_detail if system in facts.microns_per_unit else f"coordinate system '{system}'"
        return Microns(per_unit * scale_of(matrix), "stored", detail)
    return None


def _fitted_microns(reading: Reading, placed: _PlacedSpots | None) -> Microns | None:
    if placed is None or placed.array_rc is None:
        return None
    array = reading.facts.known_array or recognise_array(placed.array_rc, placed.yx)
    value = None if array is None else fit_microns(array, placed.array_rc, placed.yx)
    if array is None or value is None:
        return None
    name = array.name if array.name.endswith("array") else f"{array.name} array"
    return Microns(value, "fitted", f"least squares on the {name}, {len(placed.ids)} spots")
