"""What is kept of a slide whose worker brought no record back, and what a run with failures raises."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.cohorts.running import _outcome, _raise_failures
from napari_c2lst.cohorts.state import Record, fingerprint
from napari_c2lst.cohorts.table import Entry, Step
from napari_c2lst.common.errors import RunFailure

ENTRY = Entry("P1", Path("P1.zarr"), (Step("predict", {"predictor": "p"}), Step("cells", {})))
GOOD = Record("P1", "P1.zarr", "predict", "finished", "x")


class KilledWorker(Exception):
    """Named as Dask's."""


class Ended:
    """A future that ended."""

    def __init__(self, status: str, value: Any = None) -> None:
        self.status, self._value = status, value

    def result(self) -> Any:
        return self._value

    def exception(self) -> Any:
        return self._value


def test_records_come_back_from_the_worker() -> None:
    assert _outcome(Ended("finished", [asdict(GOOD)]), ENTRY) == [GOOD]


@pytest.mark.parametrize(
    ("future", "says", "hint"),
    [
        (Ended("error", KilledWorker("task")), "the worker was killed each time", "fewer --workers"),
        (Ended("error", OSError("disk gone\nand more")), "the worker failed: disk gone", "log"),
        (Ended("lost"), "the worker failed: lost", "log"),
        (Ended("cancelled"), "the worker failed: cancelled", "log"),
    ],
)
def test_a_worker_without_a_record_is_a_failure_of_the_first_step(future: Ended, says: str, hint: str) -> None:
    (record,) = _outcome(future, ENTRY)
    assert (record.name, record.task, record.state) == ("P1", "predict", "failed")
    assert record.fingerprint == fingerprint({"predictor": "p"})
    assert says in record.message
    assert "\n" not in record.message
    assert hint in record.hint


def test_all_done_raises_nothing() -> None:
    _raise_failures([GOOD], 1, Path("summary.csv"))


def test_failed_slides_and_those_with_bad_tiles_are_counted_apart() -> None:
    bad = replace(GOOD, name="P2", state="failed", message="no such predictor")
    partly = replace(GOOD, name="P3", task="cells", result={"bad_tiles": 2})
    both = replace(partly, name="P2")  # a slide that failed is not counted twice
    with pytest.raises(RunFailure, match="1 of 3 slides failed and 1 of 3 slides finished with bad tiles") as raised:
        _raise_failures([GOOD, bad, partly, both], 3, Path("summary.csv"))
    assert "P2, predict: no such predictor" in raised.value.message
    assert "summary.csv" in (raised.value.hint or "")
