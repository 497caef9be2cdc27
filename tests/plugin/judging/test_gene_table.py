"""Genes with their scores: sorted by number, searched by name."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QModelIndex, Qt
from tests.plugin.judging.made import gene

from napari_c2lst.plugin.judging.gene_table import COLUMNS, TIPS, VALUE, GeneFilter, GeneModel

RIGHT = Qt.AlignmentFlag.AlignRight
DESCENDING = Qt.SortOrder.DescendingOrder


@pytest.fixture
def model(qapp: Any) -> GeneModel:
    model = GeneModel()
    rows = [gene("real", "ERBB2", 0.91, 0.3), gene("real", "FASN", None, 1.25), gene("real", "ACTB", -0.1, 0.7)]
    model.show_genes(rows, [gene("median", "ERBB2", None, 0.6), gene("median", "FASN", None, 1.25)])
    return model


@pytest.fixture
def table(model: GeneModel) -> GeneFilter:
    return GeneFilter(model)


def texts(table: GeneFilter, column: int) -> list[str]:
    return [table.index(i, column).data() for i in range(table.rowCount())]


def test_a_row_is_a_gene_with_the_medians_error_beside_its_own(model: GeneModel) -> None:
    assert [model.index(0, k).data() for k in range(6)] == ["ERBB2", "0.91", "0.30", "0.60", "1.00", "1.20"]


def test_what_is_not_defined_is_none_and_not_0(model: GeneModel) -> None:
    assert model.index(1, 1).data() == "none"
    assert model.index(2, 3).data() == "none"  # the median predictor has no such gene


def test_a_minus_is_a_minus(model: GeneModel) -> None:
    assert model.index(2, 1).data() == "−0.10"


def test_sorting_is_by_number_and_none_is_the_worst(table: GeneFilter) -> None:
    table.sort(1, DESCENDING)
    assert texts(table, 0) == ["ERBB2", "ACTB", "FASN"]
    table.sort(2, DESCENDING)
    assert texts(table, 2) == ["1.25", "0.70", "0.30"]


def test_genes_are_sorted_by_name(table: GeneFilter) -> None:
    table.sort(0, Qt.SortOrder.AscendingOrder)
    assert texts(table, 0) == ["ACTB", "ERBB2", "FASN"]


def test_a_number_is_right_aligned_and_a_name_is_not(model: GeneModel) -> None:
    role = Qt.ItemDataRole.TextAlignmentRole
    assert model.index(0, 1).data(role) & RIGHT
    assert model.index(0, 0).data(role) is None


@pytest.mark.parametrize("text", ["erb", "ERBB2", "bb"])
def test_a_part_of_a_name_in_any_case_finds_it(table: GeneFilter, text: str) -> None:
    table.setFilterFixedString(text)
    assert texts(table, 0) == ["ERBB2"]


def test_signs_of_regular_expressions_are_only_signs(table: GeneFilter) -> None:
    for text in (".*", "[", "(", "ERBB2|FASN"):
        table.setFilterFixedString(text)
        assert table.rowCount() == 0


def test_a_row_is_found_where_it_stands_now(table: GeneFilter) -> None:
    table.sort(0, Qt.SortOrder.AscendingOrder)
    assert [table.row_of(name) for name in ("ACTB", "FASN", "GAPDH", "")] == [0, 2, -1, -1]
    table.setFilterFixedString("FAS")
    assert [table.row_of(name) for name in ("ACTB", "FASN")] == [-1, 0]


def test_no_row_is_no_gene(table: GeneFilter) -> None:
    assert table.gene(QModelIndex()) == ""
    table.sort(0, Qt.SortOrder.AscendingOrder)
    assert table.gene(table.index(1, 4)) == "ERBB2"


def test_every_column_says_what_it_means(model: GeneModel) -> None:
    across = Qt.Orientation.Horizontal
    for column in range(model.columnCount()):
        assert model.headerData(column, across) == COLUMNS[column]
        assert model.headerData(column, across, Qt.ItemDataRole.ToolTipRole) == TIPS[column]
    assert model.headerData(0, Qt.Orientation.Vertical) is None


def test_other_genes_replace_all(model: GeneModel, table: GeneFilter) -> None:
    model.show_genes([gene("ridge", "GAPDH")], [])
    assert texts(table, 0) == ["GAPDH"]
    model.show_genes([], [])
    assert table.rowCount() == 0


def test_a_gene_has_no_genes_below_it(model: GeneModel) -> None:
    assert model.rowCount(model.index(0, 0)) == 0
    assert model.columnCount(model.index(0, 0)) == 0
    assert model.data(QModelIndex()) is None


def test_no_sort_value_is_ever_missing(model: GeneModel) -> None:
    """Qt sorts a missing value anywhere."""
    assert all(model.index(i, k).data(VALUE) is not None for i in range(3) for k in range(6))
