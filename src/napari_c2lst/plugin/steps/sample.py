"""The step 'sample'."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from qtpy.QtWidgets import QWidget

from .offers import runs_of
from .step_panel import StepPanel, Values

if TYPE_CHECKING:
    import napari.viewer


class SamplePanel(StepPanel):
    """Draws synthetic patches for the gene expression of the training spots."""

    title: ClassVar[str] = "Sample"
    purpose: ClassVar[str] = (
        "Draws synthetic patches for the gene expression of the training spots: pairs to train with."
    )
    run_stem: ClassVar[str] = "pairs"
    shown_if: ClassVar[dict[str, Callable[[Values], bool]]] = {
        "partners": lambda v: v["interpolate"] == "pairs",
        "neighbours": lambda v: v["interpolate"] == "pairs",
        "eta": lambda v: v["sampler"] == "ddim",
    }

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, "sample", parent)

    def offer_choices(self) -> None:
        """Local models of this slide."""
        self.form.offer("local", runs_of(self.session, "adapt"), "adapt a model first")
