"""Spots by a list of names: read beside the GUI's thread, told as shapes of a file are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog, QWidget
from tests.plugin.selecting.waiting import WAIT_MS, Waiting

from napari_c2lst.plugin.selecting import by_rule as module
from napari_c2lst.plugin.selecting.by_rule import ByRule
from napari_c2lst.plugin.selecting.choice import How, Step
from napari_c2lst.plugin.selecting.ways_box import WaysBox
from napari_c2lst.slides.slide import Slide


class Bench(Waiting):
    """Rules over a slide of three spots, without a viewer."""

    def __init__(self, make_slide: Callable[..., Slide], folder: Path) -> None:
        super().__init__()
        self.folder, self.window = folder, QWidget()
        self.session.open(make_slide(path=folder / "P12.zarr"))
        self.ways = WaysBox(self.window)
        self.rules = ByRule(self.session, self.choice, self.ways, lambda: self.how, self.window)
        self.rules.told.connect(self.hear)

    @property
    def ids(self) -> list[str]:
        return [str(each) for each in self.session.require_slide().require_spots().ids]

    def file(self, *names: str) -> Path:
        path = self.folder / "ids.txt"
        path.write_text("\n".join(names))
        return path


class Slow:
    """Reads a list when it is let, and knows in which thread."""

    def __init__(self) -> None:
        self.let, self.thread = threading.Event(), ""

    def __call__(self, slide: Slide, how: How, path: Path) -> Step:
        assert self.let.wait(WAIT_MS / 1000)
        self.thread = threading.current_thread().name
        mask = np.zeros(len(slide.require_spots()), dtype=bool)
        mask[0] = True
        return Step(how, mask, "ids", {"ids": str(path)})


@pytest.fixture
def bench(qtbot: Any, make_slide: Callable[..., Slide], tmp_path: Path) -> Bench:
    made = Bench(make_slide, tmp_path)
    qtbot.addWidget(made.window)
    return made


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()
    monkeypatch.setattr(module.recipes, "by_names", made)
    return made


def test_the_spots_that_a_file_names_are_chosen(bench: Bench, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bench.file("barcode", bench.ids[2], bench.ids[0])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    bench.ways.ids_wanted.emit()
    assert bench.told == [("info", "reading the spot ids of 'ids.txt'…", "")]
    assert bench.ended(qtbot) == ("success", "'ids.txt' names 2 spots", "")
    assert bench.spots == [0, 2]


def test_a_list_is_read_beside_the_windows_thread_as_picking_was_when_it_was_asked_for(
    bench: Bench, slow: Slow, qtbot: Any
) -> None:
    bench.choice.adopt(np.array([True, True, False]))
    bench.how = How.SUBTRACT
    bench.rules.take_ids(bench.folder / "ids.txt")
    bench.how = How.ADD
    assert bench.spots == [0, 1]  # nothing waits for the file
    slow.let.set()
    bench.ended(qtbot)
    assert bench.spots == [1]
    assert slow.thread != threading.main_thread().name


def test_one_list_at_a_time(bench: Bench, slow: Slow, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: pytest.fail("nobody is asked for a second one"))
    bench.rules.take_ids(bench.folder / "ids.txt")
    bench.rules.ask_ids()
    assert bench.told[-1] == (
        "error",
        "the spot ids of another file are being read",
        "wait until their spots are picked",
    )
    slow.let.set()
    qtbot.waitUntil(lambda: bench.told[-1][0] == "success", timeout=WAIT_MS)
    assert bench.spots == [0]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["AAA", "BBB"], "2 of 2 ids are no spots of slide"),
        (["# nothing"], "is empty"),
        (["\x00"], "1 of 1 ids are no spots of slide"),
    ],
)
def test_a_list_that_cannot_be_used_is_told_and_chooses_nothing(
    bench: Bench, qtbot: Any, names: list[str], message: str
) -> None:
    bench.rules.take_ids(bench.file(*names))
    level, said, hint = bench.ended(qtbot)
    assert level == "error"
    assert message in said
    assert hint
    assert bench.spots == []


def test_a_file_that_is_gone_or_no_text_is_told(bench: Bench, qtbot: Any) -> None:
    bench.rules.take_ids(bench.folder / "gone.txt")
    assert "there is no list of spots" in bench.ended(qtbot)[1]
    (bench.folder / "picture.txt").write_bytes(b"\x89PNG\xff\xfe")
    bench.told.clear()
    bench.rules.take_ids(bench.folder / "picture.txt")
    assert "cannot be read as a list of spots" in bench.ended(qtbot)[1]


def test_nothing_is_read_without_a_slide(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: pytest.fail("nobody is asked for a file"))
    bench.session.close()
    bench.rules.ask_ids()
    assert [said[:2] for said in bench.told] == [("error", "no slide is open")]


def test_a_list_read_for_a_slide_that_was_left_chooses_nothing(bench: Bench, slow: Slow, qtbot: Any) -> None:
    bench.rules.take_ids(bench.folder / "ids.txt")
    bench.rules.drop()
    slow.let.set()
    qtbot.waitUntil(lambda: slow.thread != "", timeout=WAIT_MS)
    qtbot.wait(50)
    assert bench.spots == []
    assert [said[0] for said in bench.told] == ["info"]
