"""The summary of a cohort: a CSV with a line for each task on each slide, and the same in words."""

import csv
from collections.abc import Sequence
from pathlib import Path

from napari_c2lst.common.files import atomic_file

from .state import Record, bad_tiles

COLUMNS = ("name", "task", "state", "seconds", "peak_mb", "message", "hint", "slide", "store")


def write_summary(path: Path, records: Sequence[Record]) -> Path:
    """Write the CSV, whole; failed tasks come first, then those that had to leave tiles out."""
    order = {"failed": 0, "stopped": 1, "finished": 2}
    with atomic_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for record in sorted(records, key=lambda r: (order[r.state], not bad_tiles(r), r.name, r.task)):
            writer.writerow(_row(record))
    return path


def _row(record: Record) -> list[str]:
    peak = "" if record.peak_mb is None else f"{record.peak_mb:.0f}"
    store = str(record.result.get("store", ""))
    return [
        record.name,
        record.task,
        state_in_words(record),
        f"{record.seconds:.1f}",
        peak,
        record.message or str(record.result.get("first_fault", "")),
        record.hint,
        record.slide,
        store,
    ]


def state_in_words(record: Record) -> str:
    """'failed', 'stopped', 'finished', or 'finished with 3 bad tiles'."""
    bad = bad_tiles(record)
    return f"finished with {bad} bad tile{'s' if bad > 1 else ''}" if bad else record.state


def failure_lines(records: Sequence[Record], most: int = 10) -> list[str]:
    """'P12, predict: slide 'P12' has no microns per pixel / pass --mpp', a line for each failure, not too many."""
    failed = [record for record in records if record.state == "failed"]
    failed += [record for record in records if bad_tiles(record)]
    lines = [f"{r.name}, {r.task}: {_why(r)}" for r in failed[:most]]
    return lines + ([f"and {len(failed) - most} more"] if len(failed) > most else [])


def _why(record: Record) -> str:
    if bad_tiles(record):
        return f"{state_in_words(record)}, the first: {record.result.get('first_fault', '')}"
    return f"{record.message}{f' / {record.hint}' if record.hint else ''}"
