"""What the panels of one viewer share, whoever hands the viewer over."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from napari.utils._proxies import PublicOnlyProxy
from napari.utils.notifications import notification_manager

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


def test_what_a_crashed_window_left_is_told(
    make_napari_viewer: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = tmp_path / "c2lst_gone" / "some" / "tissue.zarr"
    store.mkdir(parents=True)
    (tmp_path / "c2lst_gone" / "in_use.lock").touch()
    viewer = make_napari_viewer()
    before = len(notification_manager.records)
    shared = shared_of(viewer)
    said = [record.message for record in notification_manager.records[before:]]
    assert len(said) == 1
    assert f"has left 'tissue.zarr' in '{tmp_path / 'c2lst_gone'}'" in said[0]
    assert "delete that folder" in said[0]
    assert shared_of(viewer) is shared  # told once
    assert len(notification_manager.records) == before + 1
    forget(viewer)
    assert store.is_dir()  # it is the user's to remove
