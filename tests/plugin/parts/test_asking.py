from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QMessageBox

from napari_c2lst.plugin.parts.asking import agree_to_replace, named_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked; the answer is no."""
    questions: list[str] = []

    def question(_parent: Any, _title: str, text: str, *_: Any) -> Any:
        questions.append(text)
        return QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", question)
    return questions


def test_nothing_is_asked_about_files_that_are_not_there(asked: list[str], tmp_path: Path) -> None:
    assert agree_to_replace(None, [])
    assert agree_to_replace(None, [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert asked == []


def test_files_that_are_there_are_named(asked: list[str], tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(8)]
    for path in paths[:1]:
        path.touch()
    assert not agree_to_replace(None, paths)
    for path in paths:
        path.touch()
    assert not agree_to_replace(None, paths)
    assert asked[0] == f"'0.png' in '{tmp_path}' is there already. Replace it?"
    assert asked[1] == (
        f"'0.png', '1.png', '2.png', '3.png', '4.png' and 3 more in '{tmp_path}' are there already. Replace them?"
    )


def test_yes_means_yes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    assert agree_to_replace(None, [tmp_path])


def test_a_name_gets_its_ending_and_then_is_asked_about(asked: list[str], tmp_path: Path) -> None:
    assert named_path(None, "", ".csv") is None
    assert named_path(None, str(tmp_path / "a"), ".csv") == tmp_path / "a.csv"
    (tmp_path / "a.csv").touch()
    assert named_path(None, str(tmp_path / "a"), ".csv") is None
    assert len(asked) == 1
    # the dialog has asked about this one itself
    assert named_path(None, str(tmp_path / "a.csv"), ".csv") == tmp_path / "a.csv"
    assert named_path(None, str(tmp_path / "a.json"), ".geojson") == tmp_path / "a.json"
    assert len(asked) == 1
