"""The types of cells as rows: a box to tick, the colour, the name, how many there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QSizePolicy, QWidget

from .styles import Rgb

_SWATCH = 12


class TypeRows(QWidget):
    """A box for each type.

    Attributes
    ----------
    ticked
        Signal: some other types are ticked.
    """

    ticked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.boxes: list[QCheckBox] = []
        self.numbers: list[QLabel] = []
        self._types: tuple[str, ...] = ()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)

    def show_types(
        self, types: Sequence[str], counts: Sequence[int], colours: Sequence[Rgb], visible: NDArray[np.bool_]
    ) -> None:
        """Show these; boxes of the same types are kept."""
        if tuple(types) != self._types:
            self._make(tuple(types))
        total = max(sum(int(n) for n in counts), 1)
        for i, box in enumerate(self.boxes):
            box.blockSignals(True)
            box.setChecked(bool(visible[i]))
            box.blockSignals(False)
            box.setIcon(swatch(colours[i]))
            self.numbers[i].setText(f"{int(counts[i]):,}   {100 * int(counts[i]) / total:.1f} %")

    @property
    def visible_types(self) -> NDArray[np.bool_]:
        """(T,) which are ticked."""
        return np.array([box.isChecked() for box in self.boxes], bool)

    def tick_all(self, ticked: bool = True) -> None:
        """Tick every box, or none."""
        for box in self.boxes:
            box.blockSignals(True)
            box.setChecked(ticked)
            box.blockSignals(False)
        self.ticked.emit()

    def _make(self, types: tuple[str, ...]) -> None:
        for widget in (*self.boxes, *self.numbers):
            self._grid.removeWidget(widget)
            widget.deleteLater()
        self.boxes, self.numbers, self._types = [], [], types
        for i, name in enumerate(types):
            box = QCheckBox(name.replace("&", "&&"), self)  # "T & B cells" has no shortcut
            box.setToolTip(f"Show cells of the type “{name}”")
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.toggled.connect(self._on_toggle)
            number = QLabel(self)
            number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            number.setAccessibleName(f"Number and share of {name}")
            self._grid.addWidget(box, i, 0)
            self._grid.addWidget(number, i, 1)
            self.boxes.append(box)
            self.numbers.append(number)

    def _on_toggle(self, _on: bool) -> None:
        self.ticked.emit()


def swatch(rgb: Rgb) -> QIcon:
    """A small square of a colour with a border, to be seen on any background."""
    picture = QPixmap(_SWATCH, _SWATCH)
    picture.fill(QColor(*rgb))
    painter = QPainter(picture)
    painter.setPen(QColor(128, 128, 128))
    painter.drawRect(0, 0, _SWATCH - 1, _SWATCH - 1)
    painter.end()
    return QIcon(picture)
