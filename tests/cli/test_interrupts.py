"""Ctrl-C, with real signals to real command lines."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from napari_c2lst.cli.interrupts import PoliteStop, command_to_go_on

SLOW = Path(__file__).with_name("slow_command.py")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["adapt", "a.zarr", "--out", "run"], "c2lst adapt a.zarr --out run --resume auto"),
        (["adapt", "--resume", "never", "a b.zarr"], "c2lst adapt 'a b.zarr' --resume auto"),
        (["adapt", "--resume=never", "--seed", "3"], "c2lst adapt --seed 3 --resume auto"),
    ],
)
def test_the_line_to_go_on_with(arguments: list[str], line: str) -> None:
    assert command_to_go_on(arguments) == line
    assert shlex.split(line)[0] == "c2lst"


def test_first_signal_asks_second_interrupts(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with PoliteStop() as stop:
        assert not stop.asked()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert "Ctrl-C again" in capsys.readouterr().err


def test_a_task_that_does_not_listen_is_interrupted_at_once() -> None:
    with PoliteStop() as stop, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    assert not stop.requested


@pytest.mark.parametrize(
    ("saves", "said"), [(True, "saving a checkpoint"), (False, "nothing half-written will be left")]
)
def test_it_says_what_becomes_of_the_work(saves: bool, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with PoliteStop(saves=saves) as stop:
        stop.asked()
        os.kill(os.getpid(), signal.SIGINT)
    assert f"stopping: {said}" in capsys.readouterr().err


def test_sigterm_is_polite_too() -> None:
    with PoliteStop() as stop:
        stop.asked()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked()


def test_in_another_thread_signals_are_left_alone() -> None:
    outcome: list[bool] = []

    def work() -> None:
        with PoliteStop() as stop:
            outcome.append(stop.asked())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert outcome == [False]


def slow(*arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(SLOW), "every", "s.zarr", "--preset", "small", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "listening" not in process.stderr.readline():
        assert process.poll() is None
    return process


def test_ctrl_c_once_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = slow("--out", str(tmp_path), "--resume", "never")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert (tmp_path / "checkpoint").read_text() == "saved"
    assert "error: stopped at step" in err
    assert f"c2lst every s.zarr --preset small --out {tmp_path} --resume auto" in err


def test_ctrl_c_twice_ends_at_once(tmp_path: Path) -> None:
    process = slow("--out", str(tmp_path), "--no-polish")  # --no-polish: the fake takes its time to stop
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    while "Ctrl-C again" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped at once" in err
    assert not (tmp_path / "checkpoint").exists()
