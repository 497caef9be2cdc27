"""The panel of one step: a form, Run / Stop / Resume, and what the job shows while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_c2lst.plugin.shared import shared_of

if TYPE_CHECKING:
    import napari.viewer


class StepPanel(QWidget):
    """The panel of one task.

    Parameters
    ----------
    viewer
        The viewer whose session it works on.
    task
        Name of the task.
    """

    done = Signal(str)  # the run folder, or the name of what was written into the slide

    def __init__(self, viewer: napari.viewer.Viewer, task: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.task = task
        self._shared = shared_of(viewer)
