"""The summary of a cohort."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from napari_c2lst.cohorts.state import Record
from napari_c2lst.cohorts.summary import COLUMNS, failure_lines, state_in_words, write_summary

GOOD = Record("b", "b.zarr", "predict", "finished", "x", seconds=3.14, peak_mb=512.3, result={"store": "b.zarr"})
BAD = Record("c", "c.zarr", "predict", "failed", "x", message="slide 'c' has no microns", hint="pass --mpp")
STOPPED = Record("a", "a.zarr", "predict", "stopped", "x", message="stopped")


def test_one_line_each_failures_first(tmp_path: Path) -> None:
    path = write_summary(tmp_path / "summary.csv", [GOOD, STOPPED, BAD])
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [(r["name"], r["state"]) for r in rows] == [("c", "failed"), ("a", "stopped"), ("b", "finished")]
    assert (rows[2]["seconds"], rows[2]["peak_mb"], rows[2]["store"]) == ("3.1", "512", "b.zarr")
    assert (rows[0]["message"], rows[0]["hint"], rows[0]["peak_mb"]) == (BAD.message, BAD.hint, "")


def test_failures_in_words() -> None:
    assert failure_lines([GOOD, STOPPED, BAD]) == ["c, predict: slide 'c' has no microns / pass --mpp"]
    assert failure_lines([replace(BAD, hint="")]) == ["c, predict: slide 'c' has no microns"]
    assert failure_lines([GOOD]) == []


def test_many_failures_are_counted() -> None:
    lines = failure_lines([replace(BAD, name=f"s{i}") for i in range(13)])
    assert len(lines) == 11
    assert lines[-1] == "and 3 more"


PARTLY = Record("d", "d.zarr", "cells", "finished", "x", result={"bad_tiles": 2, "tiles": 9, "first_fault": "torn"})


def test_left_out_tiles_are_no_quiet_success(tmp_path: Path) -> None:
    assert state_in_words(PARTLY) == "finished with 2 bad tiles"
    assert state_in_words(replace(PARTLY, result={"bad_tiles": 1})) == "finished with 1 bad tile"
    assert [state_in_words(r) for r in (GOOD, BAD, STOPPED)] == ["finished", "failed", "stopped"]
    assert failure_lines([PARTLY, GOOD, BAD]) == [
        "c, predict: slide 'c' has no microns / pass --mpp",
        "d, cells: finished with 2 bad tiles, the first: torn",
    ]
    path = write_summary(tmp_path / "summary.csv", [GOOD, PARTLY, BAD])
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(r["name"], r["state"], r["message"]) for r in rows] == [
        ("c", "failed", BAD.message),
        ("d", "finished with 2 bad tiles", "torn"),
        ("b", "finished", ""),
    ]
