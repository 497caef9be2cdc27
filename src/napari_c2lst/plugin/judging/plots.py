"""Plots that follow the theme: scores with their intervals, and one gene measured against predicted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QWidget

from napari_c2lst.evaluation.arms import arm_named
from napari_c2lst.evaluation.metrics import Interval, gene_pearson
from napari_c2lst.evaluation.records import Score
from napari_c2lst.evaluation.scoring import summary

from .words import interval_of


class ThemedPlot(pg.PlotWidget):
    """A plot in the colours of the widgets around it, without menus and without a wheel that scrolls it away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.setFrameShape(pg.PlotWidget.Shape.NoFrame)
        self._use_palette()

    def ink(self, opacity: float = 1.0) -> QColor:
        """The colour of text."""
        colour = QColor(self.palette().color(QPalette.ColorRole.WindowText))
        colour.setAlphaF(opacity)
        return colour

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._use_palette()

    def wheelEvent(self, event: object) -> None:
        """Let the panel scroll, not the plot."""
        event.ignore()  # type: ignore[attr-defined]

    def _use_palette(self) -> None:
        plot = self.__dict__.get("plotItem")  # the theme may speak before the plot is there
        if plot is None:
            return
        self.setBackground(self.palette().color(QPalette.ColorRole.Window))
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.enableAutoSIPrefix(False)  # 0.15, not 150 (x 0.001)
            axis.setPen(pg.mkPen(self.ink(0.5)))
            axis.setTextPen(pg.mkPen(self.ink()))


class ScorePlot(ThemedPlot):
    """One measure of every arm with its interval.

    Parameters
    ----------
    what
        "mae" or "r".
    """

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.what = what
        title = "error (MAE), smaller is better" if what == "mae" else "pattern (r), larger is better"
        self.setLabel("bottom", title)
        self.getPlotItem().getAxis("left").setStyle(tickLength=0)
        self.setAccessibleName(title)
        self._arms: list[str] = []
        self._own: Sequence[Score] = ()

    def show_scores(self, own: Sequence[Score]) -> None:
        """Show the scores of a block."""
        self._own = own
        self._draw()

    def _draw(self) -> None:
        self.clear()
        self._arms = [row.arm for row in summary(self._own)] if self._own else []
        self.getPlotItem().getAxis("left").setTicks([[(-i, arm_named(arm).label) for i, arm in enumerate(self._arms)]])
        self._reference()
        for i, arm in enumerate(self._arms):
            self._arm(i, arm, interval_of(self._own, arm, self.what))
        self.setYRange(-len(self._arms) + 0.5, 0.5, padding=0.02)
        self.setFixedHeight(44 + 22 * max(len(self._arms), 1))
        self.enableAutoRange(x=True, y=False)

    def _reference(self) -> None:
        """The line to beat: the median predictor's error; no correlation at all."""
        at = 0.0
        if self.what == "mae":
            median = interval_of(self._own, "median", "mae")
            if median is None:
                return
            at = median.value
        self.addItem(pg.InfiniteLine(at, pen=pg.mkPen(self.ink(0.6), style=Qt.PenStyle.DashLine)))

    def _arm(self, i: int, arm: str, interval: Interval | None) -> None:
        colour = arm_named(arm).colour
        if interval is None:
            text = pg.TextItem("none: the same everywhere", color=self.ink(0.75), anchor=(0, 0.5))
            text.setPos(0, -i)
            self.addItem(text)
            return
        if interval.low is not None and interval.high is not None:
            self.plot([interval.low, interval.high], [-i, -i], pen=pg.mkPen(colour, width=3))
        self.addItem(
            pg.ScatterPlotItem([interval.value], [-i], size=9, brush=colour, pen=pg.mkPen(self.ink(), width=0.5))
        )

    def _use_palette(self) -> None:
        super()._use_palette()
        if getattr(self, "_own", ()):
            self._draw()


class GeneScatter(ThemedPlot):
    """One gene on held-out spots: measured against predicted; a click on a dot chooses its spot.

    Attributes
    ----------
    spot_clicked
        Signal: index of the spot.
    r
        Pearson's r of the dots; None where one side does not vary.
    left_out
        How many spots have no number and no dot.
    """

    spot_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Measured against predicted")
        self.setFixedHeight(230)
        self._shown: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], str] | None = None
        self.r: float | None = None
        self.left_out = 0

    def show_gene(
        self, measured: NDArray[np.float32], predicted: NDArray[np.float32], spots: NDArray[np.int64], colour: str
    ) -> None:
        """Show a gene.

        Parameters
        ----------
        measured, predicted, spots
            (n,) values of the held-out spots, and which spots they are.
        """
        there = np.isfinite(measured) & np.isfinite(predicted)  # a dot without a place cannot be drawn
        self.left_out = int(np.count_nonzero(~there))
        measured, predicted, spots = measured[there], predicted[there], spots[there]
        self._shown = (measured, predicted, spots, colour)
        r = float(gene_pearson(measured[:, None], predicted[:, None])[0]) if len(measured) else float("nan")
        self.r = r if np.isfinite(r) else None
        self._draw()

    def _draw(self) -> None:
        self.clear()
        if self._shown is None:
            return
        measured, predicted, spots, colour = self._shown
        top = 1.05 * max(float(measured.max(initial=0)), float(predicted.max(initial=0)), 0.1)
        self.plot([0, top], [0, top], pen=pg.mkPen(self.ink(0.5), style=Qt.PenStyle.DashLine))
        brush = QColor(colour)
        brush.setAlphaF(0.65)
        dots = pg.ScatterPlotItem(
            measured, predicted, size=7, brush=brush, pen=None, data=spots, hoverable=True, tip=_tip
        )
        dots.sigClicked.connect(self._clicked)
        self.addItem(dots)
        self.setLabel("bottom", "measured, log(1 + x)")
        self.setLabel("left", "predicted, log(1 + x)")
        self.setXRange(0, top, padding=0.02)
        self.setYRange(0, top, padding=0.02)

    def _clicked(self, _plot: object, points: Sequence[object], *_: object) -> None:
        if len(points):
            self.spot_clicked.emit(int(points[0].data()))  # type: ignore[attr-defined]

    def _use_palette(self) -> None:
        super()._use_palette()
        if getattr(self, "_shown", None) is not None:
            self._draw()


def _tip(x: float, y: float, data: object) -> str:
    return f"measured {x:.2f}, predicted {y:.2f}. Click to look at the spot."
