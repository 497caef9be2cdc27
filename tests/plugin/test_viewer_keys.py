from __future__ import annotations

from napari.components import ViewerModel
from napari.utils.key_bindings import coerce_keybinding

from napari_c2lst.plugin.viewer_keys import ViewerKeys

UNDO = coerce_keybinding("Control-Z")


def test_keys_call_and_are_given_back() -> None:
    viewer, called = ViewerModel(), []

    def theirs(_viewer: object) -> None:
        called.append("theirs")

    viewer.bind_key("Control-Z", theirs)
    keys = ViewerKeys(viewer, {"Control-Z": lambda: called.append("ours"), "Control-Y": lambda: called.append("y")})
    viewer.keymap[UNDO](viewer)
    viewer.keymap[coerce_keybinding("Control-Y")](viewer)
    keys.end()
    viewer.keymap[UNDO](viewer)
    assert called == ["ours", "y", "theirs"]
    assert coerce_keybinding("Control-Y") not in viewer.keymap
    keys.end()  # harmless twice


def test_a_key_that_somebody_took_since_stays_theirs() -> None:
    viewer = ViewerModel()
    keys = ViewerKeys(viewer, {"Control-Z": lambda: None})

    def later(_viewer: object) -> None:
        return None

    viewer.bind_key("Control-Z", later, overwrite=True)
    keys.end()
    assert viewer.keymap[UNDO] is later
