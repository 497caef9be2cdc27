"""Choosing weights: what is offered, a file, and going back from the dialog."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_c2lst.cells.facts import EMBEDDED, PANNUKE
from napari_c2lst.jobs.tasks import get_task
from napari_c2lst.plugin.cells.weights_field import WeightsField

OFFERED = [("Package", EMBEDDED), ("PanNuke", PANNUKE)]


@pytest.fixture
def field(qtbot: Any) -> WeightsField:
    info = next(each for each in get_task("cells").settings_class().fields_info() if each.name == "weights")
    made = WeightsField(info)
    qtbot.addWidget(made.native)
    made.offer(OFFERED)
    return made


def labels(field: WeightsField) -> list[str]:
    return [field.native.itemText(i) for i in range(field.native.count())]


def activate(field: WeightsField, label: str) -> None:
    """Choose a line as a user does."""
    index = labels(field).index(label)
    field.native.setCurrentIndex(index)
    field.native.activated.emit(index)


def answering(monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (file, ""))


def test_who_goes_back_from_the_dialog_keeps_the_weights(field: WeightsField, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "")
    activate(field, "PanNuke")
    told: list[Any] = []
    field.changed.connect(lambda: told.append(field.get()))
    activate(field, "A file…")
    assert field.get() == PANNUKE
    assert field.native.currentText() == "PanNuke"
    assert told == []


def test_a_file_is_taken_and_stays_offered(field: WeightsField, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "/data/own.tar")
    activate(field, "A file…")
    assert field.get() == "/data/own.tar"
    assert labels(field)[-1] == "A file…"
    field.offer(OFFERED)  # a training ended: what is offered is made anew
    assert field.get() == "/data/own.tar"
    activate(field, "Package")
    assert labels(field).count("/data/own.tar") == 1
    activate(field, "A file…")
    assert labels(field).count("/data/own.tar") == 1


def test_a_run_that_is_gone_gives_way_to_the_first(field: WeightsField) -> None:
    field.offer([*OFFERED, ("Own: mine", "/runs/mine")])
    activate(field, "Own: mine")
    field.offer(OFFERED)
    assert field.get() == EMBEDDED


def test_values_that_come_from_elsewhere(field: WeightsField) -> None:
    field.set("/other/file.pth")
    assert field.get() == "/other/file.pth"
    assert field.problem() == ""
    assert isinstance(field.get(), str)


def test_nothing_to_choose_from_is_said(field: WeightsField) -> None:
    field.offer([])
    assert field.get() is None
    assert field.problem() == "choose weights"
    assert labels(field)[-1] == "A file…"
