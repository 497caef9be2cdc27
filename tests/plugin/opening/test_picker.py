from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QFileDialog

from napari_c2lst.plugin.opening.picker import PathLine, SlideDialog, ask_image


@pytest.fixture
def line(qtbot: Any) -> PathLine:
    made = PathLine()
    qtbot.addWidget(made)
    made.heard = []
    made.chosen.connect(made.heard.append)
    return made


def test_a_typed_path(line: PathLine, qtbot: Any) -> None:
    qtbot.keyClick(line.line, Qt.Key.Key_Return)
    assert line.heard == []
    line.line.setText(" '/data/B4.zarr' ")
    qtbot.keyClick(line.line, Qt.Key.Key_Return)
    assert line.heard == ["/data/B4.zarr"]


def test_a_dropped_folder(line: PathLine, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    line.dropEvent(event)
    assert line.heard == [str(tmp_path)]
    assert event.isAccepted()


def test_browsing(line: PathLine, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["", "/data/x.svs"])
    monkeypatch.setattr(SlideDialog, "ask", classmethod(lambda _cls, *_a: next(answers)))
    line.browse.click()
    assert line.heard == []
    line.browse.click()
    assert (line.heard, line.line.text()) == (["/data/x.svs"], "/data/x.svs")


@pytest.fixture
def dialog(qtbot: Any, shared: Path) -> SlideDialog:
    made = SlideDialog(None, str(shared))
    qtbot.addWidget(made)
    return made


def test_going_into_a_slide_opens_it(dialog: SlideDialog, shared: Path) -> None:
    dialog.directoryEntered.emit(str(shared / "her2st"))
    store = shared / "layouts" / "spatialdata_zarr_v3" / "blobs_v3.zarr"
    dialog.directoryEntered.emit(str(store.parent))
    assert dialog.chosen == ""  # folders of slides are only looked into
    dialog.directoryEntered.emit(str(store))
    assert dialog.chosen == str(store)


def test_a_file_or_a_folder_that_is_a_slide_is_accepted(
    dialog: SlideDialog, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (shared / "hne-wsi" / "CMU-1-Small-Region.svs", shared / "visium-crc16" / "outs"):
        monkeypatch.setattr(dialog, "selectedFiles", lambda path=path: [str(path)])
        dialog.accept()
        assert dialog.chosen == str(path)


def test_the_dialog_shows_files_and_folders(dialog: SlideDialog) -> None:
    assert dialog.testOption(SlideDialog.Option.DontUseNativeDialog)
    assert "*.zarr" in dialog.nameFilters()[0]
    assert "*.SVS" in dialog.nameFilters()[0]


def dropped(line: PathLine, *urls: str) -> QDropEvent:
    mime = QMimeData()
    mime.setUrls([QUrl(url) for url in urls])
    actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    event = QDropEvent(QPointF(5, 5), actions, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    event.setDropAction(Qt.DropAction.MoveAction)
    event.ignore()
    line.dropEvent(event)
    return event


def test_a_dropped_slide_is_never_moved(line: PathLine) -> None:
    assert dropped(line, "file:///data/a.svs").dropAction() == Qt.DropAction.CopyAction
    assert line.line.text() == "/data/a.svs"


def test_a_link_of_a_browser_is_no_path(line: PathLine) -> None:
    assert not dropped(line, "https://example.org/a.svs").isAccepted()
    assert not dropped(line).isAccepted()
    assert (line.heard, line.line.text()) == ([], "")


def test_of_several_the_first_is_opened(line: PathLine) -> None:
    dropped(line, "https://example.org/x", "file:///data/a%20b.svs", "file:///data/c.svs")
    assert line.heard == ["/data/a b.svs"]


@pytest.mark.parametrize(
    ("pasted", "path"),
    [
        ('"/data/my slides/B4.zarr"', "/data/my slides/B4.zarr"),
        ("/data/B4.zarr/", "/data/B4.zarr/"),
        ("file:///data/my%20slides/B4.zarr", "/data/my slides/B4.zarr"),
        ("   ", None),
        ("''", None),
    ],
)
def test_paths_as_file_managers_copy_them(line: PathLine, qtbot: Any, pasted: str, path: str | None) -> None:
    line.line.setText(pasted)
    qtbot.keyClick(line.line, Qt.Key.Key_Return)
    assert line.heard == ([] if path is None else [path])


def test_browsing_begins_beside_what_is_in_the_line(line: PathLine, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[str] = []
    monkeypatch.setattr(SlideDialog, "ask", classmethod(lambda _cls, _parent, folder: folders.append(folder) or ""))
    line.browse.click()
    line.line.setText("/data/her2st/B4")
    line.browse.click()
    assert folders == [str(Path.home()), "/data/her2st"]
    assert line.heard == []


def test_an_image_is_found_in_small_and_in_capital_letters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []
    answers = iter([("", ""), (str(tmp_path / "A.TIF"), "")])

    def answer(*args: Any) -> tuple[str, str]:
        asked.append(args)
        return next(answers)

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    assert ask_image(None, tmp_path) is None
    assert ask_image(None, tmp_path) == tmp_path / "A.TIF"
    assert asked[0][2] == str(tmp_path)
    for ending in ("*.tif", "*.TIF", "*.svs", "*.SVS", "*.jpg"):
        assert f"{ending} " in asked[0][3].replace(")", " ").replace("(", " ")


def test_a_folder_of_slides_is_gone_into_and_not_chosen(dialog: SlideDialog, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "several").mkdir()
    dialog.setDirectory(str(tmp_path))
    monkeypatch.setattr(dialog, "selectedFiles", lambda: [str(tmp_path / "several")])
    closed: list[int] = []
    dialog.finished.connect(closed.append)
    dialog.accept()
    assert (dialog.chosen, closed) == ("", [])


def test_a_dialog_that_is_closed_chooses_nothing(monkeypatch: pytest.MonkeyPatch, qtbot: Any, tmp_path: Path) -> None:
    def leave(dialog: SlideDialog) -> int:
        dialog.reject()
        return 0

    monkeypatch.setattr(SlideDialog, "exec", leave)
    assert SlideDialog.ask(None, str(tmp_path)) == ""
