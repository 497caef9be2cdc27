"""What a task says, on a terminal: messages and progress on standard error, results on standard output."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from napari_c2lst.common.durations import in_words
from napari_c2lst.common.errors import C2LError
from napari_c2lst.common.reporter import Level, Reporter
from napari_c2lst.common.results import TaskResult

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_INTERVAL = 10.0  # seconds between progress lines when nobody watches a bar


class ConsoleReporter(Reporter):
    """The part both kinds of output share; use as a context manager.

    Parameters
    ----------
    stop
        Asked for whether the user pressed Ctrl-C.
    """

    def __init__(self, stop: Callable[[], bool]) -> None:
        self._stop = stop

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the terminal tidy."""

    def picture(self, path: Path, caption: str) -> None:
        """Name the picture."""
        self.message(f"{caption}: {path}")

    def stop_requested(self) -> bool:
        """Whether the user pressed Ctrl-C."""
        return self._stop()


class PlainReporter(ConsoleReporter):
    """Plain lines: for log files, pipes and clusters.

    Parameters
    ----------
    stream
        Where lines go.
    clock
        Seconds; replaced in tests.
    """

    def __init__(
        self, stop: Callable[[], bool], stream: IO[str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(stop)
        self._stream = stream or sys.stderr
        self._clock = clock
        self._last = -PLAIN_INTERVAL
        self._what: str | None = None
        self._began, self._from = 0.0, 0
        self._figures = ""

    def message(self, text: str, level: Level = "info") -> None:
        """Write one line."""
        print(f"warning: {text}" if level == "warning" else text, file=self._stream, flush=True)

    def progress(self, done: int, total: int, what: str = "") -> None:
        """Write a line at most every ten seconds, and at the end of each part."""
        now = self._clock()
        if what != self._what:
            self._what, self._began, self._figures = what, now, ""
            self._from = done  # what an earlier run did says nothing of the pace of this one
            self._last = now  # the first line comes after a while: short parts need none but their last
        if now - self._last < PLAIN_INTERVAL and done < total:
            return
        self._last = now
        left = time_left(done - self._from, total - self._from, now - self._began)
        parts = [f"{what or 'work'} {done}/{total}", left, self._figures]
        print("  " + ", ".join(part for part in parts if part), file=self._stream, flush=True)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the figures for the next line; all of them are in the run folder's events.jsonl."""
        self._figures = figures_text(values)


class BarReporter(ConsoleReporter):
    """A progress bar with the time left and the last figures; for terminals."""

    def __init__(self, stop: Callable[[], bool]) -> None:
        super().__init__(stop)
        self._bars: Progress | None = None
        self._of_part: dict[str, TaskID] = {}
        self._what: str | None = None
        self._figures = ""

    def message(self, text: str, level: Level = "info") -> None:
        """Write one line above the bar."""
        line = f"warning: {text}" if level == "warning" else text
        if self._bars is None:
            print(line, file=sys.stderr, flush=True)
        else:
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def progress(self, done: int, total: int, what: str = "") -> None:
        """Move the bar of a part; a part that is new, or begins again after its end, gets a new one."""
        bars = self._started()
        if what != self._what:
            self._what, self._figures = what, ""
        bar = self._of_part.get(what)
        if bar is None or (done < total and bars.tasks[bars.task_ids.index(bar)].finished):
            bar = self._of_part[what] = bars.add_task(what or "work", total=total, figures="")
        bars.update(bar, completed=done, total=total, figures=self._figures)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Show the figures beside the bar."""
        self._figures = figures_text(values)

    def close(self) -> None:
        """Stop drawing; the bars stay as they are."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _started(self) -> "Progress":
        if self._bars is None:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[figures]}"),
                console=Console(stderr=True),
                refresh_per_second=4,
            )
            self._bars.start()
        return self._bars


def make_reporter(stop: Callable[[], bool]) -> ConsoleReporter:
    """Bars on a terminal, plain lines anywhere else."""
    return BarReporter(stop) if sys.stderr.isatty() else PlainReporter(stop)


def time_left(done: int, total: int, seconds: float) -> str:
    """'2 min 10 s left', or nothing when it cannot be said yet."""
    if done <= 0 or done >= total or seconds <= 0:
        return ""
    return f"{in_words(seconds / done * (total - done))} left"


def figures_text(values: Mapping[str, float]) -> str:
    """'loss 0.0423, rate 0.001'."""
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


def show_error(message: str, hint: str = "") -> None:
    """Two lines at most: what is wrong, and what to do."""
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr, flush=True)


def show_failure(error: C2LError) -> None:
    """The two lines of one of our own errors."""
    show_error(error.message, error.hint)


def show_result(result: TaskResult, *, as_json: bool) -> None:
    """The result on standard output: lines for people, JSON for programs."""
    if as_json:
        print(result.model_dump_json(indent=2))
    else:
        for line in result.lines():
            print(line)
