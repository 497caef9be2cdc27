"""The noise-prediction network: a diffusers `UNet2DModel` behind a space-to-depth stem."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class NoiseNet(nn.Module):
    """Predicts the noise in a noisy patch, Eq. (3).

    With `stem` = s the U-Net sees s x s pixel squares as channels: 64 px patches cost what 32 px ones do at s = 2.

    With `alphas_cumprod` the U-Net's output is read as the velocity v = sqrt(a) noise - sqrt(1 - a) x_0 (Salimans and
    Ho, arXiv 2202.00512) and turned into noise. Nothing else changes: the loss with min-SNR weights is the same one
    of the predicted patch. At high noise a small error of the noise is a large one of the patch, a small error of the
    velocity is not: a small network learns the overall colour sooner.

    Parameters
    ----------
    unet
        A diffusers `UNet2DModel` with `3 * stem**2` channels in and out.
    stem
        Side of the squares; 1 leaves the patch as it is.
    alphas_cumprod
        (T,) a_t of the noise schedule if the U-Net predicts velocity; None if it predicts noise.

    Raises
    ------
    ValueError
        If the U-Net's channels do not fit the stem.
    """

    alphas_cumprod: Tensor | None

    def __init__(self, unet: nn.Module, stem: int = 1, alphas_cumprod: Tensor | None = None) -> None:
        super().__init__()
        config: Any = unet.config
        if config.in_channels != 3 * stem**2 or config.out_channels != 3 * stem**2:
            raise ValueError(f"a stem of {stem} needs {3 * stem**2} channels, the U-Net has {config.in_channels}")
        self.unet = unet
        self.stem = stem
        self.register_buffer("alphas_cumprod", alphas_cumprod, persistent=False)

    @property
    def patch_px(self) -> int:
        """Side of the patches in pixels."""
        config: Any = self.unet.config
        return int(config.sample_size) * self.stem

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Noise (N, 3, px, px) of noisy patches `x` (N, 3, px, px) at time steps `t` (N,)."""
        h = F.pixel_unshuffle(x, self.stem)  # (N, 3 s^2, px/s, px/s)
        h = self.unet(h, t, return_dict=False)[0]  # (N, 3 s^2, px/s, px/s)
        out = F.pixel_shuffle(h, self.stem)  # (N, 3, px, px)
        if self.alphas_cumprod is None:
            return out
        a = self.alphas_cumprod[t].view(-1, 1, 1, 1)
        return (1 - a).sqrt() * x + a.sqrt() * out


def build_noise_net(
    *,
    patch_px: int,
    stem: int,
    widths: tuple[int, ...],
    blocks: int,
    attention_levels: int,
    alphas_cumprod: Tensor | None = None,
) -> NoiseNet:
    """A new network with random weights.

    Parameters
    ----------
    patch_px
        Side of a patch in pixels; divisible by `stem * 2**(levels - 1)`.
    stem
        Side of the space-to-depth squares.
    widths
        Channels of each level; the paper's are 64, 128, 256, 512.
    blocks
        ResNet blocks a level.
    attention_levels
        How many of the lowest levels have self-attention.
    alphas_cumprod
        (T,) of the noise schedule for a U-Net that predicts velocity; None for noise.
    """
    from diffusers.models.unets.unet_2d import UNet2DModel

    levels = len(widths)
    plain = levels - attention_levels
    unet = UNet2DModel(
        sample_size=patch_px // stem,
        in_channels=3 * stem**2,
        out_channels=3 * stem**2,
        block_out_channels=tuple(widths),
        layers_per_block=blocks,
        down_block_types=("DownBlock2D",) * plain + ("AttnDownBlock2D",) * attention_levels,
        up_block_types=("AttnUpBlock2D",) * attention_levels + ("UpBlock2D",) * plain,
        # the middle has attention of the lowest level's width even if no level has
        attention_head_dim=_common_divisor(widths[plain:] or widths[-1:]),
        norm_num_groups=_common_divisor(widths),
    )
    return NoiseNet(unet, stem, alphas_cumprod)


def _common_divisor(widths: tuple[int, ...]) -> int:
    """The largest number up to 32 that divides every width."""
    return next(d for d in range(min(32, *widths), 0, -1) if all(w % d == 0 for w in widths))


def count_parameters(module: nn.Module) -> int:
    """How many numbers a module holds as parameters."""
    return sum(p.numel() for p in module.parameters())


def as_batch(patches: Any) -> Tensor:
    """uint8 patches (N, px, px, 3) as a float batch (N, 3, px, px) in [-1, 1]."""
    return torch.as_tensor(patches).permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1


def as_patches(batch: Tensor) -> Any:
    """A batch (N, 3, px, px) in [-1, 1] as uint8 patches (N, px, px, 3); values outside are clipped."""
    scaled = ((batch.float().clamp(-1, 1) + 1) * 127.5).round()
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
