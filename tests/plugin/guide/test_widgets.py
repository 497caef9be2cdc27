from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QApplication

from napari_c2lst.plugin.guide.bar import StepBar, mark
from napari_c2lst.plugin.guide.jobs_line import JobsLine
from napari_c2lst.plugin.guide.messages import MessageArea
from napari_c2lst.plugin.guide.standing import Standing
from napari_c2lst.plugin.guide.steps import STEPS
from napari_c2lst.plugin.session import Session

STATES = ("done", "next", "running", "stopped", "ready", "waiting")


class Job(QObject):
    progress = Signal(int, int, str)
    logged = Signal(str)

    def __init__(self, task: str) -> None:
        super().__init__()
        self.task = self.label = task
        self.log = ["step 1", "step 2"]


class Desk(QObject):
    started = Signal(object)
    ended = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []
        self.active: list[Job] = []

    def running(self) -> list[Job]:
        return self.active


def pixels(state: Any) -> np.ndarray[Any, Any]:
    image = mark(state).pixmap(14, 14).toImage()
    return np.array([[image.pixel(x, y) for x in range(image.width())] for y in range(image.height())])


def test_a_button_for_each_step(qtbot: Any) -> None:
    bar = StepBar()
    qtbot.addWidget(bar)
    chosen: list[str] = []
    bar.chosen.connect(chosen.append)
    qtbot.mouseClick(bar.buttons["train"], Qt.MouseButton.LeftButton)
    assert chosen == ["train"]
    assert bar.buttons["train"].isChecked()
    bar.choose("keep")
    assert chosen == ["train"]
    assert [key for key, button in bar.buttons.items() if button.isChecked()] == ["keep"]
    assert bar.sizeHint().width() <= 400


def test_keys_choose_a_step(qtbot: Any) -> None:
    bar = StepBar()
    qtbot.addWidget(bar)
    bar.show()
    qtbot.waitExposed(bar)
    bar.activateWindow()
    bar.buttons["open"].setFocus()
    qtbot.waitUntil(lambda: bar.buttons["open"].hasFocus())
    with qtbot.waitSignal(bar.chosen) as seen:
        qtbot.keyClick(bar, Qt.Key.Key_6, Qt.KeyboardModifier.AltModifier)
    assert seen.args == ["predict"]
    bar.buttons["predict"].setFocus()
    with qtbot.waitSignal(bar.chosen) as seen:
        qtbot.keyClick(bar.buttons["predict"], Qt.Key.Key_Right)
    assert seen.args == ["cells"]
    with qtbot.waitSignal(bar.chosen) as seen:
        qtbot.keyClick(bar, Qt.Key.Key_0, Qt.KeyboardModifier.AltModifier)
    assert seen.args == ["keep"]


def test_marks_differ_in_shape_not_only_in_colour(qtbot: Any) -> None:
    drawn = {state: pixels(state) != 0 for state in STATES}
    for i, one in enumerate(STATES):
        for other in STATES[i + 1 :]:
            assert (drawn[one] != drawn[other]).mean() > 0.02, (one, other)


def test_a_screen_reader_is_told_the_state(qtbot: Any) -> None:
    bar = StepBar()
    qtbot.addWidget(bar)
    bar.show_standings([Standing(step, "done", "all there") for step in STEPS])
    assert bar.buttons["adapt"].accessibleName() == "Step 3, Adapt: done"
    assert bar.buttons["adapt"].accessibleDescription() == "all there"
    assert "Alt+3" in bar.buttons["adapt"].toolTip()


def test_the_jobs_line_is_hidden_while_nothing_runs(qtbot: Any) -> None:
    desk = Desk()
    line = JobsLine(desk)  # type: ignore[arg-type]
    qtbot.addWidget(line)
    assert line.isHidden()
    job = Job("adapt")
    desk.active.append(job)
    desk.started.emit(job)
    assert not line.isHidden()
    assert line.text.text() == "adapt"
    assert (line.bar.minimum(), line.bar.maximum()) == (0, 0)
    job.progress.emit(3, 10, "steps")
    assert (line.bar.value(), line.bar.maximum()) == (3, 10)
    with qtbot.waitSignal(line.asked) as seen:
        line.button.click()
    assert seen.args == ["adapt"]
    line.look_at("adapt")
    assert line.isHidden()  # the panel shows its job itself
    line.look_at("open")
    assert not line.isHidden()
    desk.active.append(Job("train"))
    desk.started.emit(desk.active[-1])
    assert line.text.text() == "train and 1 more"
    desk.active.clear()
    desk.ended.emit(job)
    assert line.isHidden()
    job.progress.emit(5, 10, "steps")  # nobody listens any more
    assert line.bar.value() != 5
    line.let_go()
    desk.active.append(job)
    desk.started.emit(job)
    assert line.isHidden()


def test_a_job_without_a_step_leads_nowhere(qtbot: Any) -> None:
    desk = Desk()
    desk.active.append(Job("convert"))
    line = JobsLine(desk)  # type: ignore[arg-type]
    qtbot.addWidget(line)
    with qtbot.assertNotEmitted(line.asked):
        line.button.click()


@pytest.fixture
def area(qtbot: Any) -> MessageArea:
    shared = SimpleNamespace(session=Session(), jobs=Desk())
    area = MessageArea(shared, lambda message: message.startswith("the panel says"))  # type: ignore[arg-type]
    area.shared = shared  # type: ignore[attr-defined]
    qtbot.addWidget(area)
    return area


def tell(area: Any, *said: str) -> None:
    area.shared.session.tell(*said)
    QApplication.processEvents()


def test_the_newest_message_is_shown_until_it_is_put_away(area: Any) -> None:
    assert area.bar.isHidden()
    tell(area, "error", "no such path: '/x'", "check it")
    tell(area, "warning", "the disk is nearly full")
    assert not area.bar.isHidden()
    assert area.bar.message == "the disk is nearly full"
    area.bar.action.click()
    assert area.bar.isHidden()
    tell(area, "info", "saved")
    tell(area, "error", "the panel says this itself")
    assert area.bar.isHidden()
    area.let_go()
    tell(area, "error", "not heard")
    assert area.bar.isHidden()


def test_details_open_the_log_of_the_last_job(area: Any) -> None:
    area.show_log()  # nothing to show is no error
    tell(area, "error", "it broke")
    assert area.bar.details.isHidden()
    area.shared.jobs.jobs.append(Job("adapt"))
    tell(area, "error", "it broke")
    assert not area.bar.details.isHidden()
    area.bar.details.click()
    (window,) = [child for child in area.children() if type(child).__name__ == "LogWindow"]
    assert "step 2" in window.text.toPlainText()
    window.close()
