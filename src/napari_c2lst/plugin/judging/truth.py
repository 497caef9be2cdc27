"""Measured and predicted values of the run that a score is about, where the slide still holds its predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.looking.predictions import Prediction, list_predictions
from napari_c2lst.plugin.looking.values import MapValues, Values, load_values

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide


def prediction_of(slide: Slide | None, run: str, arm: str) -> Prediction | None:
    """The stored predictions on spots of a run; None where there are none."""
    there = [each for each in list_predictions(slide)[0] if each.where == "spots"]
    return next((each for each in there if each.written.name == run and each.written.predictor.arm == arm), None)


def read_truth(slide: Slide, prediction: Prediction) -> MapValues:
    """The numbers behind a gene's score.

    Raises
    ------
    InputError
        If nothing comparable was measured.
    """
    values = load_values(slide, prediction)
    if values.measured is None:
        raise InputError(f"slide '{slide.name}' did not measure these genes", "open the slide that was scored")
    return values


def held_out_values(values: MapValues, gene: str) -> tuple[Values, Values, NDArray[np.int64]]:
    """Measured and predicted values of a gene on the held-out spots, and which spots they are; (n,) each."""
    measured = values.measured_here(gene)
    assert measured is not None
    assert values.spot is not None
    rows = values.held_out
    return measured[rows], values.predicted.column(gene)[rows], values.spot[rows]
