"""Keeping sets when things go wrong: full disks, slides that are closed meanwhile, dialogs that stay open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_c2lst.common.errors import InputError, RunFailure
from napari_c2lst.plugin.jobs.desk import JobDesk
from napari_c2lst.plugin.selecting import keeper as keeping
from napari_c2lst.plugin.selecting.choice import Choice, How, Step
from napari_c2lst.plugin.selecting.keeper import Keeper, told_of
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide, Spots
from napari_c2lst.slides.spots.spotsets import PREFIX, SpotSet

NUMBER = 20
IDS = np.array([f"s{i}" for i in range(NUMBER)])
YX = np.array([[20.0 * i, 20.0 * i] for i in range(NUMBER)])


class Store:
    """What a slide's SpatialData says of its tables: sets by name, and nothing else."""

    def __init__(self) -> None:
        self.tables: dict[str, SpotSet] = {}


class Job(QObject):
    """A conversion that ends when the test says so."""

    ended = Signal()

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self.settings, self.state, self.last = settings, "running", {}

    def end(self, state: str, **last: Any) -> None:
        self.state, self.last = state, last
        self.ended.emit()


class Desk:
    """Jobs that are running, in name only."""

    writers, refuse_while_writing = JobDesk.writers, JobDesk.refuse_while_writing  # the rule itself

    def __init__(self) -> None:
        self.made: list[Job] = []
        self.under_way: list[Path] = []
        self.filling: dict[Path, Any] = {}
        self.labels: list[tuple[str, str]] = []

    def start(self, task: str, settings: dict[str, Any], label: str) -> Job:
        self.made.append(Job(settings))
        return self.made[-1]

    def refuse_twice(self, out: Path) -> None:
        if out in self.under_way:
            raise InputError(f"'{out.name}' is being made already", "wait")

    def running(self) -> list[Any]:
        return [type("Running", (), {"task": task, "label": label})() for task, label in self.labels]


class Bench:
    """A keeper whose store is a dictionary."""

    def __init__(self, slide_of: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch) -> None:
        self.slide_of = slide_of
        self.session, self.desk = Session(), Desk()
        self.fails: InputError | None = None
        for name in ("store_set", "delete_set", "open_and_store"):
            monkeypatch.setattr(keeping.storing, name, getattr(self, name))
        monkeypatch.setattr("napari_c2lst.slides.spots.spotsets.read_spot_set", lambda s, n: s.sdata.tables[PREFIX + n])
        self.open("P12.zarr")
        self.widget = QWidget()
        shared: Any = type("Shared", (), {"session": self.session, "jobs": self.desk})()
        self.keeper = Keeper(shared, self.widget)
        self.keeper.agree = lambda question: pytest.fail(f"nothing was to be asked: {question}")
        self.told: list[tuple[str, str, str]] = []
        self.keeper.told.connect(lambda *said: self.told.append(said))

    def open(self, path: str, **changes: Any) -> Slide:
        slide = self.slide_of(path=Path(path), sdata=Store(), spots=Spots(IDS, YX, 20.0), **changes)
        self.session.open(slide)
        return slide

    def choice(self, number: int) -> Choice:
        choice = Choice(NUMBER)
        choice.apply(Step(How.ADD, np.arange(NUMBER) < number, "lasso"))
        return choice

    def answer(self, yes: bool, meanwhile: Callable[[], Any] | None = None) -> list[str]:
        """Answer questions; something may happen while the dialog is open."""
        asked: list[str] = []

        def agree(question: str) -> bool:
            asked.append(question)
            if meanwhile is not None:
                meanwhile()
            return yes

        self.keeper.agree = agree
        return asked

    # what the keeper does in threads

    def store_set(self, slide: Any, spots: SpotSet, *, replace: bool, instead_of: str = "") -> Any:
        if self.fails is not None:
            raise self.fails
        slide.sdata.tables[PREFIX + spots.name] = spots
        if instead_of:
            slide.sdata.tables.pop(PREFIX + instead_of)
        return slide

    def delete_set(self, slide: Any, name: str) -> Any:
        if self.fails is not None:
            raise self.fails
        slide.sdata.tables.pop(PREFIX + name)
        return slide

    def open_and_store(self, path: Path, opening: Any, sets: Any) -> Any:
        made: Any = self.slide_of(path=path, sdata=Store(), spots=Spots(IDS, YX, 20.0))
        made.sdata.tables = {PREFIX + each.name: each for each in sets}
        self.made = made
        return made


