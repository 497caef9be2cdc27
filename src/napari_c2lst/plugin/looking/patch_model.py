"""The gallery's list: a spot a row, its patches decoded only when they come into view."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, QTimer, Signal

from napari_c2lst.plugin.parts.latest import Latest

from .paired import Paired, Row, read_rows

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

BATCH = 24  # spots read at a time
KEPT = 600  # spots whose patches stay in memory: 5 patches of 12 kB each

PATCHES = Qt.ItemDataRole.UserRole + 1
ROW = Qt.ItemDataRole.UserRole + 2


class PatchModel(QAbstractListModel):
    """Spots with their patches.

    Attributes
    ----------
    failed
        Signal: patches could not be read; message and hint.
    """

    failed = Signal(str, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._slide: Slide | None = None
        self._paired: Paired | None = None
        self._rows: list[Row] = []
        self._patches: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()  # by spot
        self._wanted: OrderedDict[int, Row] = OrderedDict()
        self._reading: frozenset[int] = frozenset()
        self._broken = False
        self._work = Latest(self)
        # what is painted in one go is read in one go
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self._read)

    def show(self, slide: Slide | None, paired: Paired | None, rows: Sequence[Row]) -> None:
        """Show other spots; patches of the same pairs that were read before are kept."""
        self.beginResetModel()
        if paired is not self._paired:
            self._patches.clear()
        self._work.drop()
        self._wanted.clear()
        self._reading = frozenset()
        self._broken = False
        self._slide, self._paired, self._rows = slide, paired, list(rows)
        self.endResetModel()

    def row_of_spot(self, spot: int) -> int:
        """The row of a spot; -1 where it is not shown."""
        return next((i for i, row in enumerate(self._rows) if row.spot == spot), -1)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Number of spots."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The name, what to say of it, or its patches (None until they are read)."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == ROW:
            return row
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            made = len(row.rows)
            return f"Spot {row.name}: its real patch, and {min(made, 4)} of {made} synthetic ones. Click to go there."
        return self._patches_of(row) if role == PATCHES else None

    def _patches_of(self, row: Row) -> NDArray[np.uint8] | None:
        if row.spot in self._patches:
            self._patches.move_to_end(row.spot)
            return self._patches[row.spot]
        if not self._broken and row.spot not in self._reading:  # painted again meanwhile: it is on its way
            self._wanted[row.spot] = row
            self._wanted.move_to_end(row.spot)
            if not self._soon.isActive():
                self._soon.start()
        return None

    def _read(self) -> None:
        """Read what was asked for last: what is in view now."""
        if self._work.awaited or not self._wanted or self._slide is None or self._paired is None:
            return
        rows = tuple(self._wanted.popitem()[1] for _ in range(min(BATCH, len(self._wanted))))
        while len(self._wanted) > 4 * BATCH:  # scrolled away long ago
            self._wanted.popitem(last=False)
        self._reading = frozenset(row.spot for row in rows)
        self._work.ask(_read_named, self._slide, self._paired, rows, done=self._use, failed=self._fail)

    def _use(self, answer: dict[int, NDArray[np.uint8]]) -> None:
        self._reading = frozenset()
        self._patches.update(answer)
        while len(self._patches) > KEPT:
            self._patches.popitem(last=False)
        for i, row in enumerate(self._rows):
            if row.spot in answer:
                self.dataChanged.emit(self.index(i), self.index(i), [PATCHES])
        self._read()

    def _fail(self, message: str, hint: str) -> None:
        self._broken = True
        self._reading = frozenset()
        self._wanted.clear()
        self.failed.emit(message, hint)


def _read_named(slide: Slide, paired: Paired, rows: tuple[Row, ...]) -> dict[int, NDArray[np.uint8]]:
    return {row.spot: patches for row, patches in zip(rows, read_rows(slide, paired, rows), strict=True)}
