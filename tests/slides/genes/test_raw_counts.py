from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.genes.raw_counts import count_fault, raw_counts

COUNTS = np.array([[0, 3, 1], [2, 0, 0], [7, 1, 5]])


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (np.array([1.0, 2.0, 300.0]), ""),
        (np.array([0, 5], np.uint8), ""),
        (np.array([]), ""),
        (np.array([1.0, np.nan, np.inf]), "2 values that are NaN or infinite"),
        (np.array([1.0, -2.0]), "1 negative values"),
        (np.array([1, -1]), "1 negative values"),
        (np.array([1.0, 0.693]), "0.693: it is already normalised"),
    ],
)
def test_faults_of_values(values: np.ndarray, fault: str) -> None:
    found = count_fault(values)
    assert fault in found
    assert bool(found) == bool(fault)


@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_rows_are_taken_in_the_order_asked_for(make) -> None:
    counts = raw_counts(ad.AnnData(make(COUNTS.astype(np.float64))), np.array([2, 0]), "table 'x'")
    assert isinstance(counts, sp.csr_matrix)
    assert counts.dtype == np.float32
    assert np.array_equal(counts.toarray(), COUNTS[[2, 0]])
    assert np.array_equal(raw_counts(ad.AnnData(make(COUNTS)), None, "").toarray(), COUNTS)


def test_a_layer_of_raw_counts_is_used_when_x_is_normalised() -> None:
    table = ad.AnnData(np.log1p(COUNTS), layers={"counts": sp.csr_matrix(COUNTS)})
    assert np.array_equal(raw_counts(table, None, "").toarray(), COUNTS)


def test_the_fault_of_x_is_told_when_no_layer_helps() -> None:
    table = ad.AnnData(np.log1p(COUNTS), layers={"counts": -COUNTS})
    with pytest.raises(InputError, match=r"table 'x' holds values .* already normalised") as caught:
        raw_counts(table, None, "table 'x'")
    assert "layer called 'counts'" in caught.value.hint


def test_a_table_without_x() -> None:
    with pytest.raises(InputError, match="has no X"):
        raw_counts(ad.AnnData(shape=(3, 2)), None, "table 'x'")


def test_the_table_is_not_changed() -> None:
    table = ad.AnnData(sp.csr_matrix(COUNTS))
    counts = raw_counts(table, None, "")
    counts.data[:] = 0
    assert np.array_equal(table.X.toarray(), COUNTS)


@pytest.mark.parametrize("layer", ["counts", "raw_counts", "raw"])
def test_layers_by_any_of_their_usual_names(layer: str) -> None:
    table = ad.AnnData(COUNTS * 0.3, layers={"other": COUNTS * 9, layer: COUNTS})
    assert np.array_equal(raw_counts(table, np.array([1]), "").toarray(), COUNTS[[1]])


def test_x_comes_before_the_layers_and_the_first_layer_before_the_next() -> None:
    table = ad.AnnData(COUNTS, layers={"counts": COUNTS * 2})
    assert np.array_equal(raw_counts(table, None, "").toarray(), COUNTS)
    table = ad.AnnData(COUNTS * 0.3, layers={"raw": COUNTS * 3, "counts": COUNTS * 0.1, "raw_counts": COUNTS * 2})
    assert np.array_equal(raw_counts(table, None, "").toarray(), COUNTS * 2)


def test_entries_stored_twice_are_added() -> None:
    twice = sp.csr_matrix((np.ones(3), np.array([0, 0, 1]), np.array([0, 3])), shape=(1, 2))
    counts = raw_counts(ad.AnnData(twice), None, "")
    assert counts.nnz == 2
    assert counts.toarray().tolist() == [[2, 1]]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1)])
def test_tables_of_hardly_anything(shape: tuple[int, int]) -> None:
    assert raw_counts(ad.AnnData(np.zeros(shape)), None, "").shape == shape
