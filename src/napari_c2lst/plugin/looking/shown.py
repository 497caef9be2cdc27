"""What a map shows: which numbers, in which colours and range, and what that is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.plugin.colouring import MOST_POINTS

from .colours import Colours
from .predictions import Prediction
from .surfaces import Surface, grid_surface, smooth_surface
from .values import UNIT, MapValues, Values

Mode = Literal["predicted", "measured", "beside", "split", "difference", "spread"]
Form = Literal["spots", "squares", "smooth"]

MODES: dict[Mode, str] = {
    "predicted": "Predicted",
    "measured": "Measured",
    "beside": "Side by side: measured, predicted",
    "split": "Split: measured | predicted",
    "difference": "Difference: predicted − measured",
    "spread": "Uncertainty",
}
FORMS: dict[Form, str] = {"spots": "Spots", "squares": "Grid squares", "smooth": "Smooth map"}


@dataclass(frozen=True)
class Legend:
    """What stands beside a map.

    Attributes
    ----------
    gene
        The gene.
    what
        "predicted", "measured", ...
    colours, limits
        The table of colours and the values at its two ends.
    unit
        Of the values.
    note
        What must be known to read the map; empty where nothing.
    nothing_below
        Whether the lower end is the lowest value there can be.
    """

    gene: str
    what: str
    colours: Colours
    limits: tuple[float, float]
    unit: str = UNIT
    note: str = ""
    nothing_below: bool = False


def forms_of(prediction: Prediction) -> tuple[Form, ...]:
    """The ways a prediction can be drawn; of very many spots only the one that is drawn at once."""
    if prediction.where == "grid":
        return ("squares", "smooth")
    return ("spots", "smooth") if prediction.n <= MOST_POINTS else ("smooth",)


def why_not(values: MapValues, mode: Mode) -> str:
    """Why a mode cannot be shown, with the next action; empty when it can."""
    if mode == "spread" and values.spread is None:
        return "not predicted with an uncertainty: predict again with “Average over flips” on (8 times slower)"
    if mode in ("measured", "beside", "split", "difference") and values.measured is None:
        return "the slide measured none of these genes: there is nothing to compare with"
    if mode == "difference" and values.spot is None:
        return "measured at spots only: choose predictions on spots"
    return ""


def legend(values: MapValues, gene: str, mode: Mode) -> Legend:
    """The legend of a map."""
    if mode == "spread":
        note = (
            "Standard deviation of the prediction over the eight flips and turns of each patch: how steady it is, not "
            "how near to the truth."
        )
        return Legend(gene, "uncertainty", "magma", values.spread_limits(gene), note=note, nothing_below=True)
    if mode == "difference":
        end = values.difference_limit(gene)
        note = "Blue: predicted too low. Orange: predicted too high. Grey: as measured."
        return Legend(gene, "predicted − measured", "difference", (-end, end), note=note)
    what = {"beside": "measured (left), predicted (right)", "split": "measured (left) | predicted (right)"}
    note = "Measured and predicted have the same colours." if values.measured is not None else ""
    return Legend(gene, what.get(mode, mode), "viridis", values.limits(gene), note=note)


def at_places(values: MapValues, gene: str, mode: Mode, divider_px: float = 0.0) -> Values:
    """(n,) the numbers of a mode at the predicted places.

    Parameters
    ----------
    divider_px
        With "split": left of this x (level-0 pixels) is measured, right of it predicted.
    """
    predicted = values.predicted.column(gene)
    if mode == "predicted":
        return predicted
    if mode == "spread":
        assert values.spread is not None
        return values.spread.column(gene)
    measured = values.measured_here(gene)
    assert measured is not None
    if mode == "measured":
        return measured
    if mode == "split":
        return np.where(values.yx[:, 1] < divider_px, measured, predicted)
    return predicted - measured


class Surfaces:
    """The images of one prediction: its own places and the measured spots in the same pixels.

    Building one takes a second for many places: do it beside the GUI's thread.
    """

    def __init__(self, values: MapValues, form: Form) -> None:
        self.values = values
        if form == "squares":
            assert values.lattice is not None
            assert values.stride_px is not None
            self.own = grid_surface(values.yx, values.lattice, values.stride_px)
        else:
            self.own = smooth_surface(values.yx)
        self.measured = self._of_measured()

    def _of_measured(self) -> Surface | None:
        """Measured spots, smooth, in the pixels of the prediction and only where there is one."""
        values = self.values
        if values.measured is None:
            return None
        if values.spot is not None:
            return self.own  # the same places: what was measured there, in the same way
        return smooth_surface(values.spots_yx, self.own)

    def image(self, gene: str, mode: Mode, divider_px: float = 0.0) -> Values:
        """(rows, columns) float32 of a mode; NaN where there is nothing to show."""
        values = self.values
        if mode in ("measured", "split"):
            assert self.measured is not None
            assert values.measured is not None
            here = values.measured_here(gene)
            measured = self.measured.image(values.measured.column(gene) if here is None else here)
            if mode == "measured":
                return measured
            predicted = self.own.image(values.predicted.column(gene))
            return np.where(self._left_of(divider_px), measured, predicted)
        return self.own.image(at_places(values, gene, mode))

    def _left_of(self, divider_px: float) -> NDArray[np.bool_]:
        return (self.own.columns_px() < divider_px)[None, :]
