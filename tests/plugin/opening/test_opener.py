from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
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
    assert heard.told == [("info", "'first' is not opened", "one slide is open at a time")]


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


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, make_slide: Any) -> list[tuple[str, dict[str, Any]]]:
    """What is read, without reading; a path that holds "bad" cannot be."""
    read: list[tuple[str, dict[str, Any]]] = []

    def quick(path: Path, opening: dict[str, Any]) -> Any:
        read.append((str(path), dict(opening)))
        if "bad" in path.name:
            raise InputError(f"'{path}' is no slide", "pass --image FILE" if "imageless" in path.name else "check it")
        return make_slide(path=path)

    monkeypatch.setattr(module, "_open", quick)
    return read


def test_the_same_wish_twice_is_one(heard: Heard, calls: list[Any], qtbot: Any) -> None:
    """Return in a field, and then leaving it, both say what was typed."""
    heard.opener.open("a", mpp=0.5)
    heard.opener.open("a", mpp=0.5, image=None)
    qtbot.waitUntil(lambda: heard.ended == [True])
    assert calls == [("a", {"mpp": 0.5})]
    assert heard.begun == ["a"]
    heard.opener.open("a", mpp=0.5)  # it is done: now it is a wish to open it again
    qtbot.waitUntil(lambda: heard.ended == [True, True])


def test_another_wish_for_the_same_slide_is_another(heard: Heard, calls: list[Any], qtbot: Any) -> None:
    heard.opener.open("a", mpp=0.5)
    heard.opener.open("a", mpp=0.7)
    qtbot.waitUntil(lambda: heard.ended == [True])
    assert heard.session.opening == {"mpp": 0.7}
    assert heard.begun == ["a", "a"]


def test_what_failed_and_what_was_left_can_be_tried_again(heard: Heard, calls: list[Any], qtbot: Any) -> None:
    for done in range(2):
        heard.opener.open("bad")
        qtbot.waitUntil(lambda done=done: len(heard.ended) == done + 1)
    heard.opener.open("good")
    heard.opener.cancel()
    heard.opener.open("good")
    qtbot.waitUntil(lambda: heard.ended == [False, False, False, True])
    assert len(heard.told) == 2


@pytest.mark.parametrize("path", ["~nobody-of-that-name/B4", "x" * 300, "x" * 5000, "no such\nslide", " "])
def test_what_can_be_no_path_is_told_like_any_other(heard: Heard, path: str, qtbot: Any) -> None:
    heard.opener.open(path)
    qtbot.waitUntil(lambda: heard.ended == [False], timeout=60_000)
    ((level, message, hint),) = heard.told
    assert level == "error"
    assert message
    assert hint
    assert heard.opener.path is None


def test_the_home_folder_may_be_a_tilde(heard: Heard, calls: list[Any], qtbot: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.setenv("USERPROFILE", "/home/anna")
    heard.opener.open("~/B4.zarr")
    qtbot.waitUntil(lambda: heard.ended == [True])
    assert Path(calls[0][0]) == Path("/home/anna/B4.zarr")


def test_a_slide_without_its_image_is_opened_with_one(heard: Heard, calls: list[Any], qtbot: Any) -> None:
    heard.opener.open_with_image(Path("x.tif"))  # nothing waits for an image
    assert calls == []
    heard.opener.open("bad-imageless", mpp=0.5)
    qtbot.waitUntil(lambda: heard.ended == [False])
    assert heard.told == [("error", "'bad-imageless' is no slide", "choose its image file")]
    assert heard.opener.imageless == (Path("bad-imageless"), {"mpp": 0.5})
    heard.opener.open_with_image(Path("x.tif"))
    assert heard.opener.imageless is None
    qtbot.waitUntil(lambda: len(heard.ended) == 2)
    assert calls[-1] == ("bad-imageless", {"mpp": 0.5, "image": Path("x.tif")})


def test_a_slide_that_opens_takes_the_question_for_an_image_away(heard: Heard, calls: list[Any], qtbot: Any) -> None:
    heard.opener.open("bad-imageless")
    qtbot.waitUntil(lambda: heard.ended == [False])
    heard.opener.open("other")
    qtbot.waitUntil(lambda: heard.ended == [False, True])
    assert heard.opener.imageless is None


def test_what_is_to_be_done_then_is_done_once_it_is_open(heard: Heard, calls: list[Any], qtbot: Any) -> None:
    done: list[Any] = []
    heard.opener.open_made("layer", lambda: Path("bad"), then=lambda: done.append(heard.session.slide))
    qtbot.waitUntil(lambda: heard.ended == [False])
    assert done == []
    heard.opener.open_made("layer", lambda: Path("good"), then=lambda: done.append(heard.session.slide))
    assert heard.begun == ["layer", "layer"]
    qtbot.waitUntil(lambda: heard.ended == [False, True])
    assert done == [heard.session.slide]
    assert heard.session.opening == {}


def test_a_gene_that_another_table_lacks_is_not_shown(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, qtbot: Any, make_slide: Any
) -> None:
    tables = {"mrna": ("ERBB2", "KRT5"), "protein": ("CD3", "CD4")}

    def quick(path: Path, opening: dict[str, Any]) -> Any:
        table = opening.get("table", "mrna")
        names = SimpleNamespace(var_names=tables[table], uns={})
        return make_slide(path=path, table_name=table, sdata=SimpleNamespace(tables={table: names}))

    monkeypatch.setattr(module, "_open", quick)
    heard.opener.open("a")
    qtbot.waitUntil(lambda: heard.ended == [True])
    heard.session.choose(np.array([True, False, False]))
    heard.session.show_gene("KRT5")
    heard.opener.reopen(table="protein")
    qtbot.waitUntil(lambda: heard.ended == [True, True])
    assert (heard.session.gene, heard.session.chosen.sum()) == ("", 1)
    heard.session.show_gene("CD4")
    heard.opener.reopen(mpp=0.7)
    qtbot.waitUntil(lambda: len(heard.ended) == 3)
    assert heard.session.gene == "CD4"


def test_another_slide_keeps_nothing_of_the_one_before(heard: Heard, calls: list[Any], qtbot: Any) -> None:
    heard.opener.open("a")
    qtbot.waitUntil(lambda: heard.ended == [True])
    heard.session.choose(np.array([True, True, False]))
    heard.opener.open("b")
    qtbot.waitUntil(lambda: heard.ended == [True, True])
    assert heard.session.slide.path == Path("b")
    assert heard.session.chosen.sum() == 0
