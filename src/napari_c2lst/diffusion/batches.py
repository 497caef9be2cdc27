"""Which patches a training batch holds and how they are turned: functions of (seed, number) alone."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_c2lst.common.seeds import rng


def batch_indices(count: int, batch: int, seed: int, number: int) -> NDArray[np.int64]:
    """The items of batch `number` (from 0): every item once an epoch, in an order that depends on (seed, epoch)."""
    places = np.arange(number * batch, (number + 1) * batch)
    epochs, inside = places // count, places % count
    orders = {epoch: _order(count, seed, int(epoch)) for epoch in np.unique(epochs)}
    return np.array([orders[e][i] for e, i in zip(epochs, inside, strict=True)], dtype=np.int64)


@lru_cache(maxsize=2)  # a batch lies in one epoch or across two; drawing 400,000 tiles' order takes longer than a batch
def _order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    order = rng(seed, "order", epoch).permutation(count)
    order.flags.writeable = False
    return order


def turned(x: Tensor, seed: int, *key: int, rows: tuple[int, int, int] | None = None) -> Tensor:
    """Each square patch of a batch (N, C, px, px) under one of the eight flips and quarter turns.

    Parameters
    ----------
    rows
        `(first, step, count)` when `x` is every `step`-th patch, from `first`, of a batch of `count`: each patch is
        turned as it would be in the whole batch.
    """
    first, step, count = rows or (0, 1, len(x))
    draw = rng(seed, "turn", *key)
    kinds = torch.from_numpy(draw.integers(8, size=count)[first::step]).to(x.device)
    out = torch.empty_like(x)
    for kind in range(8):
        picked = kinds == kind
        flipped = x[picked].flip(-1) if kind >= 4 else x[picked]
        out[picked] = torch.rot90(flipped, kind % 4, dims=(-2, -1))
    return out
