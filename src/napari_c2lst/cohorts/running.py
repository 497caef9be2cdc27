"""The task `run`: every slide of a table on Dask workers; what is finished is kept, what failed is told at the end."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import RunFailure, Stopped, first_line
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult

from .cluster import connected
from .settings import CohortSettings
from .state import Record, bad_tiles, fingerprint, read_record, still_done
from .summary import failure_lines, state_in_words, write_summary
from .table import Entry, read_table
from .work import STOP, do_slide

SUMMARY = "summary.csv"
_LOOK = 0.5  # seconds between looks for a wish to stop
_GRACE = 30.0  # seconds for running slides to save what they have


class CohortResult(TaskResult):
    """What became of a cohort, every slide of which was done."""

    summary: Path
    slides: int
    done_before: int
    seconds: float

    def lines(self) -> list[str]:
        before = f", {self.done_before} of them before" if self.done_before else ""
        return [f"all {self.slides} slides are done{before}, in {self.seconds:.0f} s", f"summary: {self.summary}"]


def run(settings: CohortSettings, reporter: Reporter) -> CohortResult:
    """Do the tasks on every slide; slides that are finished are left as they are.

    Raises
    ------
    InputError
        If the table or the scheduler cannot be used; before any work.
    RunFailure
        If a slide failed or is finished with bad tiles; all others were done all the same, and the summary is written.
    Stopped
        If asked to stop; running slides keep what they can go on from.
    """
    begin = time.monotonic()
    entries = read_table(settings)
    folder = settings.out.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STOP).unlink(missing_ok=True)
    waiting = [entry for entry in entries if not _is_done(folder, entry)]
    done_before = len(entries) - len(waiting)
    reporter.message(f"{len(entries)} slides, {done_before} done before; {' and '.join(settings.tasks)} on each")
    reporter.progress(done_before, len(entries), "slides")
    records: dict[str, list[Record]] = {e.name: _known(folder, e) for e in entries if e not in waiting}
    if waiting:
        with connected(settings.scheduler, settings.workers, settings.retries) as client:
            for entry, outcome in _outcomes(client, folder, waiting, settings, reporter):
                records[entry.name] = outcome
                _tell(entry, outcome, reporter)
                reporter.progress(len(records), len(entries), "slides")
                write_summary(folder / SUMMARY, _flat(records))
    summary = write_summary(folder / SUMMARY, _flat(records))
    _raise_failures(_flat(records), len(entries), summary)
    seconds = time.monotonic() - begin
    return CohortResult(summary=summary, slides=len(entries), done_before=done_before, seconds=seconds)


def _outcomes(
    client: Any, folder: Path, entries: Sequence[Entry], settings: CohortSettings, reporter: Reporter
) -> Iterator[tuple[Entry, list[Record]]]:
    """Every slide as it ends, in whatever order."""
    futures = {
        client.submit(do_slide, str(folder), entry, key=f"c2lst-{entry.name}-{time.time_ns()}", pure=False): entry
        for entry in entries
    }
    left = set(futures)
    while left:
        ended = {future for future in left if future.done()}
        for future in ended:
            yield futures[future], _outcome(future, futures[future])
        left -= ended
        if left and reporter.stop_requested():
            _stop(client, folder, left, reporter)
        if left and not ended:
            time.sleep(_LOOK)


def _outcome(future: Any, entry: Entry) -> list[Record]:
    if future.status == "finished":
        return [Record(**values) for values in future.result()]
    error = future.exception() if future.status == "error" else None
    if error is not None and type(error).__name__ == "KilledWorker":
        message, hint = "the worker was killed each time it was tried", "memory may have run out: use fewer --workers"
    else:
        why = future.status if error is None else first_line(error)
        message, hint = f"the worker failed: {why}", "see the worker's log"
    step = entry.steps[0]
    lost = Record(entry.name, str(entry.slide), step.task, "failed", fingerprint(step.settings))
    return [replace(lost, message=message, hint=hint)]


def _stop(client: Any, folder: Path, left: set[Any], reporter: Reporter) -> None:
    reporter.message("stopping: slides that are being worked on keep what they have")
    (folder / STOP).touch()
    client.cancel([future for future in left if not _is_running(client, future)])
    until = time.monotonic() + _GRACE
    while time.monotonic() < until and not all(f.done() or f.cancelled() for f in left):
        time.sleep(_LOOK)
    raise Stopped(f"stopped with {len(left)} slides to do", "run the same command again to go on", folder)


def _is_running(client: Any, future: Any) -> bool:
    return any(str(future.key) in map(str, keys) for keys in client.processing().values())


def _is_done(folder: Path, entry: Entry) -> bool:
    return all(
        still_done(read_record(folder, entry.name, step.task), fingerprint(step.settings)) for step in entry.steps
    )


def _known(folder: Path, entry: Entry) -> list[Record]:
    found = (read_record(folder, entry.name, step.task) for step in entry.steps)
    return [record for record in found if record is not None]


def _tell(entry: Entry, records: Sequence[Record], reporter: Reporter) -> None:
    last = records[-1]
    partly = [record for record in records if bad_tiles(record)]
    for record in partly:
        reporter.message(f"{entry.name}: {record.task} {state_in_words(record)}", "warning")
    if last.state == "finished" and not partly:
        reporter.message(f"{entry.name}: done in {sum(r.seconds for r in records):.0f} s")
    elif last.state != "finished":
        reporter.message(f"{entry.name}: {last.task} {last.state}: {last.message}", "warning")


def _flat(records: dict[str, list[Record]]) -> list[Record]:
    return [record for name in sorted(records) for record in records[name]]


def _raise_failures(records: Sequence[Record], slides: int, summary: Path) -> None:
    lines = failure_lines(records)
    if lines:
        failed = {r.name for r in records if r.state == "failed"}
        partly = {r.name for r in records if bad_tiles(r)} - failed
        counted = [f"{len(failed)} of {slides} slides failed"] if failed else []
        counted += [f"{len(partly)} of {slides} slides finished with bad tiles"] if partly else []
        raise RunFailure(
            f"{' and '.join(counted)}: {'; '.join(lines)}",
            f"see {summary}; run the same command again: what is done is kept",
        )
