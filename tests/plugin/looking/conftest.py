"""The tiny slide with predictions and pairs, open in a viewer without a window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from napari.components import ViewerModel
from tests.plugin.results import copy_results, make_pairs, make_results

from napari_c2lst.plugin.looking.predictions import Prediction, list_predictions
from napari_c2lst.plugin.looking.values import MapValues, load_values
from napari_c2lst.plugin.session import Session
from napari_c2lst.plugin.shared import forget, shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


@pytest.fixture(scope="session")
def results_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_results(tmp_path_factory.mktemp("looking") / "tiny.zarr")
    make_pairs(path)
    return path


@pytest.fixture(scope="session")
def slide(results_once: Path) -> Slide:
    """The open slide; not to be written into."""
    return open_slide(results_once)


@pytest.fixture
def results(results_once: Path, tmp_path: Path) -> Path:
    """A copy that a test may write into."""
    return copy_results(results_once, tmp_path)


@pytest.fixture(scope="session")
def predictions(slide: Slide) -> dict[str, Prediction]:
    """By name and place: `both on spots`, `real on spots`, `both on grid`."""
    return {f"{each.written.name} on {each.where}": each for each in list_predictions(slide)[0]}


@pytest.fixture(scope="session")
def both(slide: Slide, predictions: dict[str, Prediction]) -> MapValues:
    """The values of `both`, on all spots, with spread."""
    return load_values(slide, predictions["both on spots"])


@pytest.fixture(scope="session")
def grid(slide: Slide, predictions: dict[str, Prediction]) -> MapValues:
    """The values on the grid."""
    return load_values(slide, predictions["both on grid"])


@pytest.fixture
def viewer(qtbot: object) -> Iterator[ViewerModel]:
    """A viewer's model: layers and camera, no window."""
    model = ViewerModel()
    yield model
    forget(model)


@pytest.fixture
def session(viewer: ViewerModel) -> Session:
    return shared_of(viewer).session
