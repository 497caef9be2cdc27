"""The step 'evaluate'."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from qtpy.QtWidgets import QWidget

from napari_c2lst.cells.facts import EMBEDDED, PANNUKE
from napari_c2lst.plugin.cells.notices import unread_notice
from napari_c2lst.plugin.cells.weights_field import WeightsField
from napari_c2lst.plugin.forms.checked import CheckedField

from .offers import predictions_of, runs_of, sets_of, weights_of
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
        "cells_patches": lambda v: v["cells"] is not None,
        "type_info": lambda v: v["cells"] not in (None, EMBEDDED, PANNUKE),
        "accept_licence": lambda v: v["cells"] == PANNUKE,
        "allow_download": lambda v: bool(v["rerun"]) or v["cells"] == PANNUKE,
    }

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, "evaluate", parent)

    def run(self) -> None:
        """Start; at the first use of weights with terms of their own, these have to be read first."""
        notice = "" if self._active() else unread_notice(self._shared.extras, self.form.values()["cells"])
        if notice:
            self.ui.message.show_message("warning", notice, "press Run again to go on under these terms")
            return
        super().run()

    def offer_choices(self) -> None:
        """Predictors, predictions in the slide, spot sets, synthetic pairs, and weights that find nuclei."""
        self.form.offer("predictors", runs_of(self.session, "train"))
        self.form.offer("runs", predictions_of(self.session))
        self._say_what_is_scored()
        self.form.offer("spots", sets_of(self.session), "select spots first")
        self.form.offer("pairs", runs_of(self.session, "sample"))
        field = self.form.field("cells")
        assert isinstance(field, WeightsField)
        field.offer(weights_of(self.session))

    def _on_form(self) -> None:
        super()._on_form()
        self._say_what_is_scored()

    def _say_what_is_scored(self) -> None:
        """With no box checked all predictions of the slide are scored, unless a run of a predictor is checked."""
        runs = self.form.field("runs")
        if isinstance(runs, CheckedField):
            runs.explain_none(
                "(none of these)" if self.form.values()["predictors"] else "(no box ticked: all of these)"
            )

    def _prepare_form(self) -> None:
        self.form.use(WeightsField(self.form.field("cells").info, "no"))
        super()._prepare_form()
