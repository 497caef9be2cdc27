"""A cohort on real Dask workers: done, failed, gone on with, stopped, and with a worker killed."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spatialdata

from napari_c2lst.cohorts.cluster import connected
from napari_c2lst.cohorts.running import CohortResult, run
from napari_c2lst.cohorts.settings import CohortSettings
from napari_c2lst.common.errors import InputError, RunFailure, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter

Make = Callable[..., CohortSettings]
Write = Callable[..., Path]


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "summary.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_slide_is_done_and_the_failure_is_told(
    slides: list[Path], write_table: Write, settings: Make, tmp_path: Path
) -> None:
    (slides[1] / "tables").rename(tmp_path / "counts of b")
    table = write_table([{"slide": s.name} for s in slides])
    reporter = RecordingReporter()
    with pytest.raises(RunFailure) as caught:
        run(settings(table), reporter)
    assert caught.value.message.startswith("1 of 3 slides failed: b, predict: ")
    assert "summary.csv" in caught.value.hint
    rows = {row["name"]: row for row in rows_of(tmp_path / "out")}
    assert {name: row["state"] for name, row in rows.items()} == {"a": "finished", "b": "failed", "c": "finished"}
    assert rows["b"]["message"]
    for path in (slides[0], slides[2]):
        assert any(name.startswith("c2lst_spots_") for name in spatialdata.read_zarr(path).tables)
    assert reporter.of_kind("progress")[-1] == {"done": 3, "total": 3, "what": "slides"}

    # put right and run again: only the one that failed is done
    shutil.rmtree(slides[1] / "tables", ignore_errors=True)
    (tmp_path / "counts of b").rename(slides[1] / "tables")
    before = {name: (tmp_path / "out" / "slides" / f"{name}.predict.json").stat().st_mtime_ns for name in "ac"}
    result = run(settings(table), Reporter())
    assert isinstance(result, CohortResult)
    assert (result.slides, result.done_before) == (3, 2)
    after = {name: (tmp_path / "out" / "slides" / f"{name}.predict.json").stat().st_mtime_ns for name in "ac"}
    assert after == before
    assert "all 3 slides are done, 2 of them before" in result.lines()[0]


def test_nothing_starts_when_the_table_is_wrong(settings: Make, write_table: Write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no slide .*nowhere\.zarr"):
        run(settings(write_table([{"slide": "nowhere.zarr"}])), Reporter())
    assert not (tmp_path / "out").exists()


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_c2lst.cohorts.cluster._CONNECT_SECONDS", 1)
    with (
        pytest.raises(InputError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"),
        connected("tcp://127.0.0.1:9", 1, 0),
    ):
        pass


class StopAfterFirst(Reporter):
    def __init__(self) -> None:
        self.done = 0

    def progress(self, done: int, total: int, what: str = "") -> None:
        self.done = done

    def stop_requested(self) -> bool:
        return self.done >= 1


def test_stopped_and_gone_on_with(slides: list[Path], write_table: Write, settings: Make, tmp_path: Path) -> None:
    table = write_table([{"slide": s.name} for s in slides])
    with pytest.raises(Stopped, match="stopped with") as caught:
        run(settings(table, workers=1), StopAfterFirst())
    assert "same command" in caught.value.hint
    result = run(settings(table, workers=1), Reporter())
    assert isinstance(result, CohortResult)
    assert result.done_before >= 1
    assert {row["state"] for row in rows_of(tmp_path / "out")} == {"finished"}


@pytest.mark.skipif(sys.platform != "linux", reason="finds worker processes in /proc")
def test_a_killed_worker_loses_nothing(slides: list[Path], write_table: Write, settings: Make, tmp_path: Path) -> None:
    """The worker of a running slide is killed with -9; the slide is done by the next one."""
    table = write_table([{"slide": s.name} for s in slides[:2]])
    killer = KillOneWorker(tmp_path / "out")
    result = run(settings(table, workers=1, retries=3), killer)
    assert killer.killed, "no worker was caught at work"
    assert isinstance(result, CohortResult)
    assert {row["state"] for row in rows_of(tmp_path / "out")} == {"finished"}
    for path in slides[:2]:
        assert any(name.startswith("c2lst_spots_") for name in spatialdata.read_zarr(path).tables)


class KillOneWorker(Reporter):
    """Kills the worker that has the first child, as soon as there is one; asked by the coordinator while it waits."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.killed = 0

    def stop_requested(self) -> bool:
        for word in [] if self.killed else list(self.out.glob("slides/*.child")):
            try:
                child = json.loads(word.read_text())["pid"]
                parent = int(Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[1])
                os.kill(parent, signal.SIGKILL)
            except (OSError, ValueError):
                continue
            self.killed = parent
            time.sleep(0.2)
        return False


def test_a_cohort_on_a_scheduler_that_is_there_already(
    slides: list[Path], write_table: Write, settings: Make, tmp_path: Path
) -> None:
    from distributed import LocalCluster

    table = write_table([{"slide": slides[0].name}])
    options: dict[str, Any] = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None, "memory_limit": 0}
    with LocalCluster(**options) as cluster:
        result = run(settings(table, scheduler=cluster.scheduler_address), Reporter())
        assert cluster.scheduler.workers  # it was not ours to close
    assert isinstance(result, CohortResult)
    assert [row["state"] for row in rows_of(tmp_path / "out")] == ["finished"]
