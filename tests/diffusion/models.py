"""Tiny models for tests: real networks, a few thousand weights."""

import torch

from napari_c2lst.diffusion.central import CentralModel
from napari_c2lst.diffusion.schedule import NOISE, NoiseSchedule
from napari_c2lst.diffusion.unet import build_noise_net
from napari_c2lst.slides.patches.cutting import PatchSpec


def tiny_central(
    seed: int = 0, *, patch_px: int = 16, patch_um: float = 112.0, stain=None, prediction=NOISE
) -> CentralModel:
    """A central model of random weights that takes 16 px patches."""
    torch.manual_seed(seed)
    schedule = NoiseSchedule(prediction=prediction)
    net = build_noise_net(
        patch_px=patch_px,
        stem=2,
        widths=(8, 16),
        blocks=1,
        attention_levels=1,
        alphas_cumprod=schedule.velocity_alphas,
    )
    spec = PatchSpec(patch_um=patch_um, patch_px=patch_px, stain=stain)
    return CentralModel(net, schedule, spec, "tiny", {"data": "noise", "licence": "none", "steps": 0})
