"""The narrow network that comes with the package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from PIL import Image
from tests.cells.decoding import all_tissue
from tests.cells.matching import matched
from tests.cells.slides import tissue_picture

from napari_c2lst.cells import tiling
from napari_c2lst.cells.facts import EMBEDDED, embedded_file
from napari_c2lst.cells.found import joined
from napari_c2lst.cells.inference import NucleusNet
from napari_c2lst.cells.joining import polygons, stitched
from napari_c2lst.cells.spreading import here
from napari_c2lst.cells.training.augment import degrade
from napari_c2lst.cells.training.metrics import dice
from napari_c2lst.cells.training.scoring import find_nuclei
from napari_c2lst.cells.weights import CellModel, load_hovernet
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.opening import open_slide


@pytest.fixture(scope="module")
def model() -> CellModel:
    return load_hovernet(EMBEDDED)


def test_it_is_small_and_has_a_card() -> None:
    assert embedded_file().stat().st_size < 16e6
    card = (embedded_file().parent / "README.md").read_text()
    assert "research use" in card
    assert "CoNSeP" in card
    assert "Dice 0.853" in card


def test_it_says_what_it_is(model: CellModel) -> None:
    facts = model.facts
    assert facts.type_names == ("miscellaneous", "inflammatory", "epithelial", "spindle-shaped")
    assert (facts.mode, facts.mpp, facts.nr_types) == ("fast", 0.25, 5)
    assert "research use" in facts.notice
    assert facts.card["scores"]["images"] == 14
    assert facts.card["degraded_mpp"] == 0.7


@pytest.mark.parametrize(("factor", "least"), [(1.0, 0.7), (2.8, 0.65)], ids=["0.25 um/px", "0.7 um/px"])
def test_it_finds_nuclei_of_patients_it_has_not_seen(
    model: CellModel, shared: Path, factor: float, least: float
) -> None:
    net = NucleusNet(model, "cpu", "fp32")
    scores = []
    for tile in (5, 11):
        name = f"test_{tile}_004"
        folder = shared / "hne-consep"
        image = np.asarray(Image.open(folder / "images" / "test" / f"{name}.jpg").convert("RGB"))
        true = np.asarray(Image.open(folder / "inst" / "test" / f"{name}.png")).astype(np.int32)
        labels, nuclei = find_nuclei(net, degrade(image, factor))
        assert len(nuclei) > 30
        scores.append(dice(true, labels))
    assert np.mean(scores) > least


Find = Callable[[int, tuple[int, int], int], NDArray[Any]]


@pytest.fixture(scope="module")
def find(model: CellModel, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Find:
    """Outlines of a piece of tissue, found in bf16 as it is shipped, with tiles of that side and shift, and workers."""
    file = tmp_path_factory.mktemp("small") / "small.png"
    Image.fromarray(tissue_picture(shared)[:384, :384].astype(np.uint8)).save(file)
    slide = open_slide(file, mpp=0.25)
    net = NucleusNet(model, "cpu", "bf16", 2)

    def found(core: int, shift: tuple[int, int], workers: int) -> NDArray[Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tiling, "tissue_mask", all_tissue)
            tiles, _ = tiling.tissue_tiling(slide, "fast", 0.25, core, shift)
        done = here(net, slide, tiles, list(enumerate(tiles.groups(2))), workers, Reporter())
        return polygons(stitched(joined([found for _, found, _ in done])))

    return found


@pytest.fixture(scope="module")
def once(find: Find) -> NDArray[Any]:
    found = find(256, (0, 0), 2)
    assert len(found) > 80
    return found


@pytest.mark.parametrize(("core", "shift"), [(256, (8, 8)), (256, (40, 16)), (384, (0, 0))])
def test_99_per_cent_of_its_nuclei_are_the_same_on_every_grid(
    find: Find, once: NDArray[Any], core: int, shift: tuple[int, int]
) -> None:
    other = find(core, shift, 2)
    assert min(matched(once, other), matched(other, once)) >= 0.99


def test_and_with_any_number_of_workers(find: Find, once: NDArray[Any]) -> None:
    assert shapely.equals_exact(find(256, (0, 0), 1), once).all()
