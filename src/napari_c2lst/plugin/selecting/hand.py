"""Tools in the hand: what lasso, rectangle and brush do on the slide becomes steps of the choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.brush import Brush
from napari_c2lst.plugin.drawing import MODES, Drawing, Outline
from napari_c2lst.plugin.parts.throttled import Throttled
from napari_c2lst.slides.spots.geojson import Region, spots_inside

from .areas import Area, area_of, seen_outlines
from .choice import Choice, How, Mask, Step, with_area
from .exchange import HOW_COLOURS

if TYPE_CHECKING:
    from napari_c2lst.plugin.canvas import Canvas

_PREVIEW_MS = 60


class Hand(QObject):
    """The drawing layer and the brush of one panel.

    Parameters
    ----------
    canvas
        The layers of the slide.
    choice
        What the tools change.
    how
        Asked for what picking does.
    """

    put_down = Signal()  # the user took another layer or tool of napari
    refused = Signal(str, str)  # message, hint

    def __init__(self, canvas: Canvas, choice: Choice, how: Callable[[], How], parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._choice, self._how = canvas, choice, how
        self.drawing = Drawing(canvas, self)
        self.brush = Brush(canvas, parent=self)
        self._places: list[int] = []  # the step of each outline on the screen
        self._preview = Throttled(self._show_preview, self, _PREVIEW_MS)
        self.drawing.drawn.connect(self._on_drawn)
        self.drawing.moved.connect(self._on_moved)
        self.drawing.deleted.connect(self._on_deleted)
        self.drawing.ended.connect(self.put_down)
        self.brush.stroked.connect(self._on_stroke)
        self.brush.released.connect(self._on_release)
        self.brush.ended.connect(self.put_down)

    def take(self, tool: str) -> None:
        """Take a tool in hand, or put it down: empty.

        Raises
        ------
        InputError
            If no slide with spots is open.
        """
        if tool:
            self._canvas.session.require_slide().require_spots()
        if tool in MODES:
            self.brush.stop()
            self.drawing.start(tool)
            return
        self.drawing.stop()
        if tool == "brush":
            self.brush.start()
        else:
            self.brush.stop()

    def show_shapes(self) -> None:
        """Show the shapes the choice is made of, each in the colour of what it does."""
        shown = [
            (place, Outline(ring, HOW_COLOURS[step.how]))
            for place, step in enumerate(self._choice.steps)
            if step.area is not None
            for ring in seen_outlines(step.area)
        ]
        self._places = [place for place, _ in shown]
        self.drawing.show([outline for _, outline in shown])

    def close(self) -> None:
        """Put everything down and let go of the viewer."""
        self._preview.cancel()
        self.take("")
        self.drawing.close()

    def _on_drawn(self, corners: NDArray[np.float64], kind: str) -> None:
        try:
            area = area_of(corners, kind)
            way = "rectangle" if kind == "rectangle" else "lasso"
            self._choice.apply(Step(self._how(), self._inside(area), way, area=area))
        except InputError as error:
            self._refuse(error)

    def _on_moved(self, outline: int, corners: NDArray[np.float64], kind: str) -> None:
        place = self._places[outline]
        step = self._choice.steps[place]
        try:
            if self._places.count(place) > 1:
                raise InputError("a shape of several parts cannot be moved here", "draw another one, or delete it")
            area = area_of(corners, kind)
            self._choice.change(place, with_area(step, area, self._inside(area)))
        except InputError as error:
            self._refuse(error)

    def _on_deleted(self, gone: list[int]) -> None:
        self._choice.remove({self._places[outline] for outline in gone})
        self.show_shapes()

    def _refuse(self, error: InputError) -> None:
        self.show_shapes()
        self.refused.emit(error.message, error.hint)

    def _inside(self, area: Area) -> Mask:
        yx = self._canvas.session.require_slide().require_spots().yx
        return spots_inside([Region(area)], yx)

    def _stroke(self, mask: Mask, away: bool) -> Step:
        how = self._how()
        # Shift and Alt turn adding into taking away, whatever else picking does
        return Step(How.SUBTRACT if away else how, mask, "brush")

    def _on_stroke(self, mask: Mask, away: bool) -> None:
        self._preview.later(mask, away)

    def _show_preview(self, mask: Mask, away: bool) -> None:
        self._canvas.show_choice(self._choice.preview(self._stroke(mask, away)))

    def _on_release(self, mask: Mask, away: bool) -> None:
        self._preview.cancel()
        if mask.any() or self._how() is How.INTERSECT:
            self._choice.apply(self._stroke(mask, away))
