"""The forward process and its loss weights, Eq. (1)-(6) of arXiv 2603.26827."""

from typing import Any

import torch
from torch import Tensor

# The paper does not state T or the noise schedule; ours are 1000 and the cosine.
TRAIN_STEPS = 1000
BETA_SCHEDULE = "squaredcos_cap_v2"
# diffusers' names for what a U-Net may predict
NOISE, VELOCITY = "epsilon", "v_prediction"


class NoiseSchedule:
    """How much of the patch is left at each of T time steps.

    Parameters
    ----------
    scheduler
        A diffusers `DDPMScheduler`; None makes ours (T = 1000, cosine).
    prediction
        Without a scheduler: what the U-Net predicts, `NOISE` or `VELOCITY`.

    Attributes
    ----------
    alphas_cumprod
        (T,) float32, from nearly 1 to nearly 0.
    """

    def __init__(self, scheduler: Any = None, *, prediction: str = NOISE) -> None:
        from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

        self.scheduler = scheduler or DDPMScheduler(
            num_train_timesteps=TRAIN_STEPS, beta_schedule=BETA_SCHEDULE, prediction_type=prediction
        )
        self.alphas_cumprod: Tensor = self.scheduler.alphas_cumprod.to(torch.float32)

    @property
    def config(self) -> dict[str, Any]:
        """The diffusers configuration, from which other samplers are made."""
        return dict(self.scheduler.config)

    @property
    def velocity_alphas(self) -> Tensor | None:
        """`alphas_cumprod` if the U-Net predicts velocity, else None: what `NoiseNet` takes."""
        return self.alphas_cumprod if self.config["prediction_type"] == VELOCITY else None

    def __len__(self) -> int:
        return len(self.alphas_cumprod)

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise, Eq. (2); `x0`, `noise` (N, 3, px, px), `t` (N,)."""
        a = self._at(t, x0)
        return a.sqrt() * x0 + (1 - a).sqrt() * noise

    def snr(self, t: Tensor) -> Tensor:
        """Signal-to-noise ratio a_t / (1 - a_t) at time steps `t` (N,)."""
        a = self.alphas_cumprod.to(t.device)[t]
        return a / (1 - a)

    def min_snr_weight(self, t: Tensor, gamma: float = 5.0) -> Tensor:
        """min(snr, gamma) / snr: the min-SNR weight (N,) for noise prediction."""
        snr = self.snr(t)
        return snr.clamp(max=gamma) / snr

    def _at(self, t: Tensor, like: Tensor) -> Tensor:
        return self.alphas_cumprod.to(like.device)[t].view(-1, *[1] * (like.dim() - 1))


def noise_prediction_loss(predicted: Tensor, noise: Tensor, t: Tensor, schedule: NoiseSchedule, gamma: float) -> Tensor:
    """Weighted squared error of each patch (N,), Eq. (6): the mean over pixels times the min-SNR weight."""
    error = (predicted.float() - noise).pow(2).flatten(1).mean(1)
    return error * schedule.min_snr_weight(t, gamma)
