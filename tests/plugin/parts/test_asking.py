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


@pytest.mark.parametrize(
    ("typed", "file"),
    [
        ("B4 v1.2", "B4 v1.2.csv"),
        ("scores 0.5 um", "scores 0.5 um.csv"),
        ("run.2024-11-21", "run.2024-11-21.csv"),
        ("table.CSV", "table.CSV"),
        ("table.tsv", "table.tsv"),
        (".hidden", ".hidden.csv"),
    ],
)
def test_a_number_after_a_dot_is_no_ending(asked: list[str], tmp_path: Path, typed: str, file: str) -> None:
    assert named_path(None, str(tmp_path / typed), ".csv") == tmp_path / file
    assert asked == []


def test_an_ending_with_a_number_is_one_where_it_is_asked_for(asked: list[str], tmp_path: Path) -> None:
    assert named_path(None, str(tmp_path / "a.h5"), ".h5") == tmp_path / "a.h5"


def test_a_folder_in_the_place_of_a_file_is_asked_about(asked: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    assert named_path(None, str(tmp_path / "a"), ".csv") is None
    assert "'a.csv'" in asked[0]


def test_closing_the_question_is_no(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Any] = []

    def question(*args: Any) -> Any:
        seen.extend(args)
        return QMessageBox.StandardButton.Close

    monkeypatch.setattr(QMessageBox, "question", question)
    assert not agree_to_replace(None, [tmp_path])
    assert seen[-1] == QMessageBox.StandardButton.No  # Return, pressed without reading, replaces nothing