@pytest.fixture
def bench(qtbot: Any, make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(make_slide, monkeypatch)
    qtbot.addWidget(made.widget)
    return made


def done(bench: Bench, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not bench.keeper._work.awaited, timeout=10_000)


def stored(slide: Any) -> list[str]:
    return sorted(name.removeprefix(PREFIX) for name in slide.sdata.tables)


def kept(bench: Bench, qtbot: Any, name: str = "train", number: int = 9) -> None:
    assert bench.keeper.keep(bench.choice(number), name)
    done(bench, qtbot)


def test_a_set_is_there_at_once_and_in_the_slide_soon(bench: Bench, qtbot: Any) -> None:
    busy: list[bool] = []
    bench.keeper.busy.connect(busy.append)
    bench.keeper.keep(bench.choice(9), "train")
    assert list(bench.session.sets) == ["train"]
    done(bench, qtbot)
    assert stored(bench.session.slide) == ["train"]
    assert bench.told[-1] == ("success", "saved 'train' in 'P12.zarr'", "")
    assert busy == [True, False]


@pytest.mark.parametrize("name", ["", " ", "my set", "a/b", "..", "Ä", "a" * 65, "c2lst:x"])
def test_odd_names_are_refused_before_anything_is_kept(bench: Bench, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a spot set"):
        bench.keeper.keep(bench.choice(9), name)
    assert bench.session.sets == {}


def test_a_disk_that_is_full_keeps_the_set_in_the_window(bench: Bench, qtbot: Any) -> None:
    bench.fails = InputError("the disk is full", "free some space")
    kept(bench, qtbot)
    assert bench.told[-1] == ("error", "the disk is full", "free some space")
    assert list(bench.session.sets) == ["train"]
    assert stored(bench.session.slide) == []
    bench.fails = None  # and it can be saved once there is room, without a question
    kept(bench, qtbot)
    assert stored(bench.session.slide) == ["train"]


def test_a_rename_that_fails_leaves_the_name_the_slide_has(bench: Bench, qtbot: Any) -> None:
    kept(bench, qtbot, "a")
    kept(bench, qtbot, "b", 10)
    bench.fails = InputError("no permission to write 'P12.zarr'", "choose another folder")
    bench.keeper.rename("a", "c")
    assert list(bench.session.sets) == ["c", "b"]
    done(bench, qtbot)
    assert list(bench.session.sets) == ["a", "b"]
    assert bench.session.sets["a"].name == "a"
    assert stored(bench.session.slide) == ["a", "b"]
    assert bench.told[-1][0] == "error"


def test_a_set_that_is_not_stored_is_renamed_in_the_window_alone(bench: Bench, qtbot: Any) -> None:
    bench.session.sets = {"a": SpotSet.of("a", IDS, np.arange(NUMBER) < 9, {})}
    bench.keeper.rename("a", "a")
    bench.keeper.rename("a", "b")
    assert not bench.keeper._work.awaited
    assert [(name, each.name) for name, each in bench.session.sets.items()] == [("b", "b")]
    assert stored(bench.session.slide) == []


def test_names_that_are_taken_also_in_the_slide_alone(bench: Bench, qtbot: Any) -> None:
    kept(bench, qtbot, "a")
    slide: Any = bench.session.slide
    slide.sdata.tables[PREFIX + "hidden"] = bench.session.sets["a"]
    with pytest.raises(InputError, match="there is a set 'hidden' already"):
        bench.keeper.rename("a", "hidden")
    asked = bench.answer(False)
    assert not bench.keeper.keep(bench.choice(10), "hidden")
    assert asked == ["There is a set 'hidden' already. Replace it by the 10 chosen spots?"]
    assert "hidden" not in bench.session.sets


def test_what_is_gone_meanwhile_is_said_in_a_sentence(bench: Bench) -> None:
    for act in (
        lambda: bench.keeper.rename("gone", "other"),
        lambda: bench.keeper.recolour("gone", "#009e73"),
        lambda: bench.keeper.delete("gone"),
    ):
        with pytest.raises(InputError, match="there is no set 'gone' any more"):
            act()


def test_nothing_is_done_to_a_slide_that_was_opened_while_the_user_was_asked(bench: Bench, qtbot: Any) -> None:
    kept(bench, qtbot)
    first: Any = bench.session.slide
    for act in (lambda: bench.keeper.delete("train"), lambda: bench.keeper.keep(bench.choice(12), "train")):
        bench.session.open(first)
        bench.session.sets = {"train": first.sdata.tables[PREFIX + "train"]}
        bench.answer(True, lambda: bench.open("other.zarr"))
        with pytest.raises(InputError, match="'P12' is not open any more"):
            act()
        assert bench.session.sets == {}
        assert int(first.sdata.tables[PREFIX + "train"].mask.sum()) == 9


def test_deleting_from_one_slide_takes_nothing_from_the_next(bench: Bench, qtbot: Any) -> None:
    kept(bench, qtbot)
    first = bench.session.slide
    bench.answer(True)
    bench.keeper.delete("train")
    other: Any = bench.open("other.zarr")
    other.sdata.tables[PREFIX + "train"] = SpotSet.of("train", IDS, np.arange(NUMBER) < 15, {})
    bench.session.open(other)
    done(bench, qtbot)
    assert stored(first) == []
    assert int(bench.session.sets["train"].mask.sum()) == 15


def test_a_slide_that_was_opened_anew_meanwhile_is_still_the_same(bench: Bench, qtbot: Any) -> None:
    kept(bench, qtbot)
    bench.answer(True)
    bench.keeper.delete("train")
    bench.open("P12.zarr")
    bench.session.sets = {"train": SpotSet.of("train", IDS, np.arange(NUMBER) < 9, {})}
    done(bench, qtbot)
    assert bench.session.sets == {}


def test_a_set_cannot_be_deleted_from_a_disk_that_refuses(bench: Bench, qtbot: Any) -> None:
    kept(bench, qtbot)
    bench.answer(True)
    bench.fails = InputError("no permission to write 'P12.zarr'", "choose another folder")
    bench.keeper.delete("train")
    done(bench, qtbot)
    assert list(bench.session.sets) == stored(bench.session.slide) == ["train"]
    assert bench.told[-1][:2] == ("error", "no permission to write 'P12.zarr'")


@pytest.mark.parametrize("task", ["predict", "select", "cells"])
def test_nothing_is_written_beside_a_job_that_writes(bench: Bench, qtbot: Any, task: str) -> None:
    bench.desk.labels = [(task, "Find cells of P12")]
    with pytest.raises(InputError, match="Find cells of P12 is writing into the slide"):
        bench.keeper.keep(bench.choice(9), "train")
    bench.desk.labels = [("train", "Train"), ("evaluate", "Judge")]
    kept(bench, qtbot)


def test_two_things_are_not_written_at_once(bench: Bench, qtbot: Any) -> None:
    bench.keeper.keep(bench.choice(9), "a")
    for act in (
        lambda: bench.keeper.keep(bench.choice(9), "b"),
        lambda: bench.keeper.rename("a", "b"),
        lambda: bench.keeper.recolour("a", "#009e73"),
        lambda: bench.keeper.delete("a"),
    ):
        with pytest.raises(InputError, match="another set is being saved"):
            act()
    done(bench, qtbot)
    assert list(bench.session.sets) == ["a"]


def test_a_slide_in_memory_says_that_nothing_is_on_disk(bench: Bench) -> None:
    bench.open("layer", is_zarr=False)
    assert bench.keeper.keep(bench.choice(9), "train")
    level, message, hint = bench.told[-1]
    assert (level, "in memory only" in message) == ("warning", True)
    assert "Save a copy" in hint


class Conversion:
    """A slide that is no store, and is being made one."""

    def __init__(self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keeping, "is_on_disk", lambda slide: True)
        self.bench, self.source = bench, tmp_path / "raw.svs"
        bench.open(str(self.source), is_zarr=False)
        bench.session.opening = {"mpp": 0.5, "image": "other"}
        bench.answer(True)
        bench.keeper.keep(bench.choice(9), "train")
        self.job = bench.desk.made[-1]

    @property
    def out(self) -> Path:
        return Path(self.job.settings["out"])


@pytest.fixture
def conversion(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Conversion:
    return Conversion(bench, tmp_path, monkeypatch)


def test_a_conversion_that_a_step_has_begun_is_not_begun_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "is_on_disk", lambda slide: True)
    bench.open(str(tmp_path / "raw.svs"), is_zarr=False)
    bench.desk.under_way.append(tmp_path / "raw.svs.zarr")
    with pytest.raises(InputError, match=r"'raw\.svs\.zarr' is being made already"):  # before anything is asked
        bench.keeper.keep(bench.choice(9), "train")
    assert bench.desk.made == []
    assert list(bench.session.sets) == ["train"]  # nothing is lost: Save again keeps it


def test_sets_go_into_what_a_slide_is_converted_to(conversion: Conversion, qtbot: Any) -> None:
    bench = conversion.bench
    assert conversion.job.settings["image"] == "other"
    with pytest.raises(InputError, match="the slide is being converted"):
        bench.keeper.keep(bench.choice(10), "b")
    conversion.job.end("finished")
    assert bench.desk.filling[conversion.out].awaited  # nobody else is to say that the store is there already
    done(bench, qtbot)
    assert bench.session.store == conversion.out
    assert bench.session.opening == {"mpp": 0.5}  # its elements have names of their own now
    assert stored(bench.made) == ["train"]
    assert bench.told[-1][0] == "success"


def test_sets_are_not_lost_when_another_slide_is_opened_meanwhile(conversion: Conversion, qtbot: Any) -> None:
    bench = conversion.bench
    other = bench.open("other.zarr")
    conversion.job.end("finished")
    done(bench, qtbot)
    assert stored(bench.made) == ["train"]
    assert bench.session.slide is other
    level, message, hint = bench.told[-1]
    assert (level, hint) == ("warning", f"open '{conversion.out}'")
    assert message == f"saved 'train' in '{conversion.out}'; another slide is open"


@pytest.mark.parametrize(
    ("state", "last", "said"),
    [("failed", {"message": "the disk is full", "hint": "free"}, "the disk is full"), ("stopped", {}, "was stopped")],
)
def test_a_conversion_that_comes_to_nothing_loses_nothing(
    conversion: Conversion, qtbot: Any, state: str, last: dict[str, str], said: str
) -> None:
    bench = conversion.bench
    conversion.job.end(state, **last)
    assert bench.told[-1][0] == "error"
    assert bench.told[-1][1].startswith("the sets are not saved: ")
    assert said in bench.told[-1][1]
    assert list(bench.session.sets) == ["train"]
    bench.keeper.keep(bench.choice(10), "b")  # and the keeper is free again
    assert len(bench.desk.made) == 2


def test_messages_of_errors() -> None:
    assert told_of(RunFailure("what", "do")) == ("what", "do")
    assert told_of(ValueError("what")) == ("what", "")


def test_while_it_is_written_a_set_is_said_to_be_saved_just_now(bench: Bench, qtbot: Any) -> None:
    seen: list[str] = []
    bench.session.sets_changed.connect(lambda: seen.append(bench.session.saving))
    bench.keeper.keep(bench.choice(9), "mine")
    assert seen == ["mine"]
    done(bench, qtbot)
    assert seen[-1] == ""
    bench.keeper.rename("mine", "yours")
    done(bench, qtbot)
    assert "yours" in seen
    assert bench.session.saving == ""


def test_a_write_that_fails_leaves_the_set_unsaved(bench: Bench, qtbot: Any) -> None:
    seen: list[str] = []
    bench.fails = InputError("the disk is full", "make room")
    bench.session.sets_changed.connect(lambda: seen.append(bench.session.saving))
    bench.keeper.keep(bench.choice(9), "mine")
    done(bench, qtbot)
    assert (seen[0], seen[-1]) == ("mine", "")


def test_nobody_has_to_hear_of_the_end(bench: Bench, qtbot: Any) -> None:
    """The dock may be closed while a set is written; another one says afterwards what is true."""
    bench.keeper.keep(bench.choice(9), "mine")
    bench.keeper._work.drop()
    qtbot.waitUntil(lambda: bench.session.saving == "")
