"""A mouse over napari's canvas: real events through napari's own callbacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.utils.interactions import (
    mouse_double_click_callbacks,
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)


class Event:
    """What napari hands to mouse callbacks."""

    def __init__(self, kind: str, world: Sequence[float], pos: Sequence[float], **more: Any) -> None:
        self.type = kind
        self.position = tuple(float(value) for value in world)
        self.pos = np.asarray(pos, dtype=float)
        self.button: int | None = 1
        self.modifiers: Sequence[str] = ()
        self.is_dragging = False
        self.handled = False
        self.dims_displayed = [0, 1]
        self.view_direction = None
        self.up_direction = None
        self.__dict__.update(more)


class Box:
    """The event that callbacks keep; napari puts the newest one in it."""

    def __init__(self, event: Event) -> None:
        object.__setattr__(self, "__wrapped__", event)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "__wrapped__"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__wrapped__":
            object.__setattr__(self, name, value)
        else:
            setattr(object.__getattribute__(self, "__wrapped__"), name, value)


class Mouse:
    """Presses, moves and releases at places of the world; every 10 units are far apart on the screen."""

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer

    def drag(self, places: Sequence[Sequence[float]], **more: Any) -> list[Event]:
        """Press at the first place, move over the others, let go at the last one."""
        events = [Event("mouse_press", places[0], _screen(places[0]), **more)]
        self._to_all(mouse_press_callbacks, events[0])
        for place in places[1:]:
            events.append(Event("mouse_move", place, _screen(place), is_dragging=True, **more))
            self._to_all(mouse_move_callbacks, events[-1])
        events.append(Event("mouse_release", places[-1], _screen(places[-1]), **more))
        self._to_all(mouse_release_callbacks, events[-1])
        return events

    def move(self, place: Sequence[float], **more: Any) -> None:
        """Move without a button."""
        self._to_all(mouse_move_callbacks, Event("mouse_move", place, _screen(place), button=None, **more))

    def double_click(self, place: Sequence[float]) -> None:
        """A double click."""
        self._to_all(mouse_double_click_callbacks, Event("mouse_double_click", place, _screen(place)))

    def _to_all(self, callbacks: Any, event: Event) -> None:
        boxed = Box(event)
        callbacks(self.viewer, boxed)
        active = self.viewer.layers.selection.active
        if active is not None:
            callbacks(active, boxed)


def _screen(place: Sequence[float]) -> tuple[float, float]:
    # far enough apart for the lasso to take every place as a corner
    return float(place[1]) * 50, float(place[0]) * 50
