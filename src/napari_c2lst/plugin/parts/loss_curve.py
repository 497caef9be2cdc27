"""The loss while a model learns, live."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from .theme import BLUE, ORANGE, SKY, is_dark, text_colour
from .throttled import Throttled

_MEAN_OF = 20  # steps that the thick line averages, where the task gives no mean of its own
_HEIGHT = 130
_DRAW_MS = 250


class LossCurve(QWidget):
    """Loss over steps: each step thin, the mean over the last ones thick.

    Attributes
    ----------
    steps, losses
        What came in so far.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps: list[int] = []
        self.losses: list[float] = []
        self._means: list[float] = []
        self.plot = pg.PlotWidget(self, background=None)
        self.plot.setFixedHeight(_HEIGHT)
        # napari's style sheet gives views a ground of their own, which the axes' colours would not follow
        self.plot.setStyleSheet("background: transparent; border: none;")
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(False, False)
        self.plot.getAxis("left").enableAutoSIPrefix(False)
        self.plot.getAxis("bottom").enableAutoSIPrefix(False)
        self.plot.setAccessibleName("Loss over steps")
        self._each = self.plot.plot([], [])
        self._mean = self.plot.plot([], [])
        self.text = QLabel(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.text)
        layout.addWidget(self.plot)
        self._show = Throttled(self._draw, self, _DRAW_MS)
        self._colour()

    def clear(self) -> None:
        """Forget the steps of another job."""
        self.steps.clear()
        self.losses.clear()
        self._means.clear()
        self._show.cancel()
        self._draw()

    def feed(self, step: int, values: dict[str, Any]) -> None:
        """Take the figures of a step; those without a loss are passed over."""
        loss = values.get("loss")
        if not isinstance(loss, (int, float)):
            return
        self.steps.append(step)
        self.losses.append(float(loss))
        given = values.get("mean_loss")
        self._means.append(float(given) if isinstance(given, (int, float)) else float(np.mean(self.losses[-_MEAN_OF:])))
        self._show.later()

    def flush(self) -> None:
        """Draw what came in last."""
        self._show.flush()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._colour()

    def _draw(self) -> None:
        self._each.setData(self.steps, self.losses)
        self._mean.setData(self.steps, self._means)
        self.text.setText(f"Loss {self._means[-1]:.4g} at step {self.steps[-1]:,}" if self.steps else "")

    def _colour(self) -> None:
        if not hasattr(self, "_mean"):  # Qt tells of styles before we are built
            return
        dark, text = is_dark(self), text_colour(self)
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setPen(text)
            axis.setTextPen(text)
        faint = pg.mkColor(SKY)
        faint.setAlpha(120)
        self._each.setPen(pg.mkPen(faint, width=1))
        self._mean.setPen(pg.mkPen(ORANGE if dark else BLUE, width=2))
