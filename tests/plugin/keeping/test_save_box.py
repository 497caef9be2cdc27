"""Saving at the wrong moment: twice, while jobs write, with another slide opened meanwhile; copies with their sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QObject, Signal

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.jobs.desk import JobDesk
from napari_c2lst.plugin.keeping import save_box as saving_box
from napari_c2lst.plugin.keeping.save_box import SaveBox
from napari_c2lst.plugin.keeping.saving import plan_of
from napari_c2lst.plugin.keeping.view import SavedView
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet

IDS = np.array(["a", "b", "c"])


def a_set(name: str, number: int = 1) -> SpotSet:
    return SpotSet.of(name, IDS, np.arange(3) < number, {})


class Job(QObject):
    finished, failed = Signal(dict), Signal(dict)


class Desk(QObject):
    """Jobs in name only."""

    writers, refuse_while_writing = JobDesk.writers, JobDesk.refuse_while_writing  # the rule itself

    started, ended = Signal(object), Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[str, dict[str, Any], str]] = []
        self.job = Job()
        self.at_work: list[Any] = []

    def start(self, task: str, settings: dict[str, Any], label: str) -> Job:
        self.made.append((task, settings, label))
        return self.job

    def running(self) -> list[Any]:
        return self.at_work


class Bench:
    def __init__(self, make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch) -> None:
        self.make_slide = make_slide
        self.session, self.desk = Session(), Desk()
        self.saved: list[tuple[str, list[str]]] = []
        self.copied: list[tuple[Path, dict[str, Any], list[str]]] = []
        self.fails: InputError | None = None
        monkeypatch.setattr(saving_box, "save", self.save)
        monkeypatch.setattr(saving_box, "open_and_store", self.open_and_store)
        monkeypatch.setattr(saving_box, "view_of", lambda *_: SavedView())
        self.open("P12.zarr")
        canvas = SimpleNamespace(viewer=None)
        shared: Any = SimpleNamespace(session=self.session, jobs=self.desk, canvas=canvas)
        self.box = SaveBox(shared)
        self.box.agree = lambda question: pytest.fail(f"nothing was to be asked: {question}")
        self.told: list[tuple[str, str, str]] = []
        self.session.told.connect(lambda *said: self.told.append(said))

    def open(self, path: str, **changes: Any) -> Slide:
        sdata = SimpleNamespace(tables={})
        slide = self.make_slide(**{"path": Path(path), "name": Path(path).stem, "sdata": sdata, **changes})
        self.session.open(slide)
        return slide

    def put(self, *sets: SpotSet) -> None:
        self.session.sets = {each.name: each for each in sets}
        self.session.sets_changed.emit()

    def save(self, slide: Slide, plan: Any, view: Any, *, replace: bool) -> list[str]:
        if self.fails is not None:
            raise self.fails
        written = [f"c2lst_set_{each.name}" for each in (*plan.new, *plan.changed)]
        self.saved.append((slide.path.name, written))
        return [*written, "c2lst_view"]

    def open_and_store(self, path: Path, opening: dict[str, Any], sets: list[SpotSet]) -> None:
        if self.fails is not None:
            raise self.fails
        self.copied.append((path, opening, [each.name for each in sets]))


@pytest.fixture
def bench(qtbot: Any, make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(make_slide, monkeypatch)
    qtbot.addWidget(made.box)
    return made


def done(bench: Bench, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not bench.box._work.awaited and not bench.box._copying.awaited, timeout=10_000)


def test_saved_once_however_often_it_is_asked_for(bench: Bench, qtbot: Any) -> None:
    bench.put(a_set("train"))
    bench.box.save()
    bench.session.sets_changed.emit()  # something else changes: the button stays off
    assert not bench.box.save_button.isEnabled()
    bench.box.save()
    assert bench.told[-1] == ("error", "the slide is being saved", "try again in a moment")
    done(bench, qtbot)
    assert bench.saved == [("P12.zarr", ["c2lst_set_train"])]
    assert bench.told[-1] == ("info", "saved into 'P12.zarr': set train, view", "")
    assert bench.box.save_button.isEnabled()


@pytest.mark.parametrize("task", ["predict", "select", "cells"])
def test_nothing_is_saved_beside_a_job_that_writes_also_not_by_key(bench: Bench, task: str) -> None:
    bench.desk.at_work = [SimpleNamespace(task=task, label="Find cells")]
    bench.desk.started.emit(None)
    assert not bench.box.save_button.isEnabled()
    assert "save when it has ended" in bench.box.state.text()
    bench.box.save()
    assert bench.told[-1] == ("error", "Find cells is writing into the slide", "save when it has ended")
    assert bench.saved == []
    bench.desk.at_work = [SimpleNamespace(task="train", label="Train")]
    bench.desk.ended.emit(None)
    assert bench.box.save_button.isEnabled()


def test_a_slide_opened_while_the_user_was_asked_gets_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    slide: Any = bench.session.slide
    monkeypatch.setattr("napari_c2lst.slides.spots.spotsets.read_spot_set", lambda _slide, name: a_set(name, 2))
    slide.sdata.tables["c2lst_set_train"] = None
    bench.put(a_set("train"))
    bench.box.agree = lambda question: bench.open("other.zarr") is not None
    bench.box.save()
    assert bench.told[-1][:2] == ("error", "'P12' is not open any more: nothing was saved")
    assert bench.saved == []


def test_a_slide_that_is_closed_while_it_is_saved(bench: Bench, qtbot: Any) -> None:
    bench.put(a_set("train"))
    bench.box.save()
    bench.session.close()
    done(bench, qtbot)
    assert bench.told[-1][1].startswith("saved into 'P12.zarr'")
    assert bench.session.slide is None
    assert bench.box.state.text() == "No slide is open."
    assert not bench.box.save_button.isEnabled()


def test_a_full_disk_is_said_and_it_can_be_tried_again(bench: Bench, qtbot: Any) -> None:
    bench.put(a_set("train"))
    bench.fails = InputError("the disk is full: 'P12.zarr' was not written", "free some space")
    bench.box.save()
    done(bench, qtbot)
    assert bench.told[-1] == ("error", "the disk is full: 'P12.zarr' was not written", "free some space")
    assert bench.box.save_button.isEnabled()
    assert "new: train" in bench.box.state.text()


def test_what_is_no_store_says_how_to_make_it_one(bench: Bench) -> None:
    bench.open("raw.svs", is_zarr=False)
    assert not bench.box.save_button.isEnabled()
    assert bench.box.copy_button.isEnabled()
    bench.box.save()
    level, message, hint = bench.told[-1]
    assert level == "error"
    assert "not a SpatialData store" in message
    assert "Save a copy" in hint


def test_a_copy_holds_the_sets_that_were_chosen_by_hand(bench: Bench, qtbot: Any, tmp_path: Path) -> None:
    """It is what the panel Spots says to do for a slide that is no store."""
    bench.open("raw.svs", is_zarr=False)
    bench.session.opening = {"mpp": 0.5, "image": "he"}
    bench.put(a_set("train"), a_set("edge", 2))
    bench.box.save_copy(tmp_path / "copy.zarr")
    assert bench.desk.made[0][0] == "convert"
    bench.put()  # what comes later is not in it
    bench.desk.job.finished.emit({"result": {"store": str(tmp_path / "copy.zarr")}})
    done(bench, qtbot)
    assert bench.copied == [(tmp_path / "copy.zarr", {"mpp": 0.5}, ["train", "edge"])]
    assert bench.told[-1] == ("info", f"saved a copy: '{tmp_path / 'copy.zarr'}'", "open it from the step Open")


def test_a_copy_without_its_sets_says_so(bench: Bench, qtbot: Any, tmp_path: Path) -> None:
    bench.put(a_set("train"))
    bench.fails = InputError("the disk is full", "free some space")
    bench.box.save_copy(tmp_path / "copy.zarr")
    bench.desk.job.finished.emit({"result": {"store": str(tmp_path / "copy.zarr")}})
    done(bench, qtbot)
    assert bench.told[-1][0] == "error"
    assert bench.told[-1][1].endswith("lacks the sets of spots: the disk is full")


def test_a_copy_of_a_slide_without_sets_is_opened_by_nobody(bench: Bench, tmp_path: Path) -> None:
    bench.box.save_copy(tmp_path / "copy.zarr")
    bench.desk.job.finished.emit({"result": {"store": str(tmp_path / "copy.zarr")}})
    assert (bench.copied, bench.told[-1][0]) == ([], "info")
    bench.box.save_copy(tmp_path / "copy.zarr")
    bench.desk.job.failed.emit({"message": "is there already", "hint": "choose another name"})
    assert bench.told[-1] == ("error", "is there already", "choose another name")


@pytest.mark.parametrize(
    ("typed", "name"), [("", None), ("copy", "copy.zarr"), ("copy.zarr", "copy.zarr"), ("copy.v2", "copy.v2.zarr")]
)
def test_the_name_of_a_copy(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, name: str | None
) -> None:
    answer = (str(tmp_path / typed) if typed else "", "")
    monkeypatch.setattr(saving_box.QFileDialog, "getSaveFileName", lambda *_: answer)
    bench.box.copy_button.click()
    assert [Path(settings["out"]).name for _, settings, _ in bench.desk.made] == ([name] if name else [])


def test_a_stored_set_that_cannot_be_read_is_another_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not keep the others from being saved, and is not replaced unasked."""

    def unreadable(_slide: Any, name: str) -> SpotSet:
        if name == "odd":
            raise InputError("of a later version")
        return a_set(name)

    monkeypatch.setattr("napari_c2lst.slides.spots.spotsets.read_spot_set", unreadable)
    slide: Any = bench.session.slide
    slide.sdata.tables |= {"c2lst_set_odd": None, "c2lst_set_train": None}
    bench.put(a_set("train"), a_set("new"))
    assert plan_of(bench.session).words == "new: new"
    bench.put(a_set("odd"))
    assert "'odd'" in plan_of(bench.session).question


def test_what_is_in_the_slide_is_said_as_users_know_it(bench: Bench) -> None:
    slide: Any = bench.session.slide
    slide.sdata.tables |= {"c2lst_spots_both": None, "c2lst_grid_both_table": None, "table": None}
    bench.box.renew()
    lines = bench.box.state.text().splitlines()
    assert lines[0] == "P12.zarr"
    assert lines[1] == "Spot sets: none"
    assert lines[2] == "Predictions: both, both (grid)"
    assert lines[3].startswith("Models and scores, in P12_c2lst: none")
