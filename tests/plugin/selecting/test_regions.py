"""Shapes by way of the dialogs; what they pick and write is tested with the panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QFileDialog
from shapely.geometry import box

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.selecting.panel import SelectPanel
from napari_c2lst.plugin.selecting.regions import folder_of, slide_with_spots
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.spots.geojson import Region, read_regions, write_regions


def answering(path: Path | str) -> Any:
    return staticmethod(lambda *_: (str(path), ""))


def everywhere(slide: Any) -> Region:
    height, width = slide.pyramid.shape
    return Region(box(0, 0, width / 2, height))


def test_a_file_is_asked_for_and_taken(panel: SelectPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_regions(tmp_path / "in.geojson", [everywhere(panel.session.slide)])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", answering(""))
    panel.ways.geojson_wanted.emit()
    assert not panel.choice.steps
    monkeypatch.setattr(QFileDialog, "getOpenFileName", answering(tmp_path / "in.geojson"))
    panel.ways.geojson_wanted.emit()
    assert panel.choice.mask.any()
    assert panel.message.message.endswith(f"{int(panel.choice.mask.sum())} spots")


def test_chosen_spots_are_written_where_the_user_says(
    panel: SelectPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    panel.ways.random_wanted.emit(0.25, 0, "random")
    panel.sets.name.setText("margin")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", answering(tmp_path / "out.geojson"))
    panel.sets.export_wanted.emit("chosen")
    qtbot.waitUntil(lambda: panel.message.level == "success", timeout=30_000)
    assert [region.name for region in read_regions(tmp_path / "out.geojson")] == ["margin"]


def test_where_dialogs_begin(panel: SelectPanel, store: Path) -> None:
    assert folder_of(panel.session) == str(store.parent)
    assert slide_with_spots(panel.session) is panel.session.slide
    with pytest.raises(InputError, match="no slide is open"):
        slide_with_spots(Session())
    assert folder_of(Session()) == str(Path.cwd())
