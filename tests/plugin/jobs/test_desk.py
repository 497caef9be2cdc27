"""The desk starts jobs, tells of their ends, and ends them all when the window closes."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_c2lst.common.errors import InputError
from napari_c2lst.jobs.protocol import Event
from napari_c2lst.plugin.jobs import questions
from napari_c2lst.plugin.jobs.desk import JobDesk
from napari_c2lst.plugin.jobs.job import Job
from napari_c2lst.plugin.jobs.temporary_store import slide_of_array
from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet, write_spot_set

MAY_LOSE = questions.may_lose  # the tests of windows do without it
ACTING = Path(__file__).with_name("acting_child.py")


def act(desk: JobDesk, case: str) -> Job:
    desk.command = [sys.executable, str(ACTING), case]
    return desk.start("adapt", {"steps": 3}, f"Adapt ({case})")


def test_tells_of_start_and_end(qtbot: Any, desk: JobDesk) -> None:
    heard: list[tuple[str, Job]] = []
    new: list[int] = []
    desk.started.connect(lambda job: heard.append(("started", job)))
    desk.ended.connect(lambda job: heard.append(("ended", job)))
    desk.session.results_changed.connect(lambda: new.append(1))
    job = act(desk, "success")
    assert desk.running() == [job]
    with qtbot.waitSignal(job.ended, timeout=60_000):
        pass
    assert heard == [("started", job), ("ended", job)]
    assert desk.running() == []
    assert desk.jobs == [job]
    assert new == [1]


def test_a_failure_changes_no_results(qtbot: Any, desk: JobDesk) -> None:
    new: list[int] = []
    desk.session.results_changed.connect(lambda: new.append(1))
    job = act(desk, "bad_input")
    with qtbot.waitSignal(job.ended, timeout=60_000):
        pass
    assert job.state == "failed"
    assert new == []


def test_two_jobs_at_once_end_on_their_own(qtbot: Any, desk: JobDesk) -> None:
    jobs = [act(desk, "success"), act(desk, "crash")]
    qtbot.waitUntil(lambda: not desk.running(), timeout=60_000)
    assert [job.state for job in jobs] == ["finished", "failed"]


def test_a_slow_stop_offers_to_kill(qtbot: Any, desk: JobDesk) -> None:
    job = act(desk, "deaf")
    with qtbot.waitSignal(job.metrics, timeout=60_000):
        pass
    with qtbot.waitSignal(job.stop_is_slow, timeout=10_000):
        job.stop()
    assert job.state == "stopping"
    with qtbot.waitSignal(job.stopped, timeout=10_000):
        job.kill()


def test_closing_stops_what_listens_and_kills_what_does_not(qtbot: Any, desk: JobDesk) -> None:
    patient, deaf = act(desk, "patient"), act(desk, "deaf")
    qtbot.waitUntil(lambda: patient.state == deaf.state == "running", timeout=60_000)
    processes = [psutil.Process(job.pid) for job in (patient, deaf)]
    desk.close()
    assert not desk.running()
    assert patient.last["checkpoint"] == "x"
    assert deaf.last["checkpoint"] is None
    assert not any(process.is_running() for process in processes)


def answer(button: str) -> None:
    """Press a button of the question that is about to come up."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        assert "Adapt" in box.text()
        assert "checkpoint" in box.informativeText()
        next(each for each in box.buttons() if each.text().replace("&", "") == button).click()

    QTimer.singleShot(200, press)


@pytest.mark.parametrize(("button", "closes"), [("Stop and close", True), ("Keep running", False)])
def test_closing_asks_while_a_job_runs(qtbot: Any, desk: JobDesk, button: str, closes: bool) -> None:
    act(desk, "patient")
    answer(button)
    assert desk.confirm_close() is closes
    assert len(desk.running()) == 1  # asking alone stops nothing


def test_closing_does_not_ask_when_nothing_runs(desk: JobDesk) -> None:
    assert desk.confirm_close()


def temporary_slide(desk: JobDesk) -> Path:
    """A slide that was in memory, with predictions."""
    pixels = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    store = desk.temporary.write(slide_of_array(pixels, 0.5, "layer"))
    (store / "tables" / "c2lst_grid_both_table").mkdir(parents=True)
    return store


