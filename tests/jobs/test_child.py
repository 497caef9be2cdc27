from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time

from napari_c2lst.jobs.child import listen

from .test_process import CHILD


def run_child(task: str, first_line: str, **options: object) -> tuple[int, list[dict[str, object]], str]:
    done = subprocess.run(
        [sys.executable, str(CHILD), task], input=first_line, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_standard_output_carries_events_alone() -> None:
    code, events, errors = run_child("well", '{"steps": 2}\n')
    assert code == 0
    kinds = [e["event"] for e in events]
    assert (kinds[0], kinds[-1]) == ("started", "finished")
    assert "a library that prints" in errors  # moved out of the way, not lost
    assert '{"not": "an event"}' in errors


def test_settings_that_are_not_json() -> None:
    code, events, _ = run_child("well", "steps=2\n")
    assert code == 2
    assert events[-1]["event"] == "failed"
    assert "not JSON" in str(events[-1]["message"])


def test_settings_that_are_no_object() -> None:
    code, events, _ = run_child("well", "[2]\n")
    assert code == 2
    assert "JSON object" in str(events[-1]["message"])


def test_no_task_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "napari_c2lst.jobs.child"],
        input="{}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "failed"


def test_its_process_is_settled_before_anything_else() -> None:
    program = (
        "from napari_c2lst.jobs import child\n"
        "child.settle_process = lambda name: print('settled for', name, flush=True)\n"
        "child.main(['none of ours'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input="{}\n", capture_output=True, text=True, timeout=60, check=False
    )
    first, *events = done.stdout.splitlines()
    assert first == "settled for none of ours"
    assert json.loads(events[-1])["event"] == "failed"


def test_cancel_is_heard_and_other_lines_are_not() -> None:
    stop = threading.Event()
    listen(io.StringIO("hello\n\n"), stop)
    assert not stop.is_set()  # the end of something that is no pipe means nothing
    listen(io.StringIO("hello\n cancel \n"), stop)
    assert stop.is_set()


def test_a_closed_pipe_means_stop() -> None:
    stop = threading.Event()
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as orders:
        assert listen(orders, stop)
    assert stop.is_set()


def test_an_orphan_that_hears_nothing_ends_with_its_workers() -> None:
    import psutil

    child = subprocess.Popen(
        [sys.executable, str(CHILD), "deaf"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "C2LST_ORPHAN_SECONDS": "0.1"},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("{}\n")
    child.stdin.flush()
    events = (json.loads(line) for line in child.stdout)
    worker = psutil.Process(next(e["values"]["worker"] for e in events if e["event"] == "metrics"))
    child.stdin.close()
    assert child.wait(timeout=20) != 0
    deadline = time.monotonic() + 20
    # where nothing collects orphans, they stay as zombies
    while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.stdout.close()


def test_the_null_device_does_not() -> None:
    stop = threading.Event()
    with open(os.devnull) as orders:
        listen(orders, stop)
    assert not stop.is_set()
