"""The button: there where there is a plugin and a slide, and busy while its docks are being opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.neighbour import offer as module
from napari_c2lst.plugin.neighbour.docks import Neighbour
from napari_c2lst.plugin.neighbour.offer import NeighbourOffer
from napari_c2lst.plugin.shared import Shared, forget, shared_of
from napari_c2lst.slides.slide import Slide


@pytest.fixture
def shared_viewer() -> Iterator[Shared]:
    viewer = ViewerModel()
    yield shared_of(viewer)
    forget(viewer)


@pytest.mark.parametrize("installed", [True, False])
def test_there_where_there_is_something_to_show(
    shared_viewer: Shared,
    make_slide: Callable[..., Slide],
    monkeypatch: pytest.MonkeyPatch,
    qtbot: Any,
    installed: bool,
) -> None:
    monkeypatch.setattr(module, "is_there", lambda: installed)
    offer = NeighbourOffer(shared_viewer)
    qtbot.addWidget(offer)
    assert offer.isHidden()
    shared_viewer.session.slide = make_slide(sdata=SimpleNamespace())
    shared_viewer.session.slide_changed.disconnect(shared_viewer.canvas.show_slide)  # a slide in name only
    shared_viewer.session.slide_changed.emit()
    assert offer.isHidden() != installed
    shared_viewer.session.slide_changed.connect(shared_viewer.canvas.show_slide)


def test_busy_while_its_docks_are_opened(shared_viewer: Shared, monkeypatch: pytest.MonkeyPatch, qtbot: Any) -> None:
    offer = NeighbourOffer(shared_viewer)
    qtbot.addWidget(offer)
    monkeypatch.setattr(Neighbour, "busy", True)
    offer.look()
    assert not offer.button.isEnabled()
    assert "Opening" in offer.button.text()
    monkeypatch.setattr(Neighbour, "busy", False)
    offer.look()
    assert offer.button.isEnabled()
