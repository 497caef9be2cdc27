from typing import Any

import numpy as np
import pytest

from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.identity import spots_hash, training_basis
from napari_c2lst.slides.slide import Spots

IDS = np.array([f"AAA-{i}" for i in range(6)])
SPOTS = Spots(IDS, np.arange(12.0).reshape(6, 2))
PANEL = GenePanel(genes=("A", "B"), median_total=100, mean=(1, 2), std=(1, 1), spots=8)
TRAINING = np.arange(6) < 3


def some(rows: np.ndarray, moved: float = 0) -> Spots:
    return Spots(IDS[rows], SPOTS.yx[rows] + moved)


def test_the_hash_of_spots_does_not_depend_on_their_order() -> None:
    assert spots_hash(SPOTS) == spots_hash(some(np.arange(6)[::-1]))
    assert spots_hash(SPOTS) == spots_hash(some(np.arange(6), moved=1e-6))
    assert spots_hash(SPOTS) != spots_hash(some(np.arange(5)))
    assert spots_hash(SPOTS) != spots_hash(some(np.arange(6), moved=1))


@pytest.mark.parametrize(
    ("spots", "training", "panel", "changed"),
    [
        (SPOTS, TRAINING, {}, set()),
        (SPOTS, ~TRAINING, {}, {"training spots"}),
        (some(np.arange(6), moved=5), TRAINING, {}, {"slide"}),
        (SPOTS, TRAINING, {"genes": ("B", "A")}, {"genes or their scale"}),
        (SPOTS, TRAINING, {"median_total": 101.0}, {"genes or their scale"}),
        (SPOTS, TRAINING, {"mean": (1.0000001, 2.0)}, set()),
        (some(np.arange(6)[::-1]), TRAINING[::-1], {}, set()),
    ],
)
def test_what_a_model_is_made_from(spots: Spots, training: Any, panel: dict[str, Any], changed: set[str]) -> None:
    first = training_basis(SPOTS, TRAINING, PANEL)
    second = training_basis(spots, training, PANEL.model_copy(update=panel))
    assert {name for name in first if first[name] != second[name]} == changed
