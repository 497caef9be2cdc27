"""Keys that work while the mouse is over the slide, as long as a panel is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from napari.utils.key_bindings import coerce_keybinding


class ViewerKeys:
    """Keys bound to a viewer; what the user or another plugin bound before comes back at the end.

    Layers come first: Ctrl+Z of a labels layer that is being painted stays what it is.

    Parameters
    ----------
    viewer
        A `napari.Viewer` or `ViewerModel`.
    keys
        What to call by key, as napari writes keys ("Control-Z").
    """

    def __init__(self, viewer: Any, keys: Mapping[str, Callable[[], None]]) -> None:
        self._viewer = viewer
        self._ours: dict[Any, tuple[Any, Any]] = {}
        for key, function in keys.items():
            binding = coerce_keybinding(key)
            before = viewer.keymap.get(binding)
            call = _without_viewer(function)
            viewer.bind_key(key, call, overwrite=True)
            self._ours[binding] = (call, before)

    def end(self) -> None:
        """Give the keys back, unless somebody else took them in the meantime."""
        for binding, (call, before) in self._ours.items():
            if self._viewer.keymap.get(binding) is call:
                del self._viewer.keymap[binding]
                if before is not None:
                    self._viewer.keymap[binding] = before
        self._ours.clear()


def _without_viewer(function: Callable[[], None]) -> Callable[[Any], None]:
    def call(_viewer: Any) -> None:
        function()

    return call
