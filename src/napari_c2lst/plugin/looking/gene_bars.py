"""Measured and predicted values of a few genes as pairs of small bars."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QSizePolicy, QWidget

from .spot_facts import SpotFacts

MEASURED, PREDICTED = QColor("#0072B2"), QColor("#E69F00")  # Okabe-Ito
_ROW = 26


class GeneBars(QWidget):
    """One row a gene: its name, a bar for what was measured, one below for what was predicted.

    Attributes
    ----------
    gene_clicked
        Signal: the gene of the row that was clicked.
    """

    gene_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.facts: SpotFacts | None = None
        self.shown_gene = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Measured and predicted genes of the spot")
        self.setToolTip("Click a gene to show its map.")

    def show_facts(self, facts: SpotFacts | None, gene: str = "") -> None:
        """Show another spot; `gene` is set in bold."""
        self.facts, self.shown_gene = facts, gene
        self.setAccessibleDescription(self._in_words())
        self.setVisible(facts is not None and bool(facts.genes))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """A row for each gene."""
        rows = 0 if self.facts is None else len(self.facts.genes)
        return QSize(220, 20 + _ROW * rows)

    def gene_at(self, y: float) -> str:
        """The gene of the row at a height; empty for none."""
        row = int((y - 20) // _ROW)
        genes = () if self.facts is None else self.facts.genes
        return genes[row] if 0 <= row < len(genes) else ""

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """A click chooses a gene."""
        if event is not None and (gene := self.gene_at(event.position().y())):
            self.gene_clicked.emit(gene)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the key and the rows."""
        if self.facts is None:
            return
        painter = QPainter(self)
        self._key(painter)
        names = max((painter.fontMetrics().horizontalAdvance(gene) for gene in self.facts.genes), default=0) + 22
        left = min(max(names, 60), self.width() // 2)
        for i, gene in enumerate(self.facts.genes):
            self._row(painter, i, gene, left)
        painter.end()

    def _key(self, painter: QPainter) -> None:
        x = 0.0
        sides = ((self.facts.measured, MEASURED, "measured"), (self.facts.predicted, PREDICTED, "predicted"))  # type: ignore[union-attr]
        for values, colour, word in sides:
            if values is None:
                continue
            painter.fillRect(QRectF(x, 4, 10, 10), colour)
            painter.setPen(self._ink())
            painter.drawText(QRectF(x + 14, 0, 90, 18), Qt.AlignmentFlag.AlignVCenter, word)
            x += 24 + painter.fontMetrics().horizontalAdvance(word) + 8

    def _row(self, painter: QPainter, i: int, gene: str, left: int) -> None:
        assert self.facts is not None
        top = 20 + i * _ROW
        font = QFont(self.font())
        font.setItalic(True)
        font.setBold(gene == self.shown_gene)
        painter.setFont(font)
        painter.setPen(self._ink())
        name = painter.fontMetrics().elidedText(gene, Qt.TextElideMode.ElideRight, left - 8)
        painter.drawText(QRectF(0, top, left - 8, _ROW - 4), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(self.font())
        sides = ((self.facts.measured, MEASURED), (self.facts.predicted, PREDICTED))
        known = [(float(values[i]), colour) for values, colour in sides if values is not None]
        there = [(value, colour) for value, colour in known if np.isfinite(value)]
        room, height = self.width() - left - 40, (_ROW - 6) / max(len(there), 1)
        for k, (value, colour) in enumerate(there):
            bar = QRectF(left, top + k * height, max(room * value / self._longest(), 1.0), height - 1)
            painter.fillRect(bar, colour)
            self._number(painter, bar, value)

    def _number(self, painter: QPainter, bar: QRectF, value: float) -> None:
        small = QFont(self.font())
        small.setPointSizeF(max(self.font().pointSizeF() - 2.5, 6))
        painter.setFont(small)
        painter.setPen(self._ink(0.75))
        box = QRectF(bar.right() + 4, bar.top() - 2, 40, bar.height() + 4)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, f"{value:.2f}")
        painter.setFont(self.font())

    def _longest(self) -> float:
        assert self.facts is not None
        sides = [side for side in (self.facts.measured, self.facts.predicted) if side is not None]
        return max([float(side[np.isfinite(side)].max(initial=0)) for side in sides] + [1e-6])

    def _in_words(self) -> str:
        if self.facts is None:
            return ""
        rows = []
        for i, gene in enumerate(self.facts.genes):
            sides = ((self.facts.measured, "measured"), (self.facts.predicted, "predicted"))
            said = ", ".join(f"{word} {_in_digits(values[i])}" for values, word in sides if values is not None)
            rows.append(f"{gene}: {said}")
        return "; ".join(rows)

    def _ink(self, opacity: float = 1.0) -> QColor:
        colour = QColor(self.palette().color(QPalette.ColorRole.WindowText))
        colour.setAlphaF(opacity)
        return colour


def _in_digits(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "without a number"
