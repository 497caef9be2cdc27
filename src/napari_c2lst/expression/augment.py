"""Flips, quarter turns and colour jitter: one augmentation for real and for synthetic patches.

The same for both, else the comparison between training with and without synthetic pairs would measure the augmentation.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TURNS = 8  # the symmetries of a square: two flips and the transposition, on or off
_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Draws:
    """What chance decides for a batch of N patches.

    Attributes
    ----------
    turn
        (N,) which of the eight symmetries of the square.
    brightness, contrast, saturation
        (N,) factors around 1.
    """

    turn: NDArray[np.int64]
    brightness: NDArray[np.float32]
    contrast: NDArray[np.float32]
    saturation: NDArray[np.float32]


def draw(rng: np.random.Generator, n: int, jitter: float) -> Draws:
    """Draw the augmentation of `n` patches.

    Parameters
    ----------
    jitter
        Largest change of brightness, contrast and saturation, as a share: 0.1 draws factors from 0.9 to 1.1.
    """
    factors = rng.uniform(1 - jitter, 1 + jitter, (3, n)).astype(np.float32)
    return Draws(rng.integers(0, TURNS, n), *factors)


def augment(patches: Tensor, draws: Draws) -> Tensor:
    """Apply draws to patches.

    Parameters
    ----------
    patches
        (N, 3, px, px) uint8.

    Returns
    -------
    Tensor
        (N, 3, px, px) float32 in 0 to 255.
    """
    device = patches.device
    turned = turn(patches, torch.from_numpy(draws.turn).to(device))
    return _jitter(
        turned.float(), *(torch.from_numpy(f).to(device) for f in (draws.brightness, draws.contrast, draws.saturation))
    )


def turn(patches: Tensor, turns: Tensor) -> Tensor:
    """Apply to each patch its own symmetry of the square.

    Parameters
    ----------
    patches
        (N, C, px, px).
    turns
        (N,) in 0..7; 0 leaves a patch as it is. Bit 0 flips up-down, bit 1 left-right, bit 2 transposes.
    """
    bits = [((turns >> b) & 1).bool().view(-1, 1, 1, 1) for b in range(3)]
    patches = torch.where(bits[0], patches.flip(2), patches)
    patches = torch.where(bits[1], patches.flip(3), patches)
    return torch.where(bits[2], patches.transpose(2, 3), patches)


def turned(patches: Tensor, by: int) -> Tensor:
    """Apply the same symmetry of the square, one of `turn`'s, to all patches (N, C, px, px)."""
    if by & 1:
        patches = patches.flip(2)
    if by & 2:
        patches = patches.flip(3)
    return patches.transpose(2, 3) if by & 4 else patches


def _jitter(x: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    b, c, s = (f.view(-1, 1, 1, 1) for f in (brightness, contrast, saturation))
    x = x * b
    level = x.mean((1, 2, 3), keepdim=True)
    x = level + (x - level) * c
    grey = (x * x.new_tensor(_GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return (grey + (x - grey) * s).clamp_(0, 255)
