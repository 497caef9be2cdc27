"""Fixtures every test may use."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

# Two torch processes on a few cores slow each other down tenfold by spinning; set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest

ROOT = Path(__file__).resolve().parents[1]

# MB: the whole run writes 0.6 GB at most at a time, with two processes.
ROOM = int(os.environ.get("C2LST_TEST_ROOM", "1500"))


def pytest_sessionstart() -> None:
    """Begin only where the disk has room: a full one fails tests by the hundred, for no reason of theirs."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free // 2**20
    if free < ROOM:
        advice = "make room, or set TMPDIR to another folder"
        pytest.exit(f"The tests need {ROOM} MB in {folder}, where {free} MB are free: {advice}.", returncode=1)


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real slides kept beside the repository (../shared/data); tests that need them are skipped where they are not."""
    path = Path(os.environ.get("C2LST_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"real data not here: {path} (set C2LST_SHARED_DATA to the folder)")
    return path


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the user's cache (one folder for the whole test run, so that the sample slide is made once)."""
    monkeypatch.setenv("C2LST_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
