"""A central model of a few thousand parameters, and a slide's worth of made-up spots."""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_c2lst.diffusion.central import CentralModel
from napari_c2lst.diffusion.local import LocalFacts, LocalModel
from napari_c2lst.diffusion.modulation import Modulation, norm_channels
from napari_c2lst.diffusion.schedule import NoiseSchedule
from napari_c2lst.diffusion.unet import build_noise_net
from napari_c2lst.slides.genes.panel import GenePanel
from napari_c2lst.slides.patches.cutting import PatchSpec

GENES = 6
PX = 16


def tiny_central(seed: int = 0, name: str = "tiny") -> CentralModel:
    """Two levels of 8 and 16 channels behind a 2 x 2 stem, 16 px patches, random weights."""
    torch.manual_seed(seed)
    net = build_noise_net(patch_px=PX, stem=2, widths=(8, 16), blocks=1, attention_levels=1)
    return CentralModel(net, NoiseSchedule(), PatchSpec(patch_px=PX), name)


def tiny_modulation(central: CentralModel, null: str = "learned", *, learned: bool = False) -> Modulation:
    """A modulation of every norm; `learned` gives it random weights, as if it had been trained."""
    torch.manual_seed(1)
    modulation = Modulation(GENES, 4, norm_channels(central.net), null)
    if learned:
        with torch.no_grad():
            for parameter in modulation.parameters():
                parameter.normal_(std=0.3)
    return modulation.requires_grad_(not learned)


def tiny_panel(targets: NDArray[np.float32]) -> GenePanel:
    return GenePanel(
        genes=tuple(f"G{i}" for i in range(targets.shape[1])),
        median_total=100.0,
        mean=tuple(targets.mean(0).tolist()),
        std=tuple(targets.std(0).tolist()),
        spots=len(targets),
    )


def tiny_targets(n: int = 12, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).gamma(2.0, 0.5, size=(n, GENES)).astype(np.float32)


def tiny_patches(n: int = 12, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, size=(n, PX, PX, 3), dtype=np.uint8)


def tiny_facts(central: CentralModel, n: int = 12) -> LocalFacts:
    return LocalFacts(
        central_hash=central.content_hash,
        central_source="embedded",
        central_name=central.name,
        slide="S1",
        panel=tiny_panel(tiny_targets(n)),
        spec=central.spec,
        training_ids=tuple(f"spot{i}" for i in range(n)),
    )


def tiny_local(central: CentralModel, n: int = 12) -> LocalModel:
    return LocalModel(tiny_modulation(central, learned=True), tiny_facts(central, n))
