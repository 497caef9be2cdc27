"""What a job shows while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_c2lst.jobs.protocol import Event
from napari_c2lst.plugin.jobs.job import Job
from napari_c2lst.plugin.steps.job_view import JobView


@pytest.fixture
def view(qtbot: Any) -> JobView:
    view = JobView()
    qtbot.addWidget(view)
    return view


@pytest.fixture
def job(view: JobView) -> Job:
    job = Job("adapt", {})
    view.watch(job)
    return job


def say(job: Job, text: str, level: str = "info") -> None:
    job._on_event(Event("message", {"text": text, "level": level}))


def measure(job: Job, step: Any, **values: Any) -> None:
    job._on_event(Event("metrics", {"step": step, "values": values}))


def test_nothing_is_shown_before_there_is_something(view: JobView) -> None:
    assert view.isHidden()
    view.watch(Job("adapt", {}))
    assert not view.isHidden()
    assert view.note.isHidden()
    assert view.curve.isHidden()


def test_a_message_gives_way_to_the_next_one_but_warnings_stay(view: JobView, job: Job) -> None:
    say(job, "preset small on CPU")
    assert view.note.text() == "Preset small on CPU"
    assert not view.note.isHidden()
    say(job, "the image is coarse", "warning")
    assert view.note.text() == "Note: the image is coarse"
    say(job, "reading patches")
    assert view.note.text() == "Note: the image is coarse\nReading patches"
    say(job, "3 spots lie outside", "warning")
    say(job, "training")
    assert view.note.text() == "Note: the image is coarse\nNote: 3 spots lie outside\nTraining"


def test_a_name_with_a_bracket_is_no_markup(view: JobView, job: Job) -> None:
    say(job, "slide <b>P12</b>: reading")
    view.note.adjustSize()
    assert view.note.text() == "Slide <b>P12</b>: reading"
    assert view.note.textFormat() == view.note.textFormat().PlainText


def test_the_loss_is_drawn_once_there_is_one(view: JobView, job: Job) -> None:
    measure(job, 1, learning_rate=0.1)
    assert view.curve.isHidden()
    measure(job, 2, loss=0.5)
    job._on_end(Event("finished", {}))
    assert not view.curve.isHidden()
    assert list(view.curve.losses)[-1] == 0.5


def test_pictures_come_into_the_strip(view: JobView, job: Job, tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 40, 3), 9, np.uint8)).save(tmp_path / "a.png")
    job._on_event(Event("picture", {"path": str(tmp_path / "a.png"), "caption": "step 3"}))
    assert len(view.strip.pictures) == 1
    job._on_event(Event("picture", {"path": str(tmp_path / "gone.png"), "caption": "step 6"}))
    assert len(view.strip.pictures) == 1  # what is no picture is passed over


def test_another_job_starts_from_nothing(view: JobView, job: Job, tmp_path: Path) -> None:
    say(job, "the image is coarse", "warning")
    measure(job, 1, loss=0.5)
    job._on_end(Event("stopped", {}))
    other = Job("adapt", {})
    view.watch(other)
    assert view.note.isHidden()
    assert view.curve.isHidden()
    assert view.strip.pictures == []
    say(other, "reading patches")
    assert view.note.text() == "Reading patches"
    measure(other, 1, loss=0.25)
    other._on_end(Event("finished", {}))
    assert list(view.curve.losses) == [0.25]


@pytest.mark.parametrize(
    ("task", "out", "losses"), [("adapt", "a", [0.5, 0.2]), ("adapt", "b", [0.2]), ("train", "a", [0.2])]
)
def test_a_run_that_goes_on_goes_on_in_its_curve(
    view: JobView, tmp_path: Path, task: str, out: str, losses: list[float]
) -> None:
    first = Job("adapt", {"out": tmp_path / "a"})
    view.watch(first)
    for step, loss in ((1, 0.5), (2, 0.4), (3, 0.3)):
        measure(first, step, loss=loss)
    say(first, "the image is coarse", "warning")
    first._on_end(Event("stopped", {}))
    again = Job(task, {"out": str(tmp_path / out)})
    view.watch(again)
    assert view.note.isHidden()
    assert view.curve.isHidden() == (len(losses) == 1)
    measure(again, 2, loss=0.2)  # the checkpoint was of step 1
    again._on_end(Event("finished", {}))
    assert list(view.curve.losses) == losses
    assert view.curve.steps == [1, 2][-len(losses) :]


def test_what_it_says_reads_as_in_a_window(view: JobView, job: Job) -> None:
    text = "the slide has 0.688 um/px; nuclei are made paler before the network sees them (--density 1 leaves them)"
    say(job, text, "warning")
    assert "0.688 µm/px" in view.note.text()
    assert "--" not in view.note.text()
    assert "set 'Density'" in view.note.text()
    say(job, "pass --where grid")
    assert "'Where'" in view.note.text()
