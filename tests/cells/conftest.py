"""Pieces of real tissue as slides, for the tests of this room."""

import shutil
from pathlib import Path

import pytest
from tests.cells.decoding import encoded_picture, write_weights
from tests.cells.slides import make_tissue_store, tissue_picture

from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "decoding.safetensors")


@pytest.fixture(scope="session")
def tissue_once(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tissue_store(tissue_picture(shared), tmp_path_factory.mktemp("cells") / "tissue.zarr")


@pytest.fixture(scope="session")
def tissue(tissue_once: Path) -> Slide:
    """Nine patches of CoNSeP as they are."""
    return open_slide(tissue_once)


@pytest.fixture(scope="session")
def encoded_once(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tissue_store(encoded_picture(shared), tmp_path_factory.mktemp("cells") / "encoded.zarr")


@pytest.fixture
def store(encoded_once: Path, tmp_path: Path) -> Path:
    """Maps of the nuclei of that tissue as colours (see `decoding`); a copy that a test may write into."""
    return Path(shutil.copytree(encoded_once, tmp_path / "encoded.zarr"))
