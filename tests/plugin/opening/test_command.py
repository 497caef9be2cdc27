"""The command "Open slide...": where its dialog begins, and what a change of mind does."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from napari_c2lst.plugin.opening import command


class Asked:
    """What the dialog was asked with, what it answers, and what came of it."""

    def __init__(self) -> None:
        self.answer = ""
        self.folders: list[str] = []
        self.parents: list[Any] = []
        self.opened: list[tuple[Any, str]] = []
        self.history: list[str] = []
        self.remembered: list[str] = []

    def ask(self, parent: Any, folder: str) -> str:
        self.parents.append(parent)
        self.folders.append(folder)
        return self.answer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked()
    monkeypatch.setattr(command.SlideDialog, "ask", made.ask)
    monkeypatch.setattr(command, "open_in_viewer", lambda viewer, path: made.opened.append((viewer, path)))
    monkeypatch.setattr("napari.utils.history.get_open_history", lambda: made.history)
    monkeypatch.setattr("napari.utils.history.update_open_history", made.remembered.append)
    return made


def test_a_change_of_mind_opens_and_remembers_nothing(asked: Asked) -> None:
    assert command.ask_and_open(SimpleNamespace()) == ""
    assert (asked.opened, asked.remembered, asked.parents) == ([], [], [None])


def test_what_was_chosen_is_opened_and_remembered(asked: Asked) -> None:
    window = object()
    viewer = SimpleNamespace(window=SimpleNamespace(_qt_window=window))
    asked.answer = "/data/B4.zarr"
    assert command.ask_and_open(viewer) == "/data/B4.zarr"
    assert asked.opened == [(viewer, "/data/B4.zarr")]
    assert asked.remembered == ["/data/B4.zarr"]
    assert asked.parents == [window]


def test_the_dialog_begins_where_something_was_opened_last(asked: Asked, tmp_path: Path) -> None:
    asked.history = [str(tmp_path / "unplugged"), str(tmp_path), "/"]
    command.ask_and_open(SimpleNamespace())
    asked.history = []
    command.ask_and_open(SimpleNamespace())
    assert asked.folders == [str(tmp_path), str(Path.home())]


def test_without_a_viewer_nothing_is_asked(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari.current_viewer", lambda: None)
    command.open_slide_dialog()
    assert asked.folders == []
