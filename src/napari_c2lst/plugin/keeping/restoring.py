"""Reopening: what a store keeps comes back as it was left - gene, chosen spots, predicted maps, looks of layers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject

from napari_c2lst.plugin.looking import maps
from napari_c2lst.plugin.looking.map_layers import IMAGE_KEY, SPOTS_KEY
from napari_c2lst.plugin.looking.predictions import Prediction, list_predictions
from napari_c2lst.plugin.looking.shown import Form, Mode, why_not
from napari_c2lst.plugin.parts.latest import Latest

from .view import SavedView, apply_view, layer_key, read_view

if TYPE_CHECKING:
    from napari_c2lst.plugin.shared import Shared

# What a map shows, as its layer says it, and how to show that again; a split map comes back as predicted.
_MODES: dict[str, Mode] = {"measured": "measured", "uncertainty": "spread", "predicted − measured": "difference"}


class Restorer(QObject):
    """Brings the saved view of a slide back when it is opened; sets and models come with the session and the disk.

    Layers that are made some time after the slide is shown (maps, sets) get their looks when they come.
    """

    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self._shared = shared
        self._work = Latest(self)
        self._waiting: dict[str, dict[str, Any]] = {}
        self._layers = shared.canvas.viewer.layers
        shared.canvas.shown.connect(self.restore)
        self._layers.events.inserted.connect(self._on_inserted)

    def close(self) -> None:
        """Bring nothing back any more."""
        self._work.drop()
        self._shared.canvas.shown.disconnect(self.restore, missing_ok=True)
        self._layers.events.inserted.disconnect(self._on_inserted)

    def restore(self) -> None:
        """Bring back what the open slide's store keeps."""
        session = self._shared.session
        self._work.drop()
        self._waiting = {}
        view = read_view(session.slide) if session.slide is not None else None
        if view is None or session.slide is None:
            return
        self._waiting = {str(looks.get("key")): looks for looks in view.layers}
        if session.slide.spots is not None:
            session.show_gene(view.gene)
            if view.chosen:
                session.choose(np.isin(session.slide.spots.ids, view.chosen))
        apply_view(self._shared.canvas.viewer, view)
        self._show_map(view)

    def _show_map(self, view: SavedView) -> None:
        """The predicted map that was shown, read beside the GUI's thread; one that is gone is no error."""
        slide = self._shared.session.slide
        there = {each.key: each for each in list_predictions(slide)[0]}
        for looks in view.layers:
            prediction = there.get(str(looks.get("prediction", "")))
            if looks.get("key") in (SPOTS_KEY, IMAGE_KEY) and prediction is not None:
                form = form_of(str(looks["key"]), prediction)
                done = partial(self._draw, str(looks.get("gene", "")), _MODES.get(str(looks.get("what")), "predicted"))
                self._work.ask(maps.prepare, slide, prediction, form, done=done, failed=self._leave)
                return

    def _draw(self, gene: str, mode: Mode, ready: maps.Prepared) -> None:
        canvas = self._shared.canvas
        if ready.slide is not self._shared.session.slide or gene not in ready.values.predicted:
            return
        if canvas.layer(SPOTS_KEY) is None and canvas.layer(IMAGE_KEY) is None:
            maps.draw(canvas, ready, gene, "predicted" if why_not(ready.values, mode) else mode, 0.0)

    def _leave(self, _message: str, _hint: str) -> None:
        """What cannot be shown again is said by the panel that shows predictions."""

    def _on_inserted(self, event: Any) -> None:
        looks = self._waiting.pop(layer_key(event.value), None)
        if looks is not None:
            apply_view(self._shared.canvas.viewer, SavedView(layers=(looks,)))


def form_of(key: str, prediction: Prediction) -> Form:
    """How a map was drawn, from the kind of its layer."""
    if key == SPOTS_KEY:
        return "spots"
    return "squares" if prediction.where == "grid" else "smooth"
