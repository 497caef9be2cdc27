"""The tiny slide with predictions and scores, open in a viewer without a window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from napari.components import ViewerModel
from tests.plugin.results import copy_results, make_results, make_scores

from napari_c2lst.plugin.judging.reading import Scores, read_scores
from napari_c2lst.plugin.session import Session
from napari_c2lst.plugin.shared import forget, shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


@pytest.fixture(scope="session")
def scored_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_results(tmp_path_factory.mktemp("judging") / "tiny.zarr")
    make_scores(path, notes=("the patches of 3 of the 42 scored spots overlap a training patch",))
    return path


@pytest.fixture(scope="session")
def slide(scored_once: Path) -> Slide:
    return open_slide(scored_once)


@pytest.fixture
def scored(scored_once: Path, tmp_path: Path) -> Path:
    """A copy that a test may write into."""
    return copy_results(scored_once, tmp_path)


@pytest.fixture(scope="session")
def scores(scored_once: Path) -> Scores:
    return read_scores(scored_once.with_name("tiny_c2lst") / "scores")


@pytest.fixture
def viewer(qtbot: object) -> Iterator[ViewerModel]:
    model = ViewerModel()
    yield model
    forget(model)


@pytest.fixture
def session(viewer: ViewerModel) -> Session:
    return shared_of(viewer).session
