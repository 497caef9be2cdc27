"""The narrow network that comes with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_c2lst.cells.facts import EMBEDDED, embedded_file
from napari_c2lst.cells.inference import NucleusNet
from napari_c2lst.cells.training.augment import degrade
from napari_c2lst.cells.training.metrics import dice
from napari_c2lst.cells.training.scoring import find_nuclei
from napari_c2lst.cells.weights import CellModel, load_hovernet


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
