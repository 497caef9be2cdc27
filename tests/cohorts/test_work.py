"""What a worker does with one slide; the tasks run in real child processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.cohorts.settings import CohortSettings
from napari_c2lst.cohorts.state import read_record
from napari_c2lst.cohorts.table import Entry, Step, read_table
from napari_c2lst.cohorts.work import STOP, do_slide

Make = Callable[..., CohortSettings]


@pytest.fixture
def entry(slides: list[Path], write_table: Callable[..., Path], settings: Make) -> Entry:
    return read_table(settings(write_table([{"slide": slides[0]}])))[0]


def test_a_slide_is_done_once(entry: Entry, tmp_path: Path) -> None:
    (first,) = do_slide(str(tmp_path / "out"), entry)
    assert (first["state"], first["name"], first["task"]) == ("finished", "a", "predict"), first
    assert (entry.slide / "tables" / first["result"]["elements"][0]).exists()
    assert first["seconds"] > 0
    if sys.platform == "linux":
        assert 50 < first["peak_mb"] < 20_000
    events = (tmp_path / "out" / "logs" / "a.predict.jsonl").read_text().splitlines()
    assert json.loads(events[-1])["event"] == "finished"
    (again,) = do_slide(str(tmp_path / "out"), entry)
    assert again == first  # its time too: the record, not another run
    assert not (tmp_path / "out" / "slides" / "a.child").exists()


def test_a_failure_is_kept_with_its_hint_and_ends_the_slide(tmp_path: Path) -> None:
    bad = Step("predict", {"slide": str(tmp_path / "no.zarr"), "predictor": str(tmp_path / "none")})
    records = do_slide(str(tmp_path / "out"), Entry("x", tmp_path / "no.zarr", (bad, bad)))
    assert [r["state"] for r in records] == ["failed"]
    assert records[0]["message"]
    kept = read_record(tmp_path / "out", "x", "predict")
    assert kept is not None
    assert kept.hint == records[0]["hint"] != ""


def test_the_order_to_stop_is_a_file(entry: Entry, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / STOP).touch()
    (record,) = do_slide(str(out), entry)
    assert record["state"] in ("stopped", "finished")  # the child may have been quicker than the order
    (out / STOP).unlink()
    (record,) = do_slide(str(out), entry)
    assert record["state"] == "finished"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_child_of_a_dead_worker_is_waited_for_or_ended(
    entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_c2lst.cohorts import work

    monkeypatch.setattr(work, "_PATIENCE", 0.3)
    code = "import time; time.sleep(600)  # napari_c2lst"
    orphan = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    folder = tmp_path / "out" / "slides"
    folder.mkdir(parents=True)
    (folder / "a.child").write_text(json.dumps({"host": socket.gethostname(), "pid": orphan.pid}))
    reaper = threading.Thread(target=orphan.wait)
    reaper.start()
    (record,) = do_slide(str(tmp_path / "out"), entry)
    reaper.join(timeout=10)
    assert orphan.returncode == -signal.SIGKILL
    assert record["state"] == "finished"


@pytest.mark.parametrize("text", ["", "{", json.dumps({"host": "another-machine", "pid": 1})])
def test_word_of_a_child_that_cannot_be_followed_is_dropped(tmp_path: Path, text: str) -> None:
    from napari_c2lst.cohorts import work

    folder = tmp_path / "slides"
    folder.mkdir()
    (folder / "a.child").write_text(text)
    begin = time.monotonic()
    work._end_the_abandoned(tmp_path, "a")
    assert time.monotonic() - begin < work._PATIENCE
    assert not (folder / "a.child").exists() or text in ("", "{")


def test_a_number_that_another_process_has_now_is_left_alone() -> None:
    from napari_c2lst.cohorts import work

    sleeper: Any = subprocess.Popen(["sleep", "600"])
    try:
        assert not work._is_task(sleeper.pid)
        assert work._is_task(os.getpid()) == (b"napari_c2lst" in Path("/proc/self/cmdline").read_bytes())
    finally:
        sleeper.kill()
        sleeper.wait()
