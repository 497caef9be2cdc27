"""The numbers behind gene maps."""

from __future__ import annotations

import numpy as np
import pytest
from tests.plugin.looking.made import values
from tests.plugin.results import panel_of, predicted_of, training_spots

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.looking.predictions import Prediction
from napari_c2lst.plugin.looking.values import GeneMatrix, MapValues, dense, load_values, measured_values
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


def test_a_gene_is_a_view_not_a_copy() -> None:
    matrix = GeneMatrix(("A", "B"), np.arange(6, dtype=np.float64).reshape(3, 2))
    assert matrix.values.dtype == np.float32
    assert matrix.values.flags.f_contiguous
    column = matrix.column("B")
    assert column.tolist() == [1, 3, 5]
    assert column.flags.c_contiguous
    assert np.shares_memory(column, matrix.values)
    assert "A" in matrix
    assert "C" not in matrix


def test_an_unknown_gene_is_named() -> None:
    with pytest.raises(InputError, match="'C' was not predicted"):
        GeneMatrix(("A",), np.zeros((1, 1), np.float32)).column("C")


def test_predicted_and_measured_are_on_one_scale(slide: Slide, both: MapValues) -> None:
    gene = both.predicted.genes[3]
    measured = both.measured_here(gene)
    assert measured is not None
    np.testing.assert_allclose(both.predicted.column(gene), 0.5 * measured + 0.25, atol=1e-6)
    np.testing.assert_allclose(both.predicted.values, predicted_of(slide), atol=1e-6)


def test_places_are_the_spots_in_level_0_pixels(slide: Slide, both: MapValues) -> None:
    np.testing.assert_allclose(both.yx, slide.require_spots().yx)
    assert both.spot is not None
    assert both.spot.tolist() == list(range(63))
    assert (both.held_out == ~training_spots(slide)).all()


def test_held_out_predictions_know_their_spots(slide: Slide, predictions: dict[str, Prediction]) -> None:
    values = load_values(slide, predictions["real on spots"])
    assert values.spot is not None
    assert (values.spot == np.flatnonzero(~training_spots(slide))).all()
    np.testing.assert_allclose(values.yx, slide.require_spots().yx[values.spot])
    assert values.held_out.all()


def test_a_grid_knows_its_lattice_and_no_spot(slide: Slide, grid: MapValues) -> None:
    assert grid.spot is None
    assert grid.lattice is not None
    assert grid.lattice.max(axis=0).tolist() == [4, 3]
    assert grid.stride_px == pytest.approx(100 / slide.mpp)
    assert grid.measured_here(grid.predicted.genes[0]) is None


def test_the_range_is_that_of_measured_held_out_spots(slide: Slide, both: MapValues) -> None:
    gene = both.predicted.genes[0]
    measured = panel_of(slide).targets(slide.counts(), slide.genes)[~training_spots(slide), 0]
    assert both.limits(gene) == pytest.approx(tuple(np.percentile(measured, [2, 98])))


def test_the_range_of_a_grid_is_that_of_all_spots(slide: Slide, grid: MapValues) -> None:
    measured = panel_of(slide).targets(slide.counts(), slide.genes)[:, 0]
    assert grid.limits(grid.predicted.genes[0]) == pytest.approx(tuple(np.percentile(measured, [2, 98])))


def test_a_difference_is_as_wide_on_both_sides(both: MapValues) -> None:
    gene = both.predicted.genes[0]
    measured = both.measured_here(gene)
    assert measured is not None
    assert both.difference_limit(gene) == pytest.approx(np.percentile(abs(0.25 - 0.5 * measured), 98), abs=1e-5)


def test_spread_starts_at_nothing(both: MapValues) -> None:
    low, high = both.spread_limits(both.predicted.genes[0])
    assert low == 0
    assert high > 0.1


