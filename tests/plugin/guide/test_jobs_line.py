"""The line about jobs while several run, and while one of them is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QObject, Signal

from napari_c2lst.plugin.guide.jobs_line import JobsLine


class Job(QObject):
    progress = Signal(int, int, str)

    def __init__(self, task: str, label: str = "") -> None:
        super().__init__()
        self.task, self.label = task, label or task


class Desk(QObject):
    started = Signal(object)
    ended = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.active: list[Job] = []

    def running(self) -> list[Job]:
        return self.active

    def begin(self, task: str, label: str = "") -> Job:
        job = Job(task, label)
        self.active.append(job)
        self.started.emit(job)
        return job

    def end(self, job: Job) -> None:
        self.active.remove(job)
        self.ended.emit(job)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def line(desk: Desk, qtbot: Any) -> JobsLine:
    made = JobsLine(desk)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.heard = []  # type: ignore[attr-defined]
    made.asked.connect(made.heard.append)  # type: ignore[attr-defined]
    return made


def test_a_job_elsewhere_is_shown_beside_one_that_is_looked_at(line: Any, desk: Desk) -> None:
    line.look_at("train")
    desk.begin("adapt", "Adapt B4")
    desk.begin("train", "Train B4")
    assert line.text.text() == "Adapt B4"  # training shows itself in its panel
    line.button.click()
    assert line.heard == ["adapt"]
    line.look_at("adapt")
    assert line.text.text() == "Train B4"
    line.button.click()
    assert line.heard == ["adapt", "train"]


def test_all_of_them_where_none_is_looked_at(line: Any, desk: Desk) -> None:
    line.look_at("open")
    jobs = [desk.begin("adapt"), desk.begin("predict"), desk.begin("evaluate")]
    assert line.text.text() == "evaluate and 2 more"
    desk.end(jobs[2])
    assert line.text.text() == "predict and 1 more"
    desk.end(jobs[0])
    assert line.text.text() == "predict"
    desk.end(jobs[1])
    assert line.isHidden()


def test_the_bar_is_that_of_the_job_whose_name_is_read(line: Any, desk: Desk) -> None:
    adapt = desk.begin("adapt")
    adapt.progress.emit(3, 10, "steps")
    train = desk.begin("train")
    assert line.bar.maximum() == 0  # it has not said how far it is
    adapt.progress.emit(4, 10, "steps")
    assert line.bar.maximum() == 0
    train.progress.emit(1, 5, "epochs")
    assert (line.bar.value(), line.bar.maximum(), line.bar.toolTip()) == (1, 5, "1 of 5 epochs")
    desk.end(train)
    adapt.progress.emit(5, 10, "steps")
    assert (line.bar.value(), line.bar.toolTip()) == (5, "5 of 10 steps")


def test_the_only_job_keeps_its_count_while_it_is_looked_at(line: Any, desk: Desk) -> None:
    job = desk.begin("adapt")
    job.progress.emit(3, 10, "steps")
    line.look_at("adapt")
    assert line.isHidden()
    job.progress.emit(6, 10, "steps")
    line.look_at("open")
    assert (line.isHidden(), line.bar.value()) == (False, 6)


@pytest.mark.parametrize(
    ("done", "total", "tip"), [(12, 0, "12 tiles"), (1200, 30000, "1,200 of 30,000 tiles"), (3, -1, "3 tiles")]
)
def test_a_total_that_is_not_known_is_not_said(line: Any, desk: Desk, done: int, total: int, tip: str) -> None:
    desk.begin("predict").progress.emit(done, total, "tiles")
    assert line.bar.toolTip() == tip
    assert line.bar.maximum() == max(total, 0)


def test_a_line_that_comes_while_a_job_runs_shows_it(desk: Desk, qtbot: Any) -> None:
    job = desk.begin("sample", "Sample <b>B4</b> & B5")
    late = JobsLine(desk)  # type: ignore[arg-type]
    qtbot.addWidget(late)
    assert not late.isHidden()
    assert late.text.text() == "Sample <b>B4</b> & B5"
    assert late.text.textFormat().name == "PlainText"
    job.progress.emit(1, 2, "patches")
    assert late.bar.value() == 1


def test_a_line_that_is_gone_hears_no_job(desk: Desk, qtbot: Any) -> None:
    job = desk.begin("adapt")
    gone = JobsLine(desk)  # type: ignore[arg-type]
    with qtbot.waitSignal(gone.destroyed):
        gone.deleteLater()
    with qtbot.captureExceptions() as raised:
        job.progress.emit(1, 2, "steps")
        desk.end(job)
    assert raised == []
