"""The pictures a job writes: looked back at by keyboard, opened by a double click, gone with the job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices

from napari_c2lst.plugin.parts.patch_strip import PatchStrip


def picture(path: Path, size: tuple[int, int] = (60, 240), colour: tuple[int, int, int] = (200, 0, 0)) -> str:
    Image.fromarray(np.full((*size, 3), colour, np.uint8)).save(path)
    return str(path)


@pytest.fixture
def strip(qtbot: Any, tmp_path: Path) -> PatchStrip:
    """Three pictures: red, green, blue."""
    made = PatchStrip()
    qtbot.addWidget(made)
    for i in range(3):
        colour = tuple(200 * (j == i) for j in range(3))
        made.feed(picture(tmp_path / f"{i}.png", colour=colour), f"step {i}")
    return made


def colour_shown(strip: PatchStrip) -> tuple[int, int, int]:
    seen = strip.picture.grab().toImage().pixelColor(5, 5)
    return seen.red(), seen.green(), seen.blue()


def test_keys_go_back_to_earlier_pictures(strip: PatchStrip, qtbot: Any) -> None:
    strip.resize(240, 120)
    qtbot.waitUntil(lambda: strip.picture.height() > 10)  # its height follows its width a moment later
    assert colour_shown(strip) == (0, 0, 200)
    qtbot.keyClick(strip.slider, Qt.Key.Key_Left)
    assert (strip.caption.text(), strip.picture.accessibleName()) == ("Step 1", "step 1")
    assert colour_shown(strip) == (0, 200, 0)
    qtbot.keyClick(strip.slider, Qt.Key.Key_Home)
    assert colour_shown(strip) == (200, 0, 0)


def test_who_is_back_at_the_end_sees_what_comes_next(strip: PatchStrip, qtbot: Any, tmp_path: Path) -> None:
    qtbot.keyClick(strip.slider, Qt.Key.Key_Home)
    strip.feed(picture(tmp_path / "3.png"), "step 3")
    assert strip.caption.text() == "Step 0"
    qtbot.keyClick(strip.slider, Qt.Key.Key_End)
    assert strip.caption.text() == "Step 3"
    strip.feed(picture(tmp_path / "4.png"), "step 4")
    assert strip.caption.text() == "Step 4"


def test_another_job_shows_its_own_pictures_only(strip: PatchStrip, tmp_path: Path) -> None:
    strip.clear()
    strip.feed(picture(tmp_path / "new.png"), "first")
    assert (strip.caption.text(), len(strip.pictures)) == ("First", 1)
    assert strip.slider.isHidden()


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_half_a_picture_is_passed_over(strip: PatchStrip, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "half.png").write_bytes(content)
    strip.feed(str(tmp_path / "half.png"), "half")
    assert len(strip.pictures) == 3
    assert strip.caption.text() == "Step 2"


def test_a_picture_that_was_removed_since_is_no_error(strip: PatchStrip, tmp_path: Path, qtbot: Any) -> None:
    (tmp_path / "0.png").unlink()
    with qtbot.captureExceptions() as raised:
        strip.slider.setValue(0)
        strip.picture.grab()
    assert raised == []
    assert strip.caption.text() == "Step 0"


def test_a_double_click_opens_the_file(strip: PatchStrip, qtbot: Any, tmp_path: Path, monkeypatch: Any) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    strip.slider.setValue(1)
    qtbot.mouseDClick(strip.picture, Qt.MouseButton.LeftButton)
    assert opened == [str(tmp_path / "1.png")]
    empty = PatchStrip()
    qtbot.addWidget(empty)
    qtbot.mouseDClick(empty.picture, Qt.MouseButton.LeftButton)
    assert len(opened) == 1


def test_a_tall_picture_leaves_room_for_the_panel(strip: PatchStrip, qtbot: Any, tmp_path: Path) -> None:
    strip.show()
    strip.feed(picture(tmp_path / "tall.png", size=(900, 60)), "tall")
    qtbot.waitUntil(lambda: strip.picture.height() == 260)
