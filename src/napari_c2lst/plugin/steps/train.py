"""The step 'train'."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from qtpy.QtWidgets import QWidget

from .offers import runs_of, sets_of
from .step_panel import StepPanel, Values

if TYPE_CHECKING:
    import napari.viewer


class TrainPanel(StepPanel):
    """Trains a network that reads gene expression off the image."""

    title: ClassVar[str] = "Train"
    purpose: ClassVar[str] = (
        "Trains a network that reads gene expression off the image, on training spots and, if there are any, pairs."
    )
    run_stem: ClassVar[str] = "predictor"
    uses_set: ClassVar[bool] = True
    shown_if: ClassVar[dict[str, Callable[[Values], bool]]] = {
        "use": lambda v: v["synthetic"] is not None,
        "mix": lambda v: v["synthetic"] is not None and v["use"] == "both",
        "central": lambda v: v["synthetic"] is None,
        "genes": lambda v: v["synthetic"] is None,
        "gene_list": lambda v: v["synthetic"] is None,
        "weights": lambda v: v["network"] == "resnet50",
        "allow_download": lambda v: v["network"] == "resnet50",
        "epochs": lambda v: v["steps"] is None,
        "count_as_ratio": lambda v: v["steps"] is None,
    }

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, "train", parent)

    def offer_choices(self) -> None:
        """Spot sets and synthetic pairs."""
        self.form.offer("spots", sets_of(self.session), "select spots first")
        self.form.offer("synthetic", runs_of(self.session, "sample"), "none: real spots only", eager=True)
