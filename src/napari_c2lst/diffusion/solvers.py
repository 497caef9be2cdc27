"""Solvers: from noise to clean patches by DDIM, DPM-Solver++ 2M or UniPC.

Every solver works on the predicted clean patch, clipped to [-1, 1]. So the clip is plain, the same for all, and comes
after guidance; diffusers' solvers are told that the network predicts the clean patch (`prediction_type="sample"`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from napari_c2lst.common.errors import InputError

from .guidance import Guidance, guide, rescale_colours
from .schedule import NoiseSchedule
from .settings import SamplerName

# log(alpha / sigma) below this is left out: the cosine schedule ends where alpha is 5e-5, and dividing by that
# turns a rounding error of the noise into a clipped, black-and-white patch that a second-order solver then trusts
LAMBDA_MIN = -5.1
# steps even in log-SNR end here: what noise is left at t = 5 (1 % of the range) goes in the last evaluation
LAST_STEP = 5


@dataclass(frozen=True)
class SamplingPlan:
    """How to sample.

    Parameters
    ----------
    sampler
        "dpm++2m" and "unipc" (second order, 10 to 20 steps) or "ddim" (the paper's, 250).
    steps
        Number of steps; each is one evaluation of the network, or two (in one batch) where guidance acts.
    guidance
        See `Guidance`.
    eta
        Fresh noise in DDIM: 0 none, 1 as much as DDPM. Other samplers have none.
    spacing
        "even", "logsnr", or "auto": even for DDIM, as in the paper, logsnr for the others; see `timesteps`.
    """

    sampler: SamplerName = "dpm++2m"
    steps: int = 20
    guidance: Guidance = field(default_factory=Guidance)
    eta: float = 0.0
    spacing: Literal["auto", "even", "logsnr"] = "auto"

    @property
    def uniform_logsnr(self) -> bool:
        """Whether time steps are even in the logarithm of the signal-to-noise ratio."""
        return self.spacing == "logsnr" or (self.spacing == "auto" and self.sampler != "ddim")

    def evaluations(self, schedule: NoiseSchedule) -> int:
        """Evaluations of the network for one patch."""
        return sum(2 if self.guidance.acts(t, len(schedule)) else 1 for t in timesteps(self, schedule))


class Branches(Protocol):
    """The network as the sampler sees it."""

    def conditional(self, x: Tensor, t: Tensor) -> Tensor:
        """Noise (N, 3, px, px) as the condition has it."""

    def both(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """The same with and without the condition, evaluated in one batch."""


def timesteps(plan: SamplingPlan, schedule: NoiseSchedule) -> list[int]:
    """The time steps of a plan, from noise to patch.

    "even": for DDIM "trailing", T-1, T-1-T/n, ..., as in denoising-diffusion-pytorch (diffusers' own default,
    "leading", leaves out the noisiest ones); for the others "linspace", from the last step above `LAMBDA_MIN` down.

    "logsnr": even in the logarithm of the signal-to-noise ratio, as the DPM-Solver paper (arXiv 2206.00927) has it,
    from `LAMBDA_MIN` to `LAST_STEP`. Even steps jump over most of the range of noise levels at both ends: colours are
    settled in the first one, texture is lost in the last. With a 2.7 M-parameter central model 20 steps of 2M end
    1.1 grey levels from DDIM-250 on average; 20 even ones end 4.1 from it.

    Raises
    ------
    InputError
        If the schedule has fewer steps.
    """
    total, n = len(schedule), plan.steps
    if n > total:
        raise InputError(f"{n} steps are more than the {total} the central model was trained on", "use fewer --steps")
    a = schedule.alphas_cumprod.double()
    snr = 0.5 * torch.log(a / (1 - a))  # falls with t
    first = int((snr >= LAMBDA_MIN).sum()) - 1
    if plan.uniform_logsnr:
        levels = np.linspace(float(snr[first]), float(snr[LAST_STEP]), n)
        steps = np.interp(levels, snr.flip(0).numpy(), np.arange(total)[::-1])
    elif plan.sampler == "ddim":
        steps = np.round(np.arange(total, 0, -total / n))[:n] - 1
    else:
        steps = np.linspace(0, first, n + 1)[:0:-1]
    return _falling([round(t) for t in steps.tolist()], total)


def _falling(steps: list[int], total: int) -> list[int]:
    """The same steps, moved where rounding made two of them one; the last ones always reach down to 0."""
    out, before = [], total
    for left, t in zip(range(len(steps) - 1, -1, -1), steps, strict=True):
        before = max(min(t, before - 1), left)
        out.append(before)
    return out


def denoise(
    x: Tensor,
    branches: Branches,
    schedule: NoiseSchedule,
    plan: SamplingPlan,
    generators: Sequence[torch.Generator] = (),
) -> Tensor:
    """Sample clean patches from noise.

    Parameters
    ----------
    x
        Standard normal noise, (N, 3, px, px), float32.
    branches
        The network.
    schedule, plan
        The noise levels it was trained on, and how to walk down them.
    generators
        One for each patch, for DDIM's fresh noise; needed when `plan.eta` > 0.

    Returns
    -------
    (N, 3, px, px) in [-1, 1].
    """
    solver = _solver(plan, schedule, generators)
    for t in timesteps(plan, schedule):
        x0 = _clean(x, t, branches, schedule, plan.guidance)
        x = solver.step(x0, t, x)
    return x.clamp(-1, 1)


def _clean(x: Tensor, t: int, branches: Branches, schedule: NoiseSchedule, guidance: Guidance) -> Tensor:
    """The clean patch as the guided network predicts it, in [-1, 1]."""
    a = float(schedule.alphas_cumprod[t])
    alpha, sigma = math.sqrt(a), math.sqrt(1 - a)
    times = torch.full((len(x),), t, device=x.device, dtype=torch.long)
    if not guidance.acts(t, len(schedule)):
        return ((x - sigma * branches.conditional(x, times)) / alpha).clamp(-1, 1)
    cond, uncond = branches.both(x, times)
    x0 = (x - sigma * guide(cond, uncond, guidance.scale)) / alpha
    if guidance.rescale:
        x0 = rescale_colours(x0, ((x - sigma * cond) / alpha).clamp(-1, 1), guidance.rescale)
    return x0.clamp(-1, 1)


class _Solver(Protocol):
    def step(self, x0: Tensor, t: int, x: Tensor) -> Tensor: ...


def _solver(plan: SamplingPlan, schedule: NoiseSchedule, generators: Sequence[torch.Generator]) -> _Solver:
    return _Ddim(plan, schedule, generators) if plan.sampler == "ddim" else _Diffusers(plan, schedule)


class _Ddim:
    """DDIM, Eq. (12) and (16) of arXiv 2010.02502.

    diffusers' one takes the previous time step to be t - T // n, which is right only where n divides T.
    """

    def __init__(self, plan: SamplingPlan, schedule: NoiseSchedule, generators: Sequence[torch.Generator]) -> None:
        steps = timesteps(plan, schedule)
        self._next = dict(zip(steps, [*steps[1:], -1], strict=True))
        self._a = schedule.alphas_cumprod.double()
        self._eta, self._generators = plan.eta, generators

    def step(self, x0: Tensor, t: int, x: Tensor) -> Tensor:
        after = self._next[t]
        a, b = float(self._a[t]), float(self._a[after]) if after >= 0 else 1.0
        noise = (x - math.sqrt(a) * x0) / math.sqrt(1 - a)  # of the clipped patch
        fresh = self._eta * math.sqrt((1 - b) / (1 - a) * (1 - a / b))  # Eq. (16)
        x = math.sqrt(b) * x0 + math.sqrt(max(0.0, 1 - b - fresh**2)) * noise
        return x + fresh * image_noise(self._generators, x.shape[1:], x.device) if fresh > 0 else x


class _Diffusers:
    """A multistep solver of diffusers, on our own time steps."""

    def __init__(self, plan: SamplingPlan, schedule: NoiseSchedule) -> None:
        from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
        from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

        betas = np.asarray(schedule.scheduler.betas, dtype=np.float64)
        kind: Any = DPMSolverMultistepScheduler if plan.sampler == "dpm++2m" else UniPCMultistepScheduler
        self._scheduler = kind(num_train_timesteps=len(betas), trained_betas=betas, prediction_type="sample")
        self._scheduler.set_timesteps(plan.steps)
        # UniPC has no clipping of lambda: both solvers are given the same steps and noise levels by hand
        steps = timesteps(plan, schedule)
        a = schedule.alphas_cumprod.double()[steps]
        self._scheduler.timesteps = torch.tensor(steps)
        self._scheduler.sigmas = torch.cat([((1 - a) / a).sqrt(), torch.zeros(1)]).float()

    def step(self, x0: Tensor, t: int, x: Tensor) -> Tensor:
        after: Tensor = self._scheduler.step(x0, t, x, return_dict=False)[0]
        return after


def image_noise(generators: Sequence[torch.Generator], shape: Sequence[int], device: torch.device) -> Tensor:
    """Standard normal noise (N, *shape), each patch's from its own generator.

    Drawn on the CPU, so that a patch's noise depends neither on its batch nor on the device.
    """
    return torch.stack([torch.randn(tuple(shape), generator=g) for g in generators]).to(device)
