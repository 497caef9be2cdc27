from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.genes.columns import GeneColumns

GENES = ["A", "B", "C", "D"]


def counts(n: int = 50, seed: int = 0) -> csr_matrix:
    rng = np.random.default_rng(seed)
    return csr_matrix(rng.poisson(0.7, (n, len(GENES))).astype(np.float32))


def test_columns_are_those_of_the_matrix() -> None:
    matrix = counts()
    columns = GeneColumns.of_counts(matrix, GENES)
    for i, gene in enumerate(GENES):
        assert np.array_equal(columns.column(gene), matrix.toarray()[:, i])
    assert columns.parts[0].counts.dtype == np.uint16


def test_slabs_give_the_same() -> None:
    matrix = counts()
    slabs = [(np.arange(0, 20), matrix[:20]), (np.arange(20, 50), matrix[20:])]
    assert np.array_equal(GeneColumns.of_slabs(slabs, GENES, 50).column("C"), matrix.toarray()[:, 2])


def test_rows_of_one_place_are_added_and_rows_of_none_left_out() -> None:
    matrix = counts(4)
    columns = GeneColumns.of_slabs([(np.array([1, -1, 0]), matrix[:3]), (np.array([1]), matrix[3:])], GENES, 2)
    dense = matrix.toarray()
    assert np.array_equal(columns.column("A"), [dense[2, 0], dense[0, 0] + dense[3, 0]])


def test_large_and_odd_values_stay_what_they_are() -> None:
    matrix = csr_matrix(np.array([[70_000.0, 0, 1, 2]], dtype=np.float32))
    assert GeneColumns.of_counts(matrix, GENES).column("A").tolist() == [70_000.0]


def test_an_unknown_gene_is_said() -> None:
    columns = GeneColumns.of_counts(counts(), GENES)
    assert "A" in columns
    assert "ERBB2" not in columns
    with pytest.raises(InputError, match="no gene 'ERBB2'"):
        columns.column("ERBB2")


def test_of_genes_with_one_name_the_first_counts() -> None:
    matrix = counts()
    columns = GeneColumns.of_counts(matrix, ["A", "B", "A", "D"])
    assert np.array_equal(columns.column("A"), matrix.toarray()[:, 0])


def test_the_first_gene_shown_varies_most_and_is_not_seen_in_one_spot_alone() -> None:
    dense = np.zeros((50, 4), dtype=np.float32)
    dense[0, 0] = 60_000  # one odd spot
    dense[:25, 1] = 100
    dense[:, 2] = 7
    dense[:25, 3] = 3
    assert GeneColumns.of_counts(csr_matrix(dense), GENES).most_varying() == "B"


def test_the_first_gene_where_all_are_rare_or_none_is_there() -> None:
    dense = np.zeros((50, 4), dtype=np.float32)
    assert GeneColumns.of_counts(csr_matrix(dense), GENES).most_varying() == ""
    assert GeneColumns.of_counts(csr_matrix((3, 0), dtype=np.float32), []).most_varying() == ""
    dense[3, 2] = 5
    assert GeneColumns.of_counts(csr_matrix(dense), GENES).most_varying() == "C"


def test_a_gene_without_any_count_is_all_zero() -> None:
    columns = GeneColumns.of_counts(csr_matrix((5, 2), dtype=np.float32), ["A", "B"])
    assert columns.column("A").tolist() == [0] * 5
    assert "B" in columns
    assert "C" not in columns


def test_no_places_and_no_genes() -> None:
    assert GeneColumns.of_slabs([], GENES, 3).column("A").tolist() == [0, 0, 0]
    assert GeneColumns.of_counts(csr_matrix((0, 4), dtype=np.float32), GENES).column("D").shape == (0,)
    assert GeneColumns.of_slabs([], [], 0).most_varying() == ""


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_gene_that_varies_most_is_one_of_those_that_are_there(share: float) -> None:
    assert GeneColumns.of_counts(counts(), GENES).most_varying(share) in GENES


def test_the_matrix_is_left_as_it_is() -> None:
    matrix = counts()
    before = matrix.copy()
    columns = GeneColumns.of_counts(matrix, GENES)
    columns.column("A")[:] = 9
    assert (matrix != before).nnz == 0
    assert columns.column("A").tolist() == before.toarray()[:, 0].tolist()


@pytest.mark.parametrize("value", [-1.0, 65_536.0, 65_535.0])
def test_what_two_bytes_cannot_hold_is_kept_as_floats(value: float) -> None:
    columns = GeneColumns.of_counts(csr_matrix(np.array([[value, 0.0], [0.0, 2.0]], np.float32)), ["A", "B"])
    assert columns.column("A").tolist() == [value, 0]
    assert columns.column("B").tolist() == [0, 2]


def test_slabs_may_overlap_in_places_and_differ_in_size() -> None:
    dense = counts(6).toarray()
    slabs = [(np.array([2]), csr_matrix(dense[:1])), (np.array([2, 2, 0, -1, 1]), csr_matrix(dense[1:]))]
    columns = GeneColumns.of_slabs(slabs, GENES, 3)
    wanted = np.stack([dense[3], dense[5], dense[:3].sum(axis=0)])
    assert np.array_equal(np.stack([columns.column(gene) for gene in GENES], axis=1), wanted)


def test_an_unknown_gene_says_how_many_there_are() -> None:
    with pytest.raises(InputError, match="there is no gene 'α 1' in this slide / choose one of its 4 genes"):
        GeneColumns.of_counts(counts(), GENES).column("α 1")
