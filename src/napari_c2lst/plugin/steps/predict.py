"""The step 'predict'."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from qtpy.QtWidgets import QWidget

from .offers import runs_of
from .step_panel import StepPanel, Values

if TYPE_CHECKING:
    import napari.viewer


class PredictPanel(StepPanel):
    """Predicts gene expression at spots that were not trained on."""

    title: ClassVar[str] = "Predict"
    purpose: ClassVar[str] = (
        "Predicts gene expression at spots that were not trained on, or over all tissue, and writes it into the slide."
    )
    run_stem: ClassVar[str] = ""
    shown_if: ClassVar[dict[str, Callable[[Values], bool]]] = {
        "spots": lambda v: v["where"] != "grid",
        "stride_um": lambda v: v["where"] != "spots",
        "rasters": lambda v: v["where"] != "spots",
    }

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, "predict", parent)

    def offer_choices(self) -> None:
        """Predictors of this slide."""
        self.form.offer("predictor", runs_of(self.session, "train"), "train a predictor first")
