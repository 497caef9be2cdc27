"""What is known of one spot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_c2lst.plugin.looking.predictions import Prediction
from napari_c2lst.plugin.looking.spot_facts import PATCH_PX, TOP, read_patch, spot_facts
from napari_c2lst.plugin.looking.values import MapValues, load_values
from napari_c2lst.slides.slide import Slide


def test_measured_and_predicted_of_the_same_genes(slide: Slide, both: MapValues) -> None:
    facts = spot_facts(slide, both, 7)
    assert facts.measured is not None
    assert facts.predicted is not None
    assert len(facts.genes) == TOP
    np.testing.assert_allclose(facts.predicted, 0.5 * facts.measured + 0.25, atol=1e-6)
    assert (np.diff(facts.measured) <= 0).all()
    best = both.predicted.genes[int(both.measured.values[7].argmax())]  # type: ignore[union-attr]
    assert facts.genes[0] == best


def test_the_gene_of_the_map_is_among_them(slide: Slide, both: MapValues) -> None:
    lowest = both.predicted.genes[int(both.measured.values[7].argmin())]  # type: ignore[union-attr]
    assert lowest not in spot_facts(slide, both, 7).genes
    facts = spot_facts(slide, both, 7, gene=lowest)
    assert lowest in facts.genes
    assert len(facts.genes) == TOP


def test_a_spot_says_what_it_is_to_the_prediction(
    slide: Slide, both: MapValues, grid: MapValues, predictions: dict[str, Prediction]
) -> None:
    real = load_values(slide, predictions["real on spots"])
    assert "held out" in spot_facts(slide, both, 1).role
    assert "no proof" in spot_facts(slide, both, 0).role
    assert "not predicted" in spot_facts(slide, real, 0).role
    assert "on a grid" in spot_facts(slide, grid, 1).role
    assert spot_facts(slide, both, 1).sentence.startswith(f"Spot {slide.require_spots().ids[1]}: ")


def test_a_spot_that_was_not_predicted_has_measured_genes_only(
    slide: Slide, predictions: dict[str, Prediction]
) -> None:
    facts = spot_facts(slide, load_values(slide, predictions["real on spots"]), 0)
    assert facts.predicted is None
    assert facts.measured is not None
    assert len(facts.genes) == TOP


def test_without_a_measurement_the_prediction_decides(slide: Slide, both: MapValues) -> None:
    facts = spot_facts(slide, replace(both, measured=None), 7)
    assert facts.measured is None
    assert facts.predicted is not None
    assert (np.diff(facts.predicted) <= 0).all()


def test_without_a_prediction_there_is_the_name(slide: Slide) -> None:
    facts = spot_facts(slide, None, 3)
    assert facts.genes == ()
    assert "no prediction" in facts.role


def test_the_patch_is_tissue_of_the_spot(slide: Slide) -> None:
    patch = read_patch(slide, 30, 112.0)
    assert patch.shape == (PATCH_PX, PATCH_PX, 3)
    assert 50 < patch.mean() < 244
