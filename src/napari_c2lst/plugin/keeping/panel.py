"""The panel "Keep": save, export, and repeat a step elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_c2lst.plugin.neighbour.keep_box import DrawnBox
from napari_c2lst.plugin.parts.scrolled import scrolled
from napari_c2lst.plugin.parts.tab_order import ReadPanel
from napari_c2lst.plugin.shared import shared_of

from .export_box import ExportBox
from .repeat_box import RepeatBox
from .save_box import SaveBox

if TYPE_CHECKING:
    import napari.viewer


class KeepPanel(ReadPanel):
    """Save what was made, export it, and copy a step as a command."""

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        shared = shared_of(viewer)
        self.save = SaveBox(shared, self)
        self.drawn = DrawnBox(shared, self)
        self.export = ExportBox(shared, self)
        self.repeat = RepeatBox(shared, self)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        for box in (self.save, self.drawn, self.export, self.repeat):
            column.addWidget(box)
        column.addStretch(1)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(scrolled(inside))
