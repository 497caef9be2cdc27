"""Patches whose expression is known."""

from __future__ import annotations

import numpy as np


def coloured_patches(n: int, px: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Patches whose redness is their expression: genes 0 and 1 rise with it, gene 2 falls, gene 3 does not care."""
    rng = np.random.default_rng(seed)
    red = rng.random(n)
    patches = np.full((n, px, px, 3), 120.0)
    patches[..., 0] = (60 + 180 * red)[:, None, None]
    patches += rng.normal(0, 8, patches.shape)
    targets = np.stack([3 * red, 1 + red, 2 - 2 * red, rng.random(n)], axis=1)
    return np.clip(patches, 0, 255).astype(np.uint8), targets.astype(np.float32)
