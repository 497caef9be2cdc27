"""What is known of one spot: its role, its tissue, what was measured there and what was predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .values import MapValues, Values

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

TOP = 10
PATCH_PX = 224


@dataclass(frozen=True, eq=False)
class SpotFacts:
    """One spot.

    Attributes
    ----------
    spot
        Its index among the slide's spots.
    name, role
        Its id, and in words what it is to the prediction ("held out", ...).
    genes
        The genes that are highest in the measurement or in the prediction, highest first.
    measured, predicted
        Their values on the panel's scale; None where there are none.
    """

    spot: int
    name: str
    role: str
    genes: tuple[str, ...] = ()
    measured: Values | None = None
    predicted: Values | None = None

    @property
    def sentence(self) -> str:
        """Name and role in one line."""
        return f"Spot {self.name}: {self.role}."


def spot_facts(slide: Slide, values: MapValues | None, spot: int, *, gene: str = "") -> SpotFacts:
    """What is known of a spot.

    Parameters
    ----------
    values
        The prediction that is looked at; None where there is none.
    gene
        A gene that is to be among those listed, the one whose map is shown.
    """
    name = str(slide.require_spots().ids[spot])
    if values is None:
        return SpotFacts(spot, name, "no prediction is chosen")
    row = _row_of(values, spot)
    measured = None if values.measured is None else values.measured.values[spot]
    predicted = None if row is None else values.predicted.values[row]
    chosen = _top(measured, predicted)
    genes = values.predicted.genes
    if gene in values.predicted and genes.index(gene) not in chosen:
        chosen = [*chosen[: TOP - 1], genes.index(gene)]
    return SpotFacts(
        spot,
        name,
        _role(values, spot, row),
        tuple(genes[i] for i in chosen),
        None if measured is None else measured[chosen],
        None if predicted is None else predicted[chosen],
    )


def read_patch(slide: Slide, spot: int, patch_um: float) -> NDArray[np.uint8]:
    """(224, 224, 3) the tissue around a spot, in its own colours."""
    from napari_c2lst.slides.patches.cutting import read_patches

    yx = slide.require_spots().yx[spot : spot + 1]
    return read_patches(slide, yx, patch_um=patch_um, patch_px=PATCH_PX, workers=1)[0]


def _row_of(values: MapValues, spot: int) -> int | None:
    if values.spot is None:
        return None
    rows = np.flatnonzero(values.spot == spot)
    return int(rows[0]) if rows.size else None


def _role(values: MapValues, spot: int, row: int | None) -> str:
    if values.spot is None:
        return "this prediction is on a grid, choose one on spots to compare"
    if row is None:
        return "a training spot, or left out: not predicted"
    return "held out: the predictor has not seen it" if values.held_out[row] else "not held out: no proof of anything"


def _top(measured: Values | None, predicted: Values | None) -> list[int]:
    """Half of the list from each side, ordered by what was measured."""
    sides = [side for side in (measured, predicted) if side is not None]
    if not sides:
        return []
    each = TOP // len(sides)
    order = [np.argsort(-side, kind="stable") for side in sides]
    chosen = list(dict.fromkeys(int(i) for ranked in order for i in ranked[:each]))
    for i in order[0]:
        if len(chosen) >= min(TOP, len(sides[0])):
            break
        if int(i) not in chosen:
            chosen.append(int(i))
    return sorted(chosen, key=lambda i: -float(np.nan_to_num(sides[0][i], nan=-1.0)))
