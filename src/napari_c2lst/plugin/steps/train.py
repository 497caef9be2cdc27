"""The step 'train'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from .step_panel import StepPanel

if TYPE_CHECKING:
    import napari.viewer


class TrainPanel(StepPanel):
    """The panel of 'train'."""

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, "train", parent)
