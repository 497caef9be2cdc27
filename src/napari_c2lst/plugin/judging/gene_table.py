"""Genes with their scores: sorted by any column, searched by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt

from napari_c2lst.evaluation.records import GeneScore

COLUMNS = ("Gene", "r", "MAE", "MAE of\nmedian", "mean\nmeas.", "mean\npred.")
TIPS = (
    "The gene; click it to see its map and its spots",
    "How well its pattern over held-out spots is followed; none where it does not vary",
    "Mean absolute error on the log(1 + x) scale; read it beside the median's and r",
    "What the median predictor, which says the same everywhere, has",
    "Mean measured value on held-out spots",
    "Mean predicted value on held-out spots",
)
VALUE = Qt.ItemDataRole.UserRole + 1


class GeneModel(QAbstractTableModel):
    """The genes of one arm beside those of the median predictor."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, float | None, float, float | None, float, float]] = []

    def show_genes(self, rows: Sequence[GeneScore], median: Sequence[GeneScore]) -> None:
        """Show the genes of an arm; `median` are those of the median predictor of the same trial."""
        constant = {row.gene: row.mae for row in median}
        self.beginResetModel()
        self._rows = [
            (row.gene, row.r, row.mae, constant.get(row.gene), row.mean_measured, row.mean_predicted) for row in rows
        ]
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Number of genes."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Number of columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell as text, or its value to sort by."""
        if not index.isValid():
            return None
        value = self._rows[index.row()][index.column()]
        if role == VALUE:
            return value if value is not None else -2.0  # below every r and every error
        if role == Qt.ItemDataRole.DisplayRole:
            return value if isinstance(value, str) else "none" if value is None else f"{value:.2f}".replace("-", "−")
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column():
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names of the columns and what they mean."""
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section]
            if role == Qt.ItemDataRole.ToolTipRole:
                return TIPS[section]
        return None


class GeneFilter(QSortFilterProxyModel):
    """Sorted by values, not by their text, and filtered by the gene's name."""

    def __init__(self, model: GeneModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSourceModel(model)
        self.setSortRole(VALUE)
        self.setFilterKeyColumn(0)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def gene(self, index: QModelIndex) -> str:
        """The gene of a row; empty for none."""
        return str(self.index(index.row(), 0).data()) if index.isValid() else ""

    def row_of(self, gene: str) -> int:
        """The row of a gene; -1 where it is not shown."""
        return next((i for i in range(self.rowCount()) if self.index(i, 0).data() == gene), -1)
