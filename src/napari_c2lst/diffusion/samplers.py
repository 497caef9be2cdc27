"""Drawing patches from a central or a local model, in micro-batches of one fixed size.

A network's output for one patch depends, in the last digits, on how many patches share its batch. So every evaluation
has the same number of rows, filled up where patches are missing, and patch i always sits in row i modulo that number:
the same (seed, index) gives the same patch however many are asked for at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_c2lst.common.device import autocast, autocast_dtype
from napari_c2lst.common.seeds import torch_generator

from .central import CentralModel
from .modulation import Maps, Modulation, modulated
from .solvers import SamplingPlan, denoise, image_noise
from .unet import NoiseNet, as_patches

MICRO_BATCH = 16
Patches = NDArray[np.uint8]


@dataclass(frozen=True)
class Engine:
    """A central model made ready to draw, and the number format it computes in.

    Attributes
    ----------
    central
        Its network was moved to `device`, in channels_last.
    device, dtype
        Where, and the autocast format (None = fp32).
    micro_batch
        Patches in one evaluation of the network.
    """

    central: CentralModel
    device: torch.device
    dtype: torch.dtype | None = None
    micro_batch: int = MICRO_BATCH

    def __post_init__(self) -> None:
        move(self.central.net, self.device)

    def predict(self, x: Tensor, t: Tensor, maps: Maps | None = None) -> Tensor:
        """Noise in fp32; modulated where maps are given."""
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), autocast(self.device, self.dtype), modulated(self.central.net, maps or {}):
            noise: Tensor = self.central.net(x, t)
        return noise.float()


def move(net: NoiseNet, device: torch.device) -> None:
    """Move a network to a device, with its weights in channels_last."""
    net.to(device=device)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def sample(
    engine: Engine,
    modulation: Modulation,
    conditions: NDArray[np.float32],
    plan: SamplingPlan,
    *,
    seed: int,
    first: int = 0,
) -> Patches:
    """Draw one patch for each condition.

    Parameters
    ----------
    engine, modulation
        The central model and what the local model learned.
    conditions
        z-scored expression, (N, d).
    plan
        Sampler, steps and guidance.
    seed
        Of the whole series.
    first
        Index of the first condition in the series: patch `first + i` belongs to `conditions[i]`.

    Returns
    -------
    uint8 (N, px, px, 3).
    """
    parts = [patches for _, patches in iter_sample(engine, modulation, conditions, plan, seed=seed, first=first)]
    return np.concatenate(parts) if parts else _no_patches(engine.central)


def iter_sample(
    engine: Engine,
    modulation: Modulation,
    conditions: NDArray[np.float32],
    plan: SamplingPlan,
    *,
    seed: int,
    first: int = 0,
) -> Iterator[tuple[int, Patches]]:
    """As `sample`, a micro-batch at a time: (index of the first patch in the series, patches)."""
    for start, stop in _micro_batches(first, first + len(conditions), engine.micro_batch):
        row = start % engine.micro_batch
        rows = np.zeros((engine.micro_batch, conditions.shape[1]), dtype=np.float32)
        rows[row : row + stop - start] = conditions[start - first : stop - first]
        branches = _LocalBranches(engine, modulation, torch.from_numpy(rows).to(engine.device))
        yield start, _draw(engine, branches, plan, seed, start, stop)


def sample_central(
    central: CentralModel, n: int, *, seed: int, plan: SamplingPlan | None = None, precision: str = "auto"
) -> Patches:
    """Draw patches from a central model alone, without any expression, where its network lies.

    Parameters
    ----------
    central
        The model.
    n
        How many patches.
    seed
        Of the series.
    plan
        Sampler and steps; None = DPM-Solver++ 2M, 20 steps. Guidance does nothing without a condition.
    precision
        Number format: auto, fp32, bf16.

    Returns
    -------
    uint8 (n, px, px, 3).
    """
    device = next(central.net.parameters()).device
    engine = Engine(central, device, autocast_dtype(device, precision))
    branches = _CentralBranches(engine)
    parts = [
        _draw(engine, branches, plan or SamplingPlan(), seed, start, stop)
        for start, stop in _micro_batches(0, n, engine.micro_batch)
    ]
    return np.concatenate(parts) if parts else _no_patches(central)


class _LocalBranches:
    """The local model; maps to (gamma, beta) are made once for all steps, both branches run in one batch."""

    def __init__(self, engine: Engine, modulation: Modulation, conditions: Tensor) -> None:
        n = len(conditions)
        self._engine, self._n = engine, n
        active = torch.arange(2 * n, device=conditions.device) < n
        with torch.inference_mode():
            self._both = modulation(torch.cat([conditions, conditions]), active)
        self._conditional = {name: (gamma[:n], beta[:n]) for name, (gamma, beta) in self._both.items()}

    def conditional(self, x: Tensor, t: Tensor) -> Tensor:
        return self._engine.predict(x, t, self._conditional)

    def both(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        noise = self._engine.predict(torch.cat([x, x]), torch.cat([t, t]), self._both)
        return noise[: self._n], noise[self._n :]


class _CentralBranches:
    """The central model: without a condition there is nothing to guide to."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def conditional(self, x: Tensor, t: Tensor) -> Tensor:
        return self._engine.predict(x, t)

    def both(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        noise = self._engine.predict(x, t)
        return noise, noise


def _draw(
    engine: Engine, branches: _LocalBranches | _CentralBranches, plan: SamplingPlan, seed: int, start: int, stop: int
) -> Patches:
    """Patches `start` to `stop` of a series, which share one micro-batch."""
    block = start - start % engine.micro_batch
    generators = [torch_generator(seed, "patch", i) for i in range(block, block + engine.micro_batch)]
    px = engine.central.spec.patch_px
    x = image_noise(generators, (3, px, px), engine.device)
    x = denoise(x, branches, engine.central.schedule, plan, generators)
    patches: Patches = as_patches(x[start - block : stop - block])
    return patches


def _micro_batches(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut [start, stop) at the multiples of `size`."""
    while start < stop:
        end = min(stop, start - start % size + size)
        yield start, end
        start = end


def _no_patches(central: CentralModel) -> Patches:
    px = central.spec.patch_px
    return np.zeros((0, px, px, 3), dtype=np.uint8)
