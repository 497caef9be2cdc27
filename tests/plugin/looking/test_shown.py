"""What a map shows, in which range, and what that is called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_c2lst.plugin.looking.predictions import Prediction
from napari_c2lst.plugin.looking.shown import MODES, Mode, Surfaces, at_places, forms_of, legend, why_not
from napari_c2lst.plugin.looking.values import MapValues, load_values
from napari_c2lst.slides.slide import Slide


def test_ways_to_draw(both: MapValues, grid: MapValues) -> None:
    assert forms_of(both.prediction) == ("spots", "smooth")
    assert forms_of(grid.prediction) == ("squares", "smooth")


def test_everything_can_be_shown_of_spots_with_spread(both: MapValues) -> None:
    assert [why_not(both, mode) for mode in MODES] == [""] * len(MODES)


def test_what_cannot_be_shown_says_what_to_do(
    slide: Slide, predictions: dict[str, Prediction], grid: MapValues
) -> None:
    real = load_values(slide, predictions["real on spots"])
    assert "predict again with “Average over flips” on" in why_not(real, "spread")
    assert "choose predictions on spots" in why_not(grid, "difference")
    foreign = replace(real, measured=None)
    assert all("nothing to compare" in why_not(foreign, mode) for mode in ("measured", "beside", "split", "difference"))
    assert why_not(foreign, "predicted") == ""


def test_measured_and_predicted_share_their_range(both: MapValues) -> None:
    gene = both.predicted.genes[0]
    ranges = {legend(both, gene, mode).limits for mode in ("predicted", "measured", "beside", "split")}
    assert ranges == {both.limits(gene)}
    assert "the same colours" in legend(both, gene, "predicted").note


def test_a_difference_is_centred_at_0(both: MapValues) -> None:
    said = legend(both, both.predicted.genes[0], "difference")
    assert said.limits[0] == -said.limits[1]
    assert said.colours == "difference"
    assert said.what == "predicted − measured"


def test_uncertainty_has_a_scale_of_its_own(both: MapValues) -> None:
    said = legend(both, both.predicted.genes[0], "spread")
    assert said.limits == both.spread_limits(both.predicted.genes[0])
    assert "flips and turns" in said.note
    assert "not how near to the truth" in said.note
    assert said.nothing_below
    assert not legend(both, both.predicted.genes[0], "predicted").nothing_below


def test_numbers_of_each_mode(both: MapValues) -> None:
    gene = both.predicted.genes[1]
    measured, predicted = both.measured_here(gene), both.predicted.column(gene)
    assert measured is not None
    assert both.spread is not None
    assert (at_places(both, gene, "predicted") == predicted).all()
    assert (at_places(both, gene, "measured") == measured).all()
    assert (at_places(both, gene, "difference") == predicted - measured).all()
    assert (at_places(both, gene, "spread") == both.spread.column(gene)).all()


def test_a_split_map_is_measured_left_and_predicted_right(both: MapValues) -> None:
    gene = both.predicted.genes[1]
    divider = float(np.median(both.yx[:, 1]))
    left = both.yx[:, 1] < divider
    numbers = at_places(both, gene, "split", divider)
    assert (numbers[left] == both.measured_here(gene)[left]).all()  # type: ignore[index]
    assert (numbers[~left] == both.predicted.column(gene)[~left]).all()


@pytest.mark.parametrize("mode", ["predicted", "measured", "split", "difference", "spread"])
def test_a_smooth_map_stays_within_its_numbers(both: MapValues, mode: Mode) -> None:
    gene = both.predicted.genes[0]
    image = Surfaces(both, "smooth").image(gene, mode, 200.0)
    numbers = at_places(both, gene, mode, 200.0)
    if mode != "split":  # whose pixels near the divider are of either kind
        assert np.nanmin(image) >= numbers.min() - 1e-5
        assert np.nanmax(image) <= numbers.max() + 1e-5
    assert np.isfinite(image).any()


def test_squares_have_the_grids_own_numbers(grid: MapValues) -> None:
    image = Surfaces(grid, "squares").image(grid.predicted.genes[0], "predicted")
    assert image.tolist() == [[0, 1, 2, 3]] * 5


def test_on_a_grid_measured_spots_are_smoothed_into_its_pixels(grid: MapValues) -> None:
    surfaces, gene = Surfaces(grid, "squares"), grid.predicted.genes[0]
    measured, predicted = surfaces.image(gene, "measured"), surfaces.image(gene, "predicted")
    assert measured.shape == predicted.shape
    assert grid.measured is not None
    assert np.nanmax(measured) <= grid.measured.column(gene).max() + 1e-5
    divider = float(surfaces.own.columns_px()[2]) - 1
    split = surfaces.image(gene, "split", divider)
    np.testing.assert_array_equal(split[:, :2], measured[:, :2])
    np.testing.assert_array_equal(split[:, 2:], predicted[:, 2:])
