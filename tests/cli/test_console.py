from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from napari_c2lst.cli import console
from napari_c2lst.common.errors import InputError
from napari_c2lst.common.results import TaskResult


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def plain(clock: Clock) -> tuple[console.PlainReporter, io.StringIO]:
    stream = io.StringIO()
    return console.PlainReporter(lambda: False, stream, clock), stream


def test_messages_are_lines(clock: Clock) -> None:
    reporter, stream = plain(clock)
    reporter.message("reading [bold]patches[/bold]")
    reporter.message("slide is coarse", "warning")
    reporter.picture(Path("a.png"), "samples")
    assert stream.getvalue().splitlines() == [
        "reading [bold]patches[/bold]",
        "warning: slide is coarse",
        "samples: a.png",
    ]


def test_a_line_every_ten_seconds_with_time_left_and_figures(clock: Clock) -> None:
    reporter, stream = plain(clock)
    for second in range(101):
        clock.now = float(second)
        reporter.metrics(second, {"loss": 1 / (second + 1)})
        reporter.progress(second, 100, "adapting")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "  adapting 10/100, 1 min 30 s left, loss 0.09091"
    assert lines[-1] == "  adapting 100/100, loss 0.009901"


def test_a_new_part_starts_its_own_clock(clock: Clock) -> None:
    reporter, stream = plain(clock)
    reporter.progress(1, 2, "a")
    clock.now = 100.0
    reporter.progress(0, 10, "b")
    clock.now = 111.0
    reporter.progress(1, 10, "b")
    assert stream.getvalue() == "  b 1/10, 1 min 39 s left\n"


def test_work_that_goes_on_is_timed_from_where_it_went_on(clock: Clock) -> None:
    reporter, stream = plain(clock)
    reporter.progress(544, 1604, "tiles")
    clock.now = 20.0
    reporter.progress(554, 1604, "tiles")
    assert stream.getvalue() == "  tiles 554/1604, 35 min left\n"


def test_a_bar_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    with console.BarReporter(lambda: True) as reporter:
        reporter.message("before the bar")
        reporter.progress(1, 3, "adapting")
        reporter.metrics(1, {"loss": 0.04231})
        reporter.message("[red]beside[/red] the bar", "warning")
        reporter.progress(2, 3, "adapting")
        reporter.progress(0, 5, "sampling")
        reporter.progress(5, 5, "sampling")
        assert reporter.stop_requested()
    text = capsys.readouterr().err
    for words in (
        "before the bar",
        "warning: [red]beside[/red] the bar",
        "adapting",
        "2/3",
        "loss 0.04231",
        "sampling",
        "5/5",
    ):
        assert words in text
    reporter.close()  # twice is harmless


def test_parts_that_take_turns_keep_their_bars() -> None:
    with console.BarReporter(lambda: False) as reporter:
        for step in range(1, 4):
            reporter.progress(step, 4, "adapting")
            reporter.progress(step, 4, "reading")
        assert reporter._bars is not None
        assert [task.description for task in reporter._bars.tasks] == ["adapting", "reading"]
        reporter.progress(4, 4, "reading")
        reporter.progress(1, 4, "reading")  # begins again
        assert [task.completed for task in reporter._bars.tasks] == [3, 4, 1]


def test_which_reporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert isinstance(console.make_reporter(lambda: False), console.BarReporter)
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    assert isinstance(console.make_reporter(lambda: False), console.PlainReporter)


@pytest.mark.parametrize(
    ("done", "total", "seconds", "words"), [(1, 3, 65, "2 min 10 s left"), (9, 10, 90, "10 s left")]
)
def test_time_left_goes_on_as_fast_as_so_far(done: int, total: int, seconds: float, words: str) -> None:
    assert console.time_left(done, total, seconds) == words


@pytest.mark.parametrize(("done", "total", "seconds"), [(0, 10, 5), (10, 10, 5), (1, 10, 0), (11, 10, 5)])
def test_time_left_is_not_guessed(done: int, total: int, seconds: float) -> None:
    assert console.time_left(done, total, seconds) == ""


def test_errors_are_two_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_failure(InputError("slide 'P12' has no microns per pixel", "pass --mpp"))
    console.show_error("only this")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["error: slide 'P12' has no microns per pixel", "hint: pass --mpp", "error: only this"]


def test_results_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    class Result(TaskResult):
        folder: Path = Path("run")
        score: float = 0.25

    console.show_result(Result(), as_json=False)
    assert capsys.readouterr().out.splitlines() == ["folder: run", "score: 0.25"]
    console.show_result(Result(), as_json=True)
    assert json.loads(capsys.readouterr().out) == {"folder": "run", "score": 0.25}
