"""A brush over spots: a circle of some microns that follows the mouse and takes the spots it is dragged over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from .pointing import Pointing

if TYPE_CHECKING:
    from .canvas import Canvas

BRUSH = "brush"
ADD_COLOUR, SUBTRACT_COLOUR = "#56b4e9", "#d55e00"
_LEFT = 1


class Brush(QObject):
    """The brush of one viewer. Left drag takes spots; with Shift or Alt it takes them away; with Ctrl the view moves.

    What a stroke does to the choice is not its affair: it tells which spots it touched.

    Parameters
    ----------
    canvas
        The layers of the slide.

    Attributes
    ----------
    radius_um
        Radius of the brush in microns; in pixels for a slide without known microns per pixel.
    active
        Whether the brush is in hand.
    """

    stroked = Signal(object, bool)  # (N,) mask of the spots touched so far, whether they are taken away
    released = Signal(object, bool)  # the same when the button is let go
    ended = Signal()  # the user took another layer in hand

    def __init__(self, canvas: Canvas, radius_um: float = 250.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._pointing = Pointing(canvas)
        self.radius_um = radius_um
        self.active = False
        self._tree: tuple[Any, Any] | None = None
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._end_if_left)

    @property
    def radius_px(self) -> float:
        """Radius in level-0 pixels."""
        slide = self._canvas.session.require_slide()
        return self.radius_um if slide.microns is None else self.radius_um / slide.mpp

    def start(self) -> None:
        """Take the brush in hand."""
        self._canvas.session.require_slide().require_spots()
        viewer = self._canvas.viewer
        if not self.active:
            viewer.mouse_drag_callbacks.append(self._on_drag)
            viewer.mouse_move_callbacks.append(self._on_move)
            viewer.layers.selection.events.active.connect(self._on_active)
        self.active = True
        self._show(np.asarray(viewer.cursor.position[-2:], dtype=float))

    def stop(self) -> None:
        """Put the brush down; harmless when it is not in hand."""
        if not self.active:
            return
        self.active = False
        self._later.stop()
        viewer = self._canvas.viewer
        for callbacks, ours in (
            (viewer.mouse_drag_callbacks, self._on_drag),
            (viewer.mouse_move_callbacks, self._on_move),
        ):
            if ours in callbacks:
                callbacks.remove(ours)
        viewer.layers.selection.events.active.disconnect(self._on_active)
        self._canvas.remove(BRUSH)

    def set_radius(self, radius_um: float) -> None:
        """Another radius, in microns."""
        self.radius_um = radius_um
        layer = self._canvas.layer(BRUSH)
        if layer is not None:
            layer.size = 2 * self.radius_px

    def touched(self, start_px: NDArray[np.floating], end_px: NDArray[np.floating]) -> NDArray[np.int64]:
        """Indices of the spots whose centre the brush passes over on its way between two places, level-0 pixels."""
        start, way = np.asarray(start_px, dtype=float), np.asarray(end_px, dtype=float) - start_px
        length = float(np.hypot(*way))
        near = self._spots_tree().query_ball_point(start + way / 2, self.radius_px + length / 2)
        if not len(near):
            return np.zeros(0, dtype=np.int64)
        places = np.asarray(near, dtype=np.int64)
        offset = self._canvas.session.require_slide().require_spots().yx[places] - start
        along = np.clip(offset @ way / length**2, 0, 1) if length > 0 else np.zeros(len(places))
        return places[np.hypot(*(offset - along[:, None] * way).T) <= self.radius_px]

    def _spots_tree(self) -> Any:
        slide = self._canvas.session.require_slide()
        if self._tree is None or self._tree[0] is not slide:
            from scipy.spatial import cKDTree

            self._tree = (slide, cKDTree(slide.require_spots().yx))
        return self._tree[1]

    def _on_move(self, _viewer: Any, event: Any) -> None:
        self._show(np.asarray(event.position[-2:], dtype=float), _takes_away(event))

    def _on_drag(self, _viewer: Any, event: Any) -> Iterator[None]:
        if event.button != _LEFT or "Control" in event.modifiers or self._canvas.session.slide is None:
            return
        away = _takes_away(event)
        here = self._pointing.to_px(event.position)
        mask = np.zeros(len(self._canvas.session.require_slide().require_spots()), dtype=bool)
        self._stroke(mask, here, here, event, away)
        yield
        while event.type == "mouse_move":
            if not self.active:  # put down with the button held: another slide came
                return
            before, here = here, self._pointing.to_px(event.position)
            self._stroke(mask, before, here, event, away)
            yield
        if self.active:
            self.released.emit(mask, away)

    def _stroke(self, mask: Any, before: Any, here: Any, event: Any, away: bool) -> None:
        event.handled = True  # else the view moves with the mouse
        new = self.touched(before, here)
        if not mask[new].all():
            mask[new] = True
            self.stroked.emit(mask.copy(), away)
        self._show(np.asarray(event.position[-2:], dtype=float), away)

    def _show(self, world: NDArray[np.float64], away: bool = False) -> None:
        """Draw the circle where the mouse is."""
        if not self.active or self._canvas.session.slide is None:
            return
        colour = SUBTRACT_COLOUR if away else ADD_COLOUR
        layer = self._canvas.layer(BRUSH)
        if layer is None:
            layer = self._new_layer()
        layer.data = self._pointing.data_in(layer, self._pointing.to_px(world)[None])
        if layer.metadata.get("colour") != colour:
            layer.border_color = colour
            layer.metadata["colour"] = colour

    def _new_layer(self) -> Any:
        options = {
            "name": "brush",
            "size": 2 * self.radius_px,
            "face_color": "transparent",
            "border_color": ADD_COLOUR,
            "border_width": 0.03,
            **self._pointing.transformation(),
        }
        layer = self._canvas.add_or_update((np.zeros((1, 2)), options, "points"), BRUSH)
        # no other layer's tool is to draw along
        self._canvas.stack.select(layer)
        layer.mode = "pan_zoom"
        layer.metadata["colour"] = ADD_COLOUR
        return layer

    def _on_active(self, _event: Any) -> None:
        # a layer that is added takes the selection for a moment: only what stays counts
        self._later.start()

    def _end_if_left(self) -> None:
        layer = self._canvas.layer(BRUSH)
        if self.active and (layer is None or self._canvas.viewer.layers.selection.active is not layer):
            self.stop()
            self.ended.emit()


def _takes_away(event: Any) -> bool:
    return "Shift" in event.modifiers or "Alt" in event.modifiers
