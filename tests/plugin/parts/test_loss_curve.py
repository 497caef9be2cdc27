"""The curve of a run that has only begun, goes on in the middle, or goes astray."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from napari_c2lst.plugin.parts.loss_curve import LossCurve, ticks


@pytest.fixture
def curve(qtbot: Any) -> LossCurve:
    made = LossCurve()
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("last", [2, 3, 4, 7, 9, 21, 30, 1000])
def test_every_mark_of_a_run_that_has_only_begun_is_another_step(last: int) -> None:
    marks = ticks(1, last, finest=1)
    labels = [f"{mark:,.0f}" for mark in marks]
    assert len(set(labels)) == len(labels) <= 7
    assert all(mark == int(mark) for mark in marks)


def test_any_span_has_a_few_round_marks_around_it() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        low = float(rng.normal() * 10 ** rng.uniform(-6, 6))
        high = low + float(10 ** rng.uniform(-3, 6)) * max(abs(low), 1e-9)
        marks = ticks(low, high)
        step = marks[1] - marks[0]
        assert marks[0] <= low + 1e-9 * step
        assert marks[-1] >= high - 1e-9 * step
        assert 2 <= len(marks) <= 7
        assert round(step / 10 ** math.floor(math.log10(step) + 1e-9)) in (1, 2, 5)


@pytest.mark.parametrize("loss", [None, "0.5", float("inf"), float("nan"), [1.0]])
def test_a_step_without_a_number_is_passed_over(curve: LossCurve, loss: Any) -> None:
    curve.feed(1, {"loss": 0.5})
    curve.feed(2, {"loss": loss})
    curve.feed(3, {})
    assert (curve.steps, curve.losses) == ([1], [0.5])


def test_the_mean_is_over_the_last_twenty_where_the_task_gives_none(curve: LossCurve) -> None:
    for step in range(40):
        curve.feed(step, {"loss": float(step), "mean_loss": float("nan") if step % 2 else None})
    assert curve.means[0] == 0
    assert curve.means[9] == pytest.approx(4.5)
    assert curve.means[-1] == pytest.approx(np.mean(range(20, 40)))


def test_the_figures_are_read_as_text_too(curve: LossCurve) -> None:
    curve.feed(1_500, {"loss": 0.123456, "mean_loss": 0.25})
    curve.flush()
    assert curve.text.text() == "Loss 0.25 at step 1,500"
    assert curve.plot.accessibleName() == "Loss over steps"


@pytest.mark.parametrize(
    "losses", [[1e30, -1e30, 1.0], [0.0, 0.0, 0.0], [1e-30, 2e-30, 3e-30], [1.0, 1.0 + 2e-16, 1.0], [-5.0, -4.0, -3.0]]
)
def test_a_loss_that_goes_astray_is_drawn(curve: LossCurve, losses: list[float], qtbot: Any) -> None:
    for step, loss in enumerate(losses, 501):  # a run that went on in the middle
        curve.feed(step, {"loss": loss})
    curve.flush()
    curve.resize(200, 150)
    curve.show()
    with qtbot.captureExceptions() as raised:
        picture = curve.plot.grab().toImage()
    assert raised == []
    assert len({picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(picture.height())}) > 2


def test_another_job_begins_with_an_empty_plot(curve: LossCurve) -> None:
    curve.feed(1, {"loss": 0.5})
    curve.clear()  # before the step was drawn
    curve.flush()
    assert (curve.text.text(), len(curve.plot.x), curve.steps) == ("", 0, [])
    curve.feed(1, {"loss": 0.7})
    curve.flush()
    assert curve.plot.each.tolist() == [0.7]


def test_an_empty_plot_is_nothing_but_ground(curve: LossCurve) -> None:
    picture = curve.plot.grab().toImage()
    assert len({picture.pixel(x, y) for x in range(picture.width()) for y in range(picture.height())}) == 1
