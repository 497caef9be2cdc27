"""Arrays to draw: a pale square of tissue with a dark half, 6 x 8 spots, two genes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from napari_c2lst.evaluation.figures.style import Tissue


@dataclass(frozen=True)
class Scene:
    tissue: Tissue
    yx_um: np.ndarray
    training: np.ndarray
    truth: np.ndarray


@pytest.fixture
def scene() -> Scene:
    image = np.full((80, 100, 3), (230, 190, 215), np.uint8)
    image[:, 50:] = (120, 80, 150)
    y, x = (grid.ravel() for grid in np.mgrid[:6, :8])
    yx = np.stack([150 + 100.0 * y, 150 + 100.0 * x], axis=1)
    rng = np.random.default_rng(0)
    truth = np.stack([x + rng.normal(0, 0.5, 48), y + rng.normal(0, 0.5, 48)], axis=1)
    return Scene(Tissue(image, 10.0), yx, np.arange(48) % 4 == 0, truth)
