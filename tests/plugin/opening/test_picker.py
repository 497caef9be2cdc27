from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_c2lst.plugin.opening.picker import PathLine, SlideDialog


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