@pytest.fixture
def loss(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Press a button of the question that is about to come up, and tell what it said."""
    monkeypatch.setattr(questions, "may_lose", MAY_LOSE)

    def expect(button: str) -> list[str]:
        said: list[str] = []

        def press() -> None:
            box = QApplication.activeModalWidget()
            assert isinstance(box, QMessageBox)
            said.extend([box.text(), box.informativeText(), box.defaultButton().text()])
            next(each for each in box.buttons() if each.text().replace("&", "") == button).click()

        QTimer.singleShot(200, press)
        return said

    return expect


@pytest.mark.parametrize(("button", "closes"), [("Close without them", True), ("Stay", False)])
def test_results_that_go_with_the_window_are_asked_about(
    desk: JobDesk, loss: Callable[[str], list[str]], button: str, closes: bool
) -> None:
    assert desk.confirm_loss()  # nothing to lose, nothing asked
    store = temporary_slide(desk)
    said = loss(button)
    assert desk.confirm_loss() is closes
    assert said[0] == "Closing the window loses predictions 'both' of layer."
    assert "Save a copy" in said[1]
    assert "sets" not in said[1]
    assert str(store) in said[1]
    assert said[2] == "Stay"
    assert store.is_dir()  # asking alone removes nothing


@pytest.mark.parametrize(("button", "closes"), [("Close without them", True), ("Stay", False)])
def test_sets_that_are_not_saved_are_asked_about(
    desk: JobDesk, store: Path, loss: Callable[[str], list[str]], button: str, closes: bool
) -> None:
    slide = open_slide(store)
    desk.session.open(slide)
    assert desk.confirm_loss()
    ids = slide.require_spots().ids
    desk.session.sets = {"tumour": SpotSet.of("tumour", ids, np.arange(len(ids)) < 20, {"way": "test"})}
    said = loss(button)
    assert desk.confirm_loss() is closes
    assert said[0] == "Closing the window loses set 'tumour' of slide."
    assert said[1] == "Keep > Save saves sets of spots into the slide."
    write_spot_set(slide, desk.session.sets["tumour"])
    assert desk.confirm_loss()


@pytest.mark.parametrize(("case", "kept"), [("success", True), ("crash", False)])
def test_a_copy_keeps_what_was_there_when_it_was_begun(qtbot: Any, desk: JobDesk, case: str, kept: bool) -> None:
    store = temporary_slide(desk)
    desk.command = [sys.executable, str(ACTING), case]
    job = desk.start("convert", {"slide": str(store), "out": "copy.zarr"}, "Save a copy")
    (store / "tables" / "c2lst_cells_later_table").mkdir()
    with qtbot.waitSignal(job.ended, timeout=60_000):
        pass
    lost = ["nuclei 'later'"] if kept else ["nuclei 'later'", "predictions 'both'"]
    assert desk.temporary.only_here() == {store: lost}


def test_temporary_stores_outlive_a_dock_but_not_the_window(desk: JobDesk) -> None:
    store = temporary_slide(desk)
    desk.close()
    assert store.is_dir()
    desk.end()
    assert not store.exists()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample_slide_path(), tmp_path / "slide.zarr"))


def test_what_predict_wrote_is_opened_anew(qtbot: Any, desk: JobDesk, store: Path) -> None:
    desk.session.open(open_slide(store))
    chosen = np.zeros(283, dtype=bool)
    chosen[3] = True
    desk.session.choose(chosen)
    before = desk.session.slide
    other = open_slide(store)
    write_spot_set(other, SpotSet.of("train", other.spots.ids, chosen, {}))  # as another process would
    job = Job("predict", {"slide": store})
    elements = ["c2lst_spots_mine", "c2lst_grid_mine", "c2lst_grid_mine_table", "c2lst_raster_mine_FASN"]
    job._on_end(Event("finished", {"result": {"store": str(store), "elements": elements}}))
    desk._on_end(job)
    qtbot.waitUntil(lambda: desk.session.slide is not before, timeout=60_000)
    assert "train" in desk.session.sets
    assert desk.session.chosen.sum() == 1
    assert desk.session.unseen == {"mine"}


def test_cells_are_no_predictions_to_look_at(
    desk: JobDesk, make_slide: Callable[..., Slide], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # what the job took is noted beside its slide
    desk.session.open(make_slide(path=Path("P12.zarr")))
    for task, slide in (("cells", "P12.zarr"), ("predict", "another.zarr")):
        job = Job(task, {"slide": Path(slide)})
        job._on_end(Event("finished", {"result": {"store": slide, "elements": ["c2lst_spots_a"]}}))
        desk._on_end(job)
        assert desk.session.unseen == set()


@pytest.mark.parametrize("meanwhile", ["another", "none"])
def test_results_open_no_slide_that_the_user_has_left(
    qtbot: Any, desk: JobDesk, make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    path, new = Path("P12.zarr"), []
    monkeypatch.setattr("napari_c2lst.plugin.jobs.desk._open", lambda store, opening: make_slide(path=store))
    desk.session.open(make_slide(path=path), {"mpp": 0.5})
    job = Job("predict", {"slide": path})
    job._on_end(Event("finished", {"result": {"store": str(path)}}))
    desk._on_end(job)
    other = make_slide(path=Path("other.zarr")) if meanwhile == "another" else None
    if other is None:
        desk.session.close()
    else:
        desk.session.open(other, {"mpp": 0.25})
    desk.session.results_changed.connect(lambda: new.append(1))
    qtbot.waitUntil(lambda: bool(new), timeout=10_000)
    assert desk.session.slide is other
    assert desk.session.opening == ({} if other is None else {"mpp": 0.25})


def test_a_slide_that_was_converted_is_opened_by_its_store(
    qtbot: Any, desk: JobDesk, make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def open_it(store: Path, opening: dict[str, Any]) -> Slide:
        asked.append(opening)
        return make_slide(path=store)

    monkeypatch.setattr("napari_c2lst.plugin.jobs.desk._open", open_it)
    desk.session.open(make_slide(path=Path("raw.svs")), {"mpp": 0.5, "image_name": "he"})
    job = Job("predict", {"slide": Path("raw.svs")})
    job._on_end(Event("finished", {"result": {"store": "raw.zarr"}}))
    desk._on_end(job)
    qtbot.waitUntil(lambda: desk.session.slide.path == Path("raw.zarr"), timeout=10_000)
    assert asked == [{"mpp": 0.5}]
    assert desk.session.opening == {"mpp": 0.5}


def test_a_store_that_cannot_be_opened_is_told(qtbot: Any, desk: JobDesk, store: Path) -> None:
    desk.session.open(open_slide(store))
    told: list[tuple[str, str, str]] = []
    desk.session.told.connect(lambda *values: told.append(values))
    job = Job("predict", {"slide": store})
    job._on_end(Event("finished", {"result": {"store": str(store.with_name("gone.zarr"))}}))
    desk._on_end(job)
    qtbot.waitUntil(lambda: bool(told), timeout=60_000)
    assert told[0][0] == "error"
    assert "gone.zarr" in told[0][1]


def test_a_slide_that_was_opened_in_another_way_meanwhile_is_read_in_that_way(
    qtbot: Any, desk: JobDesk, make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def open_it(store: Path, opening: dict[str, Any]) -> Slide:
        asked.append(dict(opening))
        return make_slide(path=store, name=str(opening["mpp"]))

    monkeypatch.setattr("napari_c2lst.plugin.jobs.desk._open", open_it)
    path = Path("P12.zarr")
    desk.session.open(make_slide(path=path), {"mpp": 0.5})
    job = Job("predict", {"slide": path})
    job._on_end(Event("finished", {"result": {"store": str(path)}}))
    desk._on_end(job)
    desk.session.open(make_slide(path=path), {"mpp": 0.25})  # the size of a pixel was corrected
    qtbot.waitUntil(lambda: desk.session.slide.name == "0.25", timeout=10_000)
    assert asked == [{"mpp": 0.5}, {"mpp": 0.25}]
    assert desk.session.opening == {"mpp": 0.25}


def test_closing_in_the_moment_after_run_starts_no_child(desk: JobDesk) -> None:
    job = act(desk, "patient")
    desk.close()
    assert (job.state, job.pid) == ("stopped", 0)
    assert desk.running() == []


def test_a_store_is_made_by_one_job_at_a_time(desk: JobDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "start", lambda _job: None)
    desk.start("adapt", {"out": tmp_path / "a.zarr"})  # a run folder is another matter: it refuses by itself
    desk.refuse_twice(tmp_path / "a.zarr")
    job = desk.start("convert", {"out": str(tmp_path / "a.zarr")}, "Convert a")
    desk.refuse_twice(tmp_path / "b.zarr")
    with pytest.raises(InputError, match=r"'a\.zarr' is being made already") as refused:
        desk.refuse_twice(tmp_path / "a.zarr")
    assert "“Convert a” has ended" in refused.value.hint
    for each in desk.running():
        each._on_end(Event("stopped", {}))
    assert job.state == "stopped"
    desk.refuse_twice(tmp_path / "a.zarr")


def test_a_store_that_was_just_made_is_busy_until_its_sets_are_in_it(qtbot: Any, desk: JobDesk, tmp_path: Path) -> None:
    store, let = tmp_path / "a.zarr", threading.Event()
    work = Latest()
    desk.filling[store] = work
    desk.refuse_twice(store)
    work.ask(let.wait, 20, done=lambda _: None, failed=lambda *_: None)
    with pytest.raises(InputError, match="the spots are being written into"):
        desk.refuse_twice(store)
    let.set()
    qtbot.waitUntil(lambda: not work.awaited, timeout=20_000)
    desk.refuse_twice(store)


@pytest.mark.parametrize("task", ["predict", "cells", "select"])
def test_one_writes_into_a_slide_at_a_time(qtbot: Any, desk: JobDesk, task: str) -> None:
    act(desk, "patient")  # it adapts, which writes beside the slide
    desk.refuse_while_writing()
    job = desk.start(task, {"steps": 3}, "Predict genes")
    assert desk.writers() == [job]
    with pytest.raises(InputError, match="Predict genes is writing into the slide") as caught:
        desk.refuse_while_writing()
    assert "when it has ended" in caught.value.hint
    job.kill()
    qtbot.waitUntil(lambda: not desk.writers(), timeout=60_000)
    desk.refuse_while_writing()
