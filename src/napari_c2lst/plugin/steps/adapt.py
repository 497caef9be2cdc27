"""The step 'adapt'."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from qtpy.QtWidgets import QWidget

from .offers import sets_of
from .step_panel import StepPanel

if TYPE_CHECKING:
    import napari.viewer


class AdaptPanel(StepPanel):
    """Teaches the central model how one slide's tissue follows its gene expression."""

    title: ClassVar[str] = "Adapt"
    purpose: ClassVar[str] = (
        "Teaches the central model how this slide's tissue follows its gene expression, from the training spots alone."
    )
    run_stem: ClassVar[str] = "local"
    uses_set: ClassVar[bool] = True

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, "adapt", parent)

    def offer_choices(self) -> None:
        """Spot sets; central models that were trained here."""
        self.form.offer("spots", sets_of(self.session), "select spots first")
