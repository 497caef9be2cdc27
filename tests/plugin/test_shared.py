"""What the panels of one viewer share, whoever hands the viewer over."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from napari.utils._proxies import PublicOnlyProxy

from napari_c2lst.plugin.opening.panel import OpenPanel
from napari_c2lst.plugin.shared import forget, shared_of


def test_a_proxy_of_the_viewer_is_the_viewer(make_napari_viewer: Callable[..., Any], qtbot: Any) -> None:
    """napari hands a proxy to the widgets of plugins, and drops it; the first panel of a fresh window gets one."""
    viewer = make_napari_viewer()
    panel = OpenPanel(PublicOnlyProxy(viewer))
    qtbot.addWidget(panel)
    session = panel.session
    gc.collect()
    shared = shared_of(viewer)
    assert shared.session is session
    assert shared.canvas.viewer is viewer
    assert shared_of(PublicOnlyProxy(viewer)) is shared
    panel.close()
    forget(PublicOnlyProxy(viewer))
    assert shared_of(viewer) is not shared
