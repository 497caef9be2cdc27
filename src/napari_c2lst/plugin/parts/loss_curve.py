"""The loss while a model learns, live.

Painted by hand: pyqtgraph takes its plots apart in any order when Python collects them, which can end the process, and
this curve lives in panels that come and go.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from .theme import BLUE, ORANGE, SKY, is_dark, text_colour
from .throttled import Throttled

_MEAN_OF = 20  # steps that the thick line averages, where the task gives no mean of its own
_HEIGHT = 130
_DRAW_MS = 250
_TICKS = 4


class LossCurve(QWidget):
    """Loss over steps: each step thin, the mean over the last ones thick.

    Attributes
    ----------
    steps, losses, means
        What came in so far.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.means: list[float] = []
        self.text = QLabel(self)
        self.plot = _Curves(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.text)
        layout.addWidget(self.plot)
        self._show = Throttled(self._draw, self, _DRAW_MS)

    def clear(self) -> None:
        """Forget the steps of another job."""
        self.steps.clear()
        self.losses.clear()
        self.means.clear()
        self._show.cancel()
        self._draw()

    def feed(self, step: int, values: dict[str, Any]) -> None:
        """Take the figures of a step; those without a finite loss are passed over.

        Steps that are there from this one on were lost with a checkpoint, or are of a run that begins anew.
        """
        loss = values.get("loss")
        if not _is_number(loss):
            return
        kept = bisect_left(self.steps, step)
        for column in (self.steps, self.losses, self.means):
            del column[kept:]
        self.steps.append(step)
        self.losses.append(float(loss))
        given = values.get("mean_loss")
        self.means.append(float(given) if _is_number(given) else float(np.mean(self.losses[-_MEAN_OF:])))
        self._show.later()

    def flush(self) -> None:
        """Draw what came in last."""
        self._show.flush()

    def _draw(self) -> None:
        self.plot.show_values(self.steps, self.losses, self.means)
        self.text.setText(f"Loss {self.means[-1]:.4g} at step {self.steps[-1]:,}" if self.steps else "")


class _Curves(QWidget):
    """Axes and two lines, in the colours of the theme."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Loss over steps")
        self.x = self.each = self.mean = np.zeros(0)

    def show_values(self, steps: Sequence[int], losses: Sequence[float], means: Sequence[float]) -> None:
        """Draw these, (N,) each."""
        self.x, self.each, self.mean = np.asarray(steps, float), np.asarray(losses, float), np.asarray(means, float)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, _HEIGHT)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        if not len(self.x):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        xs = ticks(self.x[0], max(self.x[-1], self.x[0] + 1), finest=1)  # there is no half a step
        ys = ticks(min(self.each.min(), self.mean.min()), max(self.each.max(), self.mean.max()))
        metrics = painter.fontMetrics()
        left = max(metrics.horizontalAdvance(f"{y:.4g}") for y in ys) + 8
        area = QRectF(left, metrics.height() / 2, self.width() - left - 14, self.height() - 2 * metrics.height())
        self._axes(painter, area, xs, ys)
        faint = QColor(SKY)
        faint.setAlpha(140)
        self._line(painter, area, xs, ys, self.each, QPen(faint, 1))
        self._line(painter, area, xs, ys, self.mean, QPen(QColor(ORANGE if is_dark(self) else BLUE), 2))

    def _axes(self, painter: QPainter, area: QRectF, xs: list[float], ys: list[float]) -> None:
        grid, text = QColor(text_colour(self)), text_colour(self)
        grid.setAlpha(50)
        height = painter.fontMetrics().height()
        for y in ys:
            at = _place(y, ys, area.bottom(), area.top())
            painter.setPen(grid)
            painter.drawLine(QPointF(area.left(), at), QPointF(area.right(), at))
            painter.setPen(text)
            box = QRectF(0, at - height / 2, area.left() - 6, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{y:.4g}")
        for x in xs:
            at = _place(x, xs, area.left(), area.right())
            box = QRectF(at - 40, area.bottom() + 3, 80, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, f"{x:,.0f}")

    def _line(self, painter: QPainter, area: QRectF, xs: list[float], ys: list[float], values: Any, pen: QPen) -> None:
        # more points than pixels show nothing more
        kept = np.unique(np.linspace(0, len(values) - 1, min(len(values), 2 * max(1, self.width()))).astype(int))
        across = _place(self.x[kept], xs, area.left(), area.right())
        down = _place(values[kept], ys, area.bottom(), area.top())
        painter.setPen(pen)
        points = [QPointF(x, y) for x, y in zip(across, down, strict=True)]
        painter.drawPolyline(QPolygonF(points))
        if len(points) == 1:
            painter.drawEllipse(points[0], 2, 2)


def ticks(low: float, high: float, finest: float = 0.0) -> list[float]:
    """A few round numbers from at or below `low` to at or above `high`, at least `finest` apart."""
    if not high > low:
        spread = abs(low) or 1.0
        low, high = low - spread / 2, high + spread / 2
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(finest, next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough))
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]


def _place(value: Any, marks: list[float], begin: float, end: float) -> Any:
    return begin + (value - marks[0]) / (marks[-1] - marks[0]) * (end - begin)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
