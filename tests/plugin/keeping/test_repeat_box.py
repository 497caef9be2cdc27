"""Copying a step: what is offered as work goes on, in which words, and when it cannot be copied."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QGuiApplication

from napari_c2lst.plugin.keeping.repeat_box import RepeatBox
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet

IDS = np.array(["a", "b", "c"])


class Desk(QObject):
    """Jobs in name only."""

    ended = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Any] = []


class Bench:
    def __init__(self, make_slide: Callable[..., Slide], folder: Path) -> None:
        self.session, self.desk, self.store = Session(), Desk(), folder / "P 12.zarr"
        self.open = lambda: self.session.open(make_slide(path=self.store))
        shared: Any = SimpleNamespace(session=self.session, jobs=self.desk)
        self.box = RepeatBox(shared)
        self.told: list[tuple[str, str, str]] = []
        self.session.told.connect(lambda *said: self.told.append(said))
        clipboard = QGuiApplication.clipboard()
        assert clipboard is not None
        self.clipboard = clipboard
        clipboard.setText("before")

    def put(self, name: str, how: dict[str, Any], number: int = 2) -> None:
        self.session.sets = {**self.session.sets, name: SpotSet.of(name, IDS, np.arange(3) < number, how)}
        self.session.sets_changed.emit()

    @property
    def offered(self) -> list[str]:
        return [self.box.steps.itemText(i) for i in range(self.box.steps.count())]

    @property
    def text(self) -> str:
        return self.box.text.toPlainText()


@pytest.fixture
def bench(qtbot: Any, make_slide: Callable[..., Slide], tmp_path: Path) -> Bench:
    made = Bench(make_slide, tmp_path)
    qtbot.addWidget(made.box)
    return made


def test_nothing_is_copied_before_anything_was_done(bench: Bench) -> None:
    assert (bench.offered, bench.text) == (["nothing was done yet"], "")
    assert not bench.box.copy_button.isEnabled()
    bench.box.copy()
    assert (bench.clipboard.text(), bench.told) == ("before", [])


def test_steps_come_as_they_are_done_and_the_chosen_one_stays(bench: Bench) -> None:
    bench.open()
    assert bench.offered == ["Describe the slide: P12"]
    bench.put("train", {"fraction": 0.25, "seed": 0, "split": "random"})
    bench.box.steps.setCurrentIndex(1)
    assert bench.text == f"c2lst select '{bench.store}' --name train --fraction 0.25"
    settings = {"slide": str(bench.store), "predictor": "runs/both"}
    bench.desk.jobs.append(SimpleNamespace(task="predict", label="predict", out=None, settings=settings))
    bench.desk.ended.emit(bench.desk.jobs[0])
    assert bench.offered[-1] == "Predict: predict"
    assert bench.box.steps.currentText() == "Choose spots: train"
    bench.session.sets = {}
    bench.session.sets_changed.emit()
    assert bench.box.steps.currentIndex() == 0  # the step is gone
    bench.session.close()
    assert bench.offered == ["nothing was done yet"]


def test_as_a_command_and_as_python(bench: Bench) -> None:
    bench.open()
    bench.box.copy_button.click()
    assert bench.clipboard.text() == f"c2lst info '{bench.store}'"
    bench.box.as_python.setChecked(True)
    assert bench.box.copy_button.text() == "Copy as Python"
    bench.box.copy_button.click()
    assert bench.clipboard.text() == bench.text
    # a long path has a line of its own
    assert f"c2lst.info('{bench.store}')" in re.sub(r"\(\s+(.*),\s+\)", r"(\1)", bench.text)
    compile(bench.text, "snippet", "exec")
    bench.box.as_command.setChecked(True)
    assert bench.text.startswith("c2lst info")
    assert bench.told == [("info", "copied to the clipboard", "")] * 2


def test_a_choice_by_hand_is_listed_in_a_file_once_it_is_copied(bench: Bench, tmp_path: Path) -> None:
    bench.open()
    bench.put("edge", {"by_hand": ["add lasso"]})
    bench.box.steps.setCurrentIndex(1)
    bench.box.as_python.setChecked(True)
    assert list(tmp_path.iterdir()) == []  # looking at it writes nothing
    bench.box.copy_button.click()
    (listed,) = (tmp_path / "P 12_c2lst" / "choices").iterdir()
    assert listed.read_text() == "a\nb\n"
    assert f"ids={str(listed)!r}," in bench.clipboard.text()  # in one piece, however long it is
    assert bench.told[-1][1].endswith(f"the chosen spots are listed in '{listed}'")


def test_a_list_that_cannot_be_written_leaves_the_clipboard(bench: Bench, tmp_path: Path) -> None:
    """A command that names a file which is not there would fail elsewhere, without a word why."""
    (tmp_path / "P 12_c2lst").write_text("a file where the folder of runs would be")
    bench.open()
    bench.put("edge", {"by_hand": ["add brush"]})
    bench.box.steps.setCurrentIndex(1)
    bench.box.copy_button.click()
    assert bench.clipboard.text() == "before"
    level, message, hint = bench.told[-1]
    assert (level, bool(hint)) == ("error", True)
    assert "P 12_c2lst" in message


def test_what_cannot_be_said_says_why_and_is_not_copied(bench: Bench) -> None:
    bench.open()
    odd = SimpleNamespace(task="adapt", label="adapt", out=None, settings={"slide": "a.zarr", "of a later version": 1})
    bench.desk.jobs.append(odd)
    bench.desk.ended.emit(odd)
    bench.box.steps.setCurrentIndex(1)
    assert "'adapt' has no setting 'of a later version'" in bench.text
    assert not bench.box.copy_button.isEnabled()
    bench.box.steps.setCurrentIndex(0)
    assert bench.box.copy_button.isEnabled()


def test_it_hears_of_nothing_after_its_end(bench: Bench, qtbot: Any, make_slide: Callable[..., Slide]) -> None:
    signals = (bench.session.slide_changed, bench.session.sets_changed, bench.session.results_changed)
    shared: Any = SimpleNamespace(session=bench.session, jobs=bench.desk)
    before = [len(signal) for signal in signals]
    other = RepeatBox(shared)
    assert [len(signal) for signal in signals] == [number + 1 for number in before]
    with qtbot.waitSignal(other.destroyed, timeout=10_000):
        other.deleteLater()
    assert [len(signal) for signal in signals] == before
    bench.open()  # nobody is called who is gone
    bench.desk.ended.emit(None)