def test_a_slide_without_these_genes_has_nothing_measured(results: object, predictions: dict[str, Prediction]) -> None:
    slide = open_slide(results)  # type: ignore[arg-type]
    slide.sdata.tables["table"].var_names = [f"OTHER{i}" for i in range(40)]
    assert measured_values(slide, predictions["both on spots"]) is None


def test_a_table_that_is_gone_is_said(results: object, predictions: dict[str, Prediction]) -> None:
    slide = open_slide(results)  # type: ignore[arg-type]
    del slide.sdata.tables["c2lst_spots_both"]
    with pytest.raises(InputError, match="no predictions 'c2lst_spots_both' any more"):
        load_values(slide, predictions["both on spots"])


def test_predictions_of_other_spots_are_refused(results: object, predictions: dict[str, Prediction]) -> None:
    slide = open_slide(results)  # type: ignore[arg-type]
    table = slide.sdata.tables["c2lst_spots_both"]
    table.obs_names = [f"elsewhere{i}" for i in range(table.n_obs)]
    with pytest.raises(InputError, match="'elsewhere0' belong to other spots"):
        load_values(slide, predictions["both on spots"])


def test_any_matrix_of_an_anndata_becomes_dense() -> None:
    import dask.array as da
    from scipy.sparse import csr_matrix

    numbers = np.eye(3)
    for matrix in (numbers, csr_matrix(numbers), da.from_array(numbers)):
        assert dense(matrix).tolist() == numbers.tolist()


# -- numbers that are none


NUMBERS = np.arange(18, dtype=np.float32).reshape(6, 3)


def with_nan(rows: object) -> np.ndarray:
    damaged = NUMBERS.copy()
    damaged[rows] = np.nan
    return damaged


def test_ranges_are_of_the_values_that_are_numbers() -> None:
    some = values(with_nan([3]), with_nan([4]), with_nan([5]))
    whole = values(np.delete(NUMBERS, 4, 0), np.delete(NUMBERS, 4, 0))
    assert some.limits("ERBB2") == pytest.approx((some.measured.column("ERBB2")[2] + 0.18, 15.82), abs=0.5)  # type: ignore[union-attr]
    for ends in (some.limits("ERBB2"), some.spread_limits("ERBB2"), (0, some.difference_limit("ERBB2"))):
        assert np.isfinite(ends).all()
        assert ends[0] < ends[1]
    assert whole.difference_limit("ERBB2") == 1e-3


@pytest.mark.parametrize("rows", [slice(None)])
def test_nothing_but_nan_still_has_a_range_to_draw_with(rows: slice) -> None:
    none = values(with_nan(rows), with_nan(rows), with_nan(rows))
    for low, high in (none.limits("FASN"), none.spread_limits("FASN"), (0.0, none.difference_limit("FASN"))):
        assert np.isfinite([low, high]).all()
        assert low < high


def test_one_spot_and_a_gene_that_does_not_vary_have_a_range() -> None:
    one = values(NUMBERS[:1], NUMBERS[:1])
    low, high = one.limits("ACTB")
    assert low < high
    low, high = values(np.ones((6, 3)), np.zeros((6, 3))).limits("ACTB")
    assert low == 0 < high


def test_counts_that_were_changed_leave_the_prediction_to_look_at(
    slide: Slide, predictions: dict[str, Prediction]
) -> None:
    class Normalised:
        """A slide whose table was log-transformed in place."""

        name, spots, genes = slide.name, slide.spots, slide.genes
        table_name, sdata = slide.table_name, slide.sdata

        def counts(self) -> object:
            raise InputError("the table holds no whole numbers", "open the slide with raw counts")

    assert measured_values(Normalised(), predictions["both on spots"]) is None  # type: ignore[arg-type]


def test_a_slide_without_its_table_has_nothing_measured(slide: Slide, predictions: dict[str, Prediction]) -> None:
    from types import SimpleNamespace

    bare = SimpleNamespace(spots=slide.spots, table_name=None, sdata=SimpleNamespace(tables={}))
    assert measured_values(bare, predictions["both on spots"]) is None  # type: ignore[arg-type]
