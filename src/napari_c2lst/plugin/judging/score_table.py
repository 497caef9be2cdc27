"""The score table: an arm a line, error and r side by side."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_c2lst.evaluation.arms import Arm, arm_named
from napari_c2lst.evaluation.records import Score, Summary
from napari_c2lst.evaluation.scoring import summary

from .words import interval_of, number

COLUMNS = (
    ("", "What predicts, and from what"),
    ("MAE", "Mean absolute error on the log(1 + x) scale: smaller is better. Read it beside the median's and r."),
    ("vs median", "The error in excess of the median predictor's: −10 % is a tenth less"),
    (
        "r",
        "How well the pattern over the tissue is followed (Pearson, mean over genes): larger is better."
        " None: it says the same everywhere",
    ),
)


class ScoreTable(QTableWidget):
    """Every arm of a block, baselines first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        for i, (name, tip) in enumerate(COLUMNS):
            item = QTableWidgetItem(name)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(i, item)
        self.setAccessibleName("Score table")
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setIconSize(QSize(10, 10))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(24)
        self.setShowGrid(False)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for i in range(1, len(COLUMNS)):
            header.setSectionResizeMode(i, QHeaderView.ResizeMode.ResizeToContents)

    def show_scores(self, own: Sequence[Score]) -> None:
        """Show the scores of a block; means over its trials where there are several."""
        rows = summary(own) if own else []
        self.setRowCount(len(rows))
        for i, row in enumerate(rows):
            arm = arm_named(row.arm)
            for k, (text, tip) in enumerate(_cells(own, row, arm)):
                item = QTableWidgetItem(text)
                item.setToolTip(tip)
                if k:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                else:
                    item.setIcon(_dot(arm.colour))
                self.setItem(i, k, item)
        height = self.horizontalHeader().sizeHint().height() + sum(self.rowHeight(i) for i in range(len(rows)))
        self.setFixedHeight(height + 2 * self.frameWidth() + 2)


def _cells(own: Sequence[Score], row: Summary, arm: Arm) -> list[tuple[str, str]]:
    mae, r = interval_of(own, row.arm, "mae"), interval_of(own, row.arm, "r")
    share = "–" if row.against_median is None else f"{round(100 * row.against_median.value):+d} %".replace("-", "−")
    over = "over the runs" if row.runs > 1 else "over held-out spots"
    assert mae is not None
    return [
        (arm.label, f"{arm.meaning[0].upper()}{arm.meaning[1:]}" + (f" ({row.runs} runs)" if row.runs > 1 else "")),
        (f"{row.mae.value:.3f}", f"{number(mae, 3)}, 95 % interval {over}"),
        ("0 %" if arm.key == "median" or share == "+0 %" else share, "error in excess of the median predictor's"),
        (
            "none" if r is None else f"{r.value:.2f}",
            "says the same everywhere" if r is None else f"{number(r)}, 95 % interval {over}",
        ),
    ]


def _dot(colour: str) -> QIcon:
    pixmap = QPixmap(10, 10)
    pixmap.fill(QColor(0, 0, 0, 0))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(colour))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(1, 1, 8, 8)
    painter.end()
    return QIcon(pixmap)
