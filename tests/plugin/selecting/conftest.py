"""A store with labels, and panels over it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A copy of the sample slide."""
    path = tmp_path / "B4.zarr"
    shutil.copytree(sample_slide_path(), path)
    return path


@pytest.fixture
def slide(store: Path) -> Any:
    """The sample slide, open; tests may write into it."""
    return open_slide(store)


@pytest.fixture
def panel(make_napari_viewer: Callable[..., Any], slide: Any) -> Iterator[Any]:
    """A panel alone, with the sample slide open."""
    from napari_c2lst.plugin.selecting.panel import SelectPanel
    from napari_c2lst.plugin.shared import shared_of

    viewer = make_napari_viewer()
    shared_of(viewer).session.open(slide)
    made = SelectPanel(viewer)
    made.keeper.agree = lambda question: pytest.fail(f"nothing was to be asked: {question}")
    yield made
    made.close()
