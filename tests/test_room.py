"""A disk without room is told before the first test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("processes", "megabytes", "room"),
    [([], "0", True), ([], "1000000000", False), (["-n", "2"], "1000000000", False)],
)
def test_tests_begin_only_where_there_is_room(
    root: Path, tmp_path: Path, processes: list[str], megabytes: str, room: bool
) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *processes]
    done = subprocess.run(
        [*command, "tests/common/test_durations.py"],
        cwd=root,
        env={**os.environ, "C2LST_TEST_ROOM": megabytes, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    lacks = (
        rf"The tests need {megabytes} MB in {re.escape(str(tmp_path))}, where \d+ MB are free: make room, or set TMPDIR"
    )
    assert bool(re.search(lacks, said)) != room
    assert (" passed" in said) == room
    assert (done.returncode == 0) == room
