"""The measured and predicted values that a score stands for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.plugin.results import predicted_of, training_spots

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.judging.truth import held_out_values, prediction_of, read_truth
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


def test_the_predictions_of_a_run_are_those_on_spots(slide: Slide) -> None:
    found = prediction_of(slide, run="both", arm="real+synthetic")  # there is one on a grid as well
    assert found is not None
    assert (found.key, found.where) == ("c2lst_spots_both", "spots")


@pytest.mark.parametrize(("run", "arm"), [("both", "real"), ("gone", "real"), ("", "ridge")])
def test_a_run_that_was_not_stored_has_none(slide: Slide, run: str, arm: str) -> None:
    """A run of the same name but another arm is another predictor."""
    assert prediction_of(slide, run=run, arm=arm) is None


def test_without_a_slide_there_is_none() -> None:
    assert prediction_of(None, run="real", arm="real") is None


def test_held_out_values_are_paired_spot_by_spot(slide: Slide) -> None:
    found = prediction_of(slide, run="both", arm="real+synthetic")
    assert found is not None
    values = read_truth(slide, found)
    gene = values.predicted.genes[2]
    measured, predicted, spots = held_out_values(values, gene)
    assert spots.tolist() == np.flatnonzero(~training_spots(slide)).tolist()
    np.testing.assert_allclose(predicted, predicted_of(slide)[spots, 2], atol=1e-6)
    np.testing.assert_allclose(predicted, 0.5 * measured + 0.25, atol=1e-6)


def test_a_slide_that_did_not_measure_the_genes_is_refused(slide: Slide, scored: Path) -> None:
    other = open_slide(scored)
    found = prediction_of(other, run="real", arm="real")
    assert found is not None
    other.sdata.tables["table"].var_names = [f"OTHER{i}" for i in range(40)]
    with pytest.raises(InputError, match="'tiny' did not measure these genes"):
        read_truth(other, found)
