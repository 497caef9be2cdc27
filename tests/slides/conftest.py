"""Slides for the tests of this room."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.slides.stores import make_tiny_store


@pytest.fixture(scope="session")
def tiny_store_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny slide, written once: for tests that only read it."""
    return make_tiny_store(tmp_path_factory.mktemp("tiny") / "tiny.zarr")


@pytest.fixture
def tiny_store(tiny_store_once: Path, tmp_path: Path) -> Path:
    """A copy of the tiny slide that a test may write into."""
    return Path(shutil.copytree(tiny_store_once, tmp_path / "tiny.zarr"))
