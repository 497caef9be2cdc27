"""The small widgets that show what a job does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QObject
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from napari_c2lst.jobs.protocol import Event
from napari_c2lst.plugin.jobs.job import Job
from napari_c2lst.plugin.parts.device_line import DeviceLine, device_text
from napari_c2lst.plugin.parts.log_window import LogWindow
from napari_c2lst.plugin.parts.loss_curve import LossCurve, ticks
from napari_c2lst.plugin.parts.message_bar import MessageBar
from napari_c2lst.plugin.parts.patch_strip import PatchStrip
from napari_c2lst.plugin.parts.progress import ProgressLine, progress_text
from napari_c2lst.plugin.parts.theme import BLUE, ORANGE, is_dark
from napari_c2lst.plugin.parts.throttled import Throttled
from napari_c2lst.plugin.parts.time_left import TimeLeft


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now

    def after(self, seconds: float) -> None:
        self.now += seconds


def test_time_left_comes_from_what_was_done_lately() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    assert left.feed(500, 1000, "steps") is None  # a resumed run: nothing was done yet
    clock.after(10)
    assert left.feed(510, 1000, "steps") == pytest.approx(490)
    clock.after(1)
    assert left.feed(1000, 1000, "steps") == 0


def test_time_left_begins_anew_with_another_count() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    left.feed(1, 10, "patches")
    clock.after(10)
    assert left.feed(9, 10, "patches") is not None
    assert left.feed(1, 300, "steps") is None
    clock.after(5)
    assert left.feed(2, 300, "steps") == pytest.approx(298 * 5)
    assert left.feed(1, 300, "steps") is None  # it went back: another pass


def test_time_left_forgets_a_slow_start() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    left.feed(0, 1000, "steps")
    clock.after(100)
    for done in range(1, 100):
        clock.after(1)
        last = left.feed(done, 1000, "steps")
    assert last == pytest.approx(901, rel=0.05)


def test_a_total_that_is_not_known() -> None:
    clock = Clock()
    left = TimeLeft(clock)
    left.feed(1, 0)
    clock.after(5)
    assert left.feed(2, 0) is None


def test_throttled_draws_the_latest(qtbot: Any) -> None:
    drawn: list[int] = []
    owner = QObject()
    throttled = Throttled(drawn.append, owner, interval=20)
    for number in range(50):
        throttled.later(number)
    assert drawn == []
    qtbot.waitUntil(lambda: drawn == [49], timeout=5000)
    throttled.later(50)
    throttled.flush()
    throttled.flush()
    assert drawn == [49, 50]
    throttled.later(51)
    throttled.cancel()
    qtbot.wait(60)
    assert drawn == [49, 50]


@pytest.mark.parametrize(
    ("done", "total", "what", "left", "text"),
    [
        (120, 300, "steps", 180.0, "120 of 300 steps, about 3 min left"),
        (1200, 30000, "steps", None, "1,200 of 30,000 steps"),
        (300, 300, "steps", 0.0, "300 of 300 steps"),
        (12, 0, "tiles", None, "12 tiles"),
    ],
)
def test_progress_in_words(done: int, total: int, what: str, left: float | None, text: str) -> None:
    assert progress_text(done, total, what, left) == text


def test_progress_line(qtbot: Any) -> None:
    line = ProgressLine()
    qtbot.addWidget(line)
    line.begin("Starting…")
    assert (line.bar.maximum(), line.text.text()) == (0, "Starting…")
    line.feed(1, 4, "steps")
    line.feed(2, 4, "steps")
    qtbot.waitUntil(lambda: line.bar.value() == 2, timeout=5000)
    assert line.text.text() == "2 of 4 steps"
    line.feed(3, 4, "steps")
    line.end(full=False)
    assert line.bar.value() == 3
    line.begin()
    line.end(full=True)
    assert (line.bar.value(), line.bar.maximum()) == (1, 1)


def test_loss_curve_keeps_every_step_and_draws_few_times(qtbot: Any) -> None:
    curve = LossCurve()
    qtbot.addWidget(curve)
    for step in range(1, 1001):
        curve.feed(step, {"loss": 1.0 / step})
    for values in ({"rate": 0.1}, {"loss": None}, {"loss": float("nan")}):
        curve.feed(1001, values)
    assert len(curve.steps) == 1000
    assert len(curve.plot.x) == 0
    curve.flush()
    assert len(curve.plot.x) == 1000
    assert curve.plot.mean[-1] == pytest.approx(np.mean(1.0 / np.arange(981, 1001)))
    assert "step 1,000" in curve.text.text()
    curve.clear()
    assert curve.text.text() == ""
    assert len(curve.plot.x) == 0


def test_loss_curve_takes_the_task_s_own_mean(qtbot: Any) -> None:
    curve = LossCurve()
    qtbot.addWidget(curve)
    curve.feed(1, {"loss": 1.0, "mean_loss": 0.25})
    assert curve.means == [0.25]


@pytest.mark.parametrize(("text", "ground", "line"), [("white", "#222222", ORANGE), ("black", "#eeeeee", BLUE)])
def test_loss_curve_follows_the_theme(qtbot: Any, text: str, ground: str, line: str) -> None:
    curve = LossCurve()
    qtbot.addWidget(curve)
    curve.setStyleSheet(f"QWidget {{ color: {text}; background: {ground}; }}")
    curve.resize(360, 160)
    for step in (1, 2, 3):
        curve.feed(step, {"loss": 0.5})
    curve.flush()
    curve.show()
    assert is_dark(curve) is (text == "white")
    shown = curve.plot.grab().toImage()
    colours = {shown.pixelColor(x, y).name() for x in range(shown.width()) for y in range(shown.height())}
    assert {line, ground} <= colours


@pytest.mark.parametrize("steps", [1, 2, 5000])
def test_loss_curve_draws_any_number_of_steps(qtbot: Any, steps: int) -> None:
    curve = LossCurve()
    qtbot.addWidget(curve)
    for step in range(steps):
        curve.feed(step, {"loss": 1.0})
    curve.flush()
    assert not curve.grab().isNull()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, [0.0, 0.5, 1.0]), (1, 300, [0, 100, 200, 300]), (0.013, 0.039, [0.01, 0.02, 0.03, 0.04])],
)
def test_ticks_are_round_and_hold_the_values(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize("value", [0.0, 2.5, -1e-9])
def test_ticks_around_one_value(value: float) -> None:
    marks = ticks(value, value)
    assert marks[0] < value < marks[-1]


def picture(path: Path, shade: int = 90) -> str:
    Image.fromarray(np.full((60, 240, 3), shade, np.uint8)).save(path)
    return str(path)


def test_patch_strip(qtbot: Any, tmp_path: Path) -> None:
    strip = PatchStrip()
    qtbot.addWidget(strip)
    assert strip.isHidden()
    strip.feed(str(tmp_path / "nothing.png"), "not there")
    assert strip.isHidden()
    strip.feed(picture(tmp_path / "1.png"), "step 1")
    assert not strip.isHidden()
    assert strip.slider.isHidden()
    strip.feed(picture(tmp_path / "2.png"), "step 2")
    assert strip.caption.text() == "Step 2"
    strip.slider.setValue(0)
    assert strip.caption.text() == "Step 1"
    strip.feed(picture(tmp_path / "3.png"), "step 3")
    assert strip.caption.text() == "Step 1"  # the user looks at an earlier one
    strip.clear()
    assert (strip.pictures, strip.isHidden()) == ([], True)


def test_a_picture_is_as_wide_as_the_panel_at_any_height(qtbot: Any, tmp_path: Path) -> None:
    area, body, strip = QScrollArea(), QWidget(), PatchStrip()
    qtbot.addWidget(area)
    QVBoxLayout(body).addWidget(strip)
    area.setWidget(body)
    area.setWidgetResizable(True)
    strip.feed(picture(tmp_path / "1.png"), "step 1")
    area.show()
    for height in range(60, 200, 2):  # somewhere on the way the scroll bar comes and goes
        area.resize(300, height)
        qtbot.wait(1)
    shown = strip.picture
    qtbot.waitUntil(lambda: abs(shown.height() - shown.width() / 4) <= 6, timeout=5000)
    area.resize(600, 300)
    qtbot.waitUntil(lambda: shown.width() > 500 and abs(shown.height() - shown.width() / 4) <= 6, timeout=5000)


@pytest.mark.parametrize("level", ["info", "warning", "error", "success"])
def test_message_bar(qtbot: Any, level: str) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    assert bar.isHidden()
    bar.show_message(level, "no slide is open", "open one", details=True, action="&End now")
    assert not bar.isHidden()
    assert bar.text.text() == "No slide is open."
    assert bar.next.text() == "Open one."
    assert bar.sign.text()  # colour is never the only sign
    assert "no slide is open" in bar.accessibleDescription()
    with qtbot.waitSignal(bar.details_wanted, timeout=1000):
        bar.details.click()
    with qtbot.waitSignal(bar.action_wanted, timeout=1000):
        bar.action.click()
    bar.show_message(level, "well")
    assert bar.next.isHidden()
    assert bar.details.isHidden()
    assert bar.action.isHidden()
    bar.clear()
    assert (bar.isHidden(), bar.message) == (True, "")


def test_log_window(qtbot: Any) -> None:
    job = Job("adapt", {}, "Adapt")
    job._on_event(Event("message", {"text": "line 1"}))
    window = LogWindow(job)
    qtbot.addWidget(window)
    assert window.text.toPlainText() == "line 1"
    for number in range(2, 5):
        job._on_event(Event("message", {"text": f"line {number}"}))
    qtbot.waitUntil(lambda: window.text.toPlainText().splitlines() == [f"line {n}" for n in range(1, 5)], timeout=5000)
    window.copy()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text().endswith("line 4")


def test_a_closed_log_window_hears_nothing(qtbot: Any) -> None:
    job = Job("adapt", {}, "Adapt")
    window = LogWindow(job)
    with qtbot.waitSignal(window.destroyed, timeout=5000):
        window.close()
    job._on_event(Event("message", {"text": "still at work"}))
    assert list(job.log) == ["still at work"]


@pytest.mark.parametrize(
    ("kind", "gpu", "said"),
    [
        ("cpu", {}, "CPU, "),
        ("mps", {}, "GPU: "),
        ("cuda", {}, "asking"),
        ("cuda", {"name": "NVIDIA H200, 139 GB", "free": 70e9, "total": 140e9}, "NVIDIA H200: 70 of 140 GB free"),
        ("cuda", {"problem": "device 'cuda:3' is not on this machine"}, "not on this machine"),
        ("cuda", {"name": "GPU X", "free": None}, "GPU X"),
        ("there is no device 'abacus'", {}, "There is no device"),
    ],
)
def test_device_in_words(kind: str, gpu: dict[str, Any], said: str) -> None:
    assert said in device_text(kind, gpu)


def test_device_line_asks_a_gpu_in_a_process_of_its_own(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line = DeviceLine()
    qtbot.addWidget(line)
    line.show()
    assert "free" in line.text.text()
    assert line.button.isHidden()
    monkeypatch.setattr("napari_c2lst.common.accelerator.cuda_devices", lambda: 2)
    line.show_device("cuda:1")
    assert "asking" in line.text.text()
    # this computer has none: the child says so
    qtbot.waitUntil(lambda: line._asked is None, timeout=60_000)
    assert "cuda:1" in line.text.text() or "GB free" in line.text.text()
    monkeypatch.setattr("napari_c2lst.common.accelerator.cuda_devices", lambda: 0)
    line.show_device("cuda")
    assert "not on this machine" in line.text.text()
