"""The order in which samples are shown: a function of (seed, step), so that a resumed fit goes on where it stood."""

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.seeds import rng

from .settings import Mix


def batch_indices(seed: int, step: int, n_real: int, n_synthetic: int, batch: int, mix: Mix) -> NDArray[np.int64]:
    """Which samples make up the batch of a step; a function of its arguments alone.

    Parameters
    ----------
    n_real, n_synthetic
        Numbers of samples; indices below `n_real` are real ones.
    mix
        'pooled' walks through shuffles of all samples; 'balanced' through shuffles of each kind, half a batch of each.
    """
    if mix == "pooled" or not (n_real and n_synthetic):
        return _walk(seed, "all", n_real + n_synthetic, step * batch, batch)
    half = (batch + 1) // 2
    real = _walk(seed, "real", n_real, step * half, half)
    made = _walk(seed, "synthetic", n_synthetic, step * (batch - half), batch - half)
    return np.concatenate([real, n_real + made])


def _walk(seed: int, kind: str, n: int, start: int, count: int) -> NDArray[np.int64]:
    """Positions `start` to `start + count` of an endless row of shuffles of n samples: no sample twice in a shuffle."""
    first, last = start // n, (start + count - 1) // n
    row = np.concatenate([rng(seed, "order", kind, epoch).permutation(n) for epoch in range(first, last + 1)])
    return row[start - first * n : start - first * n + count]
