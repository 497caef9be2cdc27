"""Random numbers as pure functions of (seed, key): a resumed run draws what an unbroken one would have drawn."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def _entropy(seed: int, key: tuple[int | str, ...]) -> int:
    # a hash, not Python's hash(): that one differs from process to process for strings
    text = "\x1f".join(f"{type(k).__name__}:{k}" for k in (seed, *key))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")


def rng(seed: int, *key: int | str) -> np.random.Generator:
    """A NumPy generator that depends on the seed and the key alone."""
    return np.random.default_rng(_entropy(seed, key))


def torch_generator(seed: int, *key: int | str, device: str = "cpu") -> "torch.Generator":
    """A torch generator that depends on the seed and the key alone."""
    import torch

    return torch.Generator(device=device).manual_seed(_entropy(seed, key) % 2**63)
