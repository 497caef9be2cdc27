from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.opening import opener as module
from napari_c2lst.plugin.opening.opener import Opener
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import SpotSet


@pytest.fixture
def b4(shared: Path) -> Path:
    return shared / "her2st" / "B4"


class Heard:
    """An opener and all it and its session said."""

    def __init__(self) -> None:
        self.opener = Opener(Session())
        self.session = self.opener.session
        self.begun: list[str] = []
        self.ended: list[bool] = []
        self.told: list[tuple[str, str, str]] = []
        self.opener.begun.connect(self.begun.append)
        self.opener.ended.connect(self.ended.append)
        self.session.told.connect(lambda *said: self.told.append(said))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_a_slide_is_opened_in_a_thread(heard: Heard, b4: Path, qtbot: Any) -> None:
    heard.opener.open(b4, mpp=0.7, table=None)
    assert (heard.begun, heard.session.slide, heard.opener.path) == ([str(b4)], None, b4)
    qtbot.waitUntil(lambda: heard.ended == [True], timeout=60_000)
    assert heard.session.slide.mpp == 0.7
    assert heard.session.opening == {"mpp": 0.7}
    assert heard.opener.path is None
    assert heard.told == []


def test_what_cannot_be_opened_is_one_sentence_with_a_hint(heard: Heard, tmp_path: Path, qtbot: Any) -> None:
    heard.opener.open(tmp_path / "gone.zarr")
    qtbot.waitUntil(lambda: heard.ended == [False], timeout=60_000)
    level, message, hint = heard.told[0]
    assert (level, hint) == ("error", "check the path")
    assert "gone.zarr" in message
    assert heard.session.slide is None


def test_any_other_error_is_said_too(heard: Heard, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(_path: Path, _opening: dict[str, Any]) -> None:
        raise ValueError("odd bytes\nand more")

    monkeypatch.setattr(module, "_open", explode)
    heard.opener.open("x")
    qtbot.waitUntil(lambda: heard.ended == [False])
    assert "ValueError: odd bytes)" in heard.told[0][1]
    assert heard.told[0][2]


def test_a_newer_request_takes_the_place_of_one_under_way(
    heard: Heard, qtbot: Any, monkeypatch: pytest.MonkeyPatch, b4: Path
) -> None:
    go, slide = threading.Event(), open_slide(b4)

    def slow(path: Path, _opening: dict[str, Any]) -> Any:
        if path.name == "first":
            go.wait(10)
        return slide

    monkeypatch.setattr(module, "_open", slow)
    heard.opener.open("first")
    heard.opener.open("second")
    go.set()
    qtbot.waitUntil(lambda: heard.ended == [True])
    qtbot.wait(50)
    assert (heard.begun, heard.ended) == (["first", "second"], [True])


def test_leaving_it_keeps_what_is_open(heard: Heard, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(module, "_open", lambda _path, _opening: go.wait(10))
    heard.opener.open("first")
    heard.opener.cancel()
    go.set()
    qtbot.wait(50)
    assert (heard.ended, heard.session.slide, heard.opener.path) == ([False], None, None)
    heard.opener.cancel()
    assert heard.ended == [False]


def test_the_same_slide_in_another_way_keeps_the_work(heard: Heard, b4: Path, qtbot: Any) -> None:
    heard.opener.open(b4)
    qtbot.waitUntil(lambda: heard.ended == [True], timeout=60_000)
    session = heard.session
    chosen = np.arange(283) < 5
    session.sets["mine"] = SpotSet.of("mine", session.slide.spots.ids, chosen, {})
    session.choose(chosen)
    session.show_gene("ERBB2")
    heard.opener.reopen(mpp=0.5)
    qtbot.waitUntil(lambda: heard.ended == [True, True], timeout=60_000)
    assert session.slide.mpp == 0.5
    assert (session.gene, list(session.sets)) == ("ERBB2", ["mine"])
    assert session.chosen.sum() == 5
    heard.opener.reopen(mpp=None)
    qtbot.waitUntil(lambda: len(heard.ended) == 3, timeout=60_000)
    assert session.opening == {}
    assert session.slide.microns.source == "fitted"


def test_nothing_open_cannot_be_opened_again(heard: Heard) -> None:
    from napari_c2lst.common.errors import InputError

    with pytest.raises(InputError, match="no slide is open"):
        heard.opener.reopen(mpp=0.5)


def test_opening_needs_no_torch(b4: Path) -> None:
    code = (
        "import sys\nfrom napari.components import ViewerModel\n"
        "from napari_c2lst.plugin.canvas import Canvas\nfrom napari_c2lst.plugin.session import Session\n"
        "from napari_c2lst.plugin.opening.opener import Opener\n"
        "from napari_c2lst.plugin.opening import panel, command\n"
        "session = Session(); canvas = Canvas(ViewerModel(), session)\n"
        f"Opener(session).open({str(b4)!r})\n"
        "print(len(session.slide.spots), canvas.keys(), sorted({'torch', 'diffusers'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "283 ['image', 'spots'] []"
