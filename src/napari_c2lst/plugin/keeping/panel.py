"""The panel "Keep": save, export, and repeat a step elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_c2lst.plugin.shared import shared_of

if TYPE_CHECKING:
    import napari


class KeepPanel(QWidget):
    """Save what was made, export it, and copy a step as a command."""

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shared = shared_of(viewer)
