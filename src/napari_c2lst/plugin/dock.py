"""The dock "C2L-ST": guides through the steps, from opening a slide to keeping what was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from .shared import shared_of

if TYPE_CHECKING:
    import napari


class C2LDock(QWidget):
    """The steps in order, what is done and what is next, and the panel of the chosen step."""

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shared = shared_of(viewer)
