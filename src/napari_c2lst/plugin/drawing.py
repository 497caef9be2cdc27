"""Drawing shapes around spots: a layer of ours that tells of every shape that was drawn, moved or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from .pointing import Pointing

if TYPE_CHECKING:
    from .canvas import Canvas

DRAWN = "drawn"
MODES = {"lasso": "add_polygon_lasso", "polygon": "add_polygon", "rectangle": "add_rectangle"}
_KINDS = {"add_polygon_lasso": "lasso", "add_polygon": "polygon", "add_rectangle": "rectangle"}


@dataclass(frozen=True, eq=False)
class Outline:
    """One shape on the screen.

    Attributes
    ----------
    corners
        (N, 2) corners (y, x), level-0 pixels.
    colour
        Its line, "#rrggbb".
    """

    corners: NDArray[np.float64]
    colour: str


class Drawing(QObject):
    """The layer that shapes are drawn on, while a tool is in hand and after.

    It says what happened to shapes in level-0 pixels, (y, x), and shows the shapes it is told to show; what a shape
    means is not its affair. Signals come after napari has finished with the shape.

    Parameters
    ----------
    canvas
        The layers of the slide.
    """

    drawn = Signal(object, str)  # corners (N, 2), "polygon", "rectangle" or "ellipse"
    moved = Signal(int, object, str)  # place among the outlines shown, corners, kind
    deleted = Signal(object)  # places among the outlines shown
    ended = Signal()  # the user took another layer or tool

    def __init__(self, canvas: Canvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.pointing = Pointing(canvas)
        self._layer: Any = None
        self._shown: list[NDArray[np.float64]] = []  # the layer's data as we left them
        self.tool = ""
        self._busy = False
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._look)
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._end_if_left)
        canvas.viewer.layers.selection.events.active.connect(self._on_active)

    def start(self, tool: str) -> None:
        """Take a tool in hand: "lasso", "polygon" or "rectangle"."""
        layer = self._layer_there() or self._new_layer()
        self._busy = True
        try:
            layer.visible = True
            self._canvas.stack.select(layer)
            layer.mode = MODES[tool]
        finally:
            self._busy = False
        self.tool = tool

    def stop(self) -> None:
        """Put the tool down; a shape that is half drawn is finished or dropped as napari does."""
        layer, self.tool = self._layer_there(), ""
        if layer is not None:
            self._busy = True
            try:
                layer.mode = "pan_zoom"
            finally:
                self._busy = False

    def show(self, outlines: Sequence[Outline]) -> None:
        """Show these shapes and no others."""
        layer = self._layer_there()
        if layer is None:
            if not outlines:
                return
            layer = self._new_layer()
        data = [self.pointing.data_in(layer, each.corners) for each in outlines]
        self._busy = True
        try:
            if str(layer.mode).startswith("add") or not _same(data, layer.data):
                layer.selected_data = set()  # no handles on the shape that was just drawn
            if not _same(data, layer.data):
                layer.data = [(each, "polygon") for each in data]
            if outlines:
                layer.edge_color = [each.colour for each in outlines]
                layer.face_color = "transparent"  # another plugin may have filled what was drawn
        finally:
            self._busy = False
        self._shown = [np.array(each) for each in layer.data]

    def close(self) -> None:
        """Let go of the viewer; the shapes stay."""
        self._soon.stop()
        self._later.stop()
        self._canvas.viewer.layers.selection.events.active.disconnect(self._on_active)
        self._forget()

    def _new_layer(self) -> Any:
        slide = self._canvas.session.require_slide()
        options = {
            "name": f"{slide.name} drawn shapes",
            "face_color": "transparent",
            "edge_width": 4.0 * _line_px(self._canvas),
            "edge_color": "#56b4e9",
            **self.pointing.transformation(),
        }
        self._forget()
        layer = self._canvas.add_or_update(([], options, "shapes"), DRAWN)
        layer.events.data.connect(self._on_data)
        layer.events.mode.connect(self._on_mode)
        self._layer, self._shown = layer, []
        return layer

    def _layer_there(self) -> Any | None:
        """The layer, unless the user deleted it."""
        if self._layer is not None and self._layer not in self._canvas.viewer.layers:
            self._forget()
        return self._layer

    def _forget(self) -> None:
        if self._layer is not None:
            self._layer.events.data.disconnect(self._on_data)
            self._layer.events.mode.disconnect(self._on_mode)
        self._layer, self._shown, self.tool = None, [], ""

    def _on_data(self, event: Any) -> None:
        # napari is still busy with the shape when it tells: look at it when it is done
        if not self._busy and str(getattr(event, "action", "")) in ("added", "changed", "removed"):
            self._soon.start()

    def _look(self) -> None:
        """Find out what is new, moved or gone, whatever the way it came about."""
        layer = self._layer_there()
        if layer is None or layer._is_creating:
            return
        now, before = [np.array(each) for each in layer.data], self._shown
        kinds = [str(kind) for kind in layer.shape_type]
        fresh = _without(now, before)
        if len(now) > len(before):
            self._shown = now
            for i in fresh:
                self.drawn.emit(self.pointing.px_of(layer, now[i]), kinds[i])
        elif len(now) < len(before):
            gone = _without(before, now)
            self._shown = now
            self.deleted.emit(gone)
        else:
            self._shown = now
            for i in fresh:
                self.moved.emit(i, self.pointing.px_of(layer, now[i]), kinds[i])

    def _on_mode(self, _event: Any) -> None:
        if not self._busy and self.tool and self._layer is not None:
            tool = _KINDS.get(str(self._layer.mode), "")
            if tool != self.tool:
                self.tool = ""
                self.ended.emit()

    def _on_active(self, _event: Any) -> None:
        # a layer that is added takes the selection for a moment: only what stays counts
        if self.tool and not self._busy:
            self._later.start()

    def _end_if_left(self) -> None:
        if self.tool and self._canvas.viewer.layers.selection.active is not self._layer_there():
            self.stop()
            self.ended.emit()


def layer_in_hand(canvas: Canvas) -> Any:
    """The layer that is selected in napari; None if it is none or several."""
    return canvas.viewer.layers.selection.active


def _line_px(canvas: Canvas) -> float:
    """A length in level-0 pixels that is about a screen pixel when the whole slide is seen."""
    slide = canvas.session.require_slide()
    return max(1.0, max(slide.pyramid.shape) / 1200)


def _same(one: Sequence[NDArray[np.floating]], other: Sequence[NDArray[np.floating]]) -> bool:
    return len(one) == len(other) and all(_equal(a, b) for a, b in zip(one, other, strict=True))


def _without(shapes: Sequence[NDArray[np.floating]], others: Sequence[NDArray[np.floating]]) -> list[int]:
    """Places of the shapes that are not among others; of two that are alike each needs its own there."""
    left, places = list(others), []
    for place, shape in enumerate(shapes):
        alike = next((i for i, each in enumerate(left) if _equal(shape, each)), None)
        if alike is None:
            places.append(place)
        else:
            del left[alike]
    return places


def _equal(one: NDArray[np.floating], other: NDArray[np.floating]) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other, atol=1e-3))
