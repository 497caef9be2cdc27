"""The step 'evaluate'."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from qtpy.QtWidgets import QWidget

from .offers import predictions_of, runs_of, sets_of
from .step_panel import StepPanel, Values

if TYPE_CHECKING:
    import napari.viewer

_RERUN = ("splits", "seeds", "fraction", "central", "arms", "ratio", "adapt", "sample", "train")


class EvaluatePanel(StepPanel):
    """Scores predictions on spots that no model has seen."""

    title: ClassVar[str] = "Evaluate"
    purpose: ClassVar[str] = "Scores predictions on spots that no model has seen, beside simple baselines."
    run_stem: ClassVar[str] = "scores"
    uses_set: ClassVar[bool] = True
    shown_if: ClassVar[dict[str, Callable[[Values], bool]]] = {
        **{name: lambda v: bool(v["rerun"]) for name in _RERUN},
        **{name: lambda v: not v["rerun"] for name in ("predictors", "runs", "spots", "pairs")},
    }

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, "evaluate", parent)

    def offer_choices(self) -> None:
        """Predictors, predictions in the slide, spot sets and synthetic pairs."""
        self.form.offer("predictors", runs_of(self.session, "train"))
        self.form.offer("runs", predictions_of(self.session))
        self.form.offer("spots", sets_of(self.session), "select spots first")
        self.form.offer("pairs", runs_of(self.session, "sample"))
