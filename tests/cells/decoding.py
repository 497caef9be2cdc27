"""A slide whose colours are maps of real nuclei, and a network that reads them off: quick, exact and local.

With it everything around the network is tested on hundreds of nuclei whose truth is known: reading, tiles, joining,
going on after a kill, workers, clusters, bad tiles.
"""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.cells.maps import noisy
from tests.cells.slides import tissue_picture

from napari_c2lst.cells import segmenting, spreading, tiling
from napari_c2lst.cells.facts import CONSEP_TYPES, CellFacts, Density
from napari_c2lst.cells.inference import Maps
from napari_c2lst.cells.network import HoVerNet
from napari_c2lst.cells.weights import save_hovernet
from napari_c2lst.slides.images.tissue import TissueMask

FACTS = CellFacts(mode="fast", nr_types=5, types=CONSEP_TYPES, width=1 / 16, name="decoding", notice="for tests")


def encoded_picture(shared: Path) -> NDArray[np.uint8]:
    """(768, 768, 3) probability, horizontal and vertical maps of the tissue's nuclei as red, green and blue."""
    prob, h, v = noisy(tissue_picture(shared, "inst"), 0, 0.03)
    return np.clip(np.stack([prob * 254, (h + 1) * 127, (v + 1) * 127], axis=-1), 0, 254).round().astype(np.uint8)


class DecodingNet:
    """In place of `NucleusNet`; as a network does it takes 46 px off each side."""

    densities: ClassVar[list[Density]] = []  # of every one that was made; its colours are codes and stay as they are

    def __init__(
        self,
        model: Any,
        device: str = "cpu",
        precision: str = "auto",
        batch: int = 1,
        density: Density = (1.0, 1.0, 1.0),
    ) -> None:
        self.facts, self.content_hash, self.batch = model.facts, model.content_hash, batch
        self.densities.append(density)

    def maps(self, images: NDArray[np.uint8], reporter: Any = None) -> Maps:
        inner = images[:, 46:-46, 46:-46].astype(np.float32)
        prob = np.where((inner == 255).all(axis=-1), 0, inner[..., 0] / 254)
        # left nuclei are of another type than right ones
        types = np.where(prob > 0.5, np.where(inner[..., 1] < 127, 2, 3), 0).astype(np.uint8)
        return Maps(types, prob.astype(np.float32), inner[..., 1] / 127 - 1, inner[..., 2] / 127 - 1)


def all_tissue(slide: Any) -> TissueMask:
    height, width = slide.pyramid.shape
    return TissueMask(np.ones((-(-height // 32), -(-width // 32)), bool), 32.0)


def use_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `c2lst cells` read nuclei off the colours of an encoded picture."""
    monkeypatch.setattr(segmenting, "NucleusNet", DecodingNet)
    monkeypatch.setattr(spreading, "NucleusNet", DecodingNet)
    monkeypatch.setattr(tiling, "tissue_mask", all_tissue)
    spreading._net.cache_clear()


def write_weights(file: Path) -> Path:
    """Weights of the right kind, which `DecodingNet` does not look at."""
    return save_hovernet(HoVerNet(nr_types=5, width=1 / 16).eval(), FACTS, file)
