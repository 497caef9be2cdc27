"""A slide with cells, open in a viewer without a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel
from tests.plugin.cells.stores import make_cells_store

from napari_c2lst.plugin.cells.stored import CellResult, list_results
from napari_c2lst.plugin.shared import Shared, forget, shared_of


@pytest.fixture(scope="session")
def cells_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cells_store(tmp_path_factory.mktemp("cells") / "tiny.zarr")


@pytest.fixture
def cells_store(cells_once: Path, tmp_path: Path) -> Path:
    """A copy that a test may write into."""
    return Path(shutil.copytree(cells_once, tmp_path / "tiny.zarr"))


@pytest.fixture(scope="session")
def result(cells_once: Path) -> CellResult:
    return list_results(cells_once)[0][0]


@pytest.fixture
def viewer(qtbot: Any) -> Iterator[ViewerModel]:
    model = ViewerModel()
    yield model
    forget(model)


@pytest.fixture
def shared_viewer(viewer: ViewerModel) -> Shared:
    return shared_of(viewer)
