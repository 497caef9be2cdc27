from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.plugin.jobs.desk import JobDesk
from napari_c2lst.plugin.session import Session

ACTING = Path(__file__).with_name("acting_child.py")


@pytest.fixture
def desk(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobDesk]:
    """A desk whose jobs act out a case: set `desk.command = acting("crash")`."""
    monkeypatch.setenv("ACTING_FOLDER", str(tmp_path))
    desk = JobDesk(Session())
    desk.command = [sys.executable, str(ACTING), "success"]
    yield desk
    desk.end()
