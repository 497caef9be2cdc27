"""Classifier-free guidance, and what keeps it from over-saturating."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Guidance:
    """How strongly, when and how the expression is enforced.

    Parameters
    ----------
    scale
        s of `uncond + s (cond - uncond)` (paper 2.5: 3); 1 = the conditional model as it is.
    low, high
        Guidance acts at steps t with low <= t / (T - 1) <= high only (arXiv 2404.07724); elsewhere the conditional
        branch alone is evaluated, which is half the work.
    rescale
        phi in [0, 1]: how far the guided clean patch takes back the colours of the conditional one.
    """

    scale: float = 3.0
    low: float = 0.0
    high: float = 1.0
    rescale: float = 0.0

    def acts(self, t: int, steps: int = 1000) -> bool:
        """Whether both branches are needed at step `t` of a schedule of so many steps."""
        return self.scale != 1.0 and self.low <= t / (steps - 1) <= self.high


def guide(cond: Tensor, uncond: Tensor, scale: float) -> Tensor:
    """`uncond + scale * (cond - uncond)` (paper 2.5)."""
    return uncond + scale * (cond - uncond)


def rescale_colours(guided: Tensor, cond: Tensor, phi: float) -> Tensor:
    """Bring guided clean patches towards the colour statistics of the conditional ones.

    As the rescaling of arXiv 2305.08891, but on the clean patch, where saturation shows (the spread of the
    predicted noise hardly tells it), and with the mean and the spread of each colour channel: H&E is far from grey,
    and over-guided patches turn magenta or teal by their mean.

    Parameters
    ----------
    guided, cond
        Predicted clean patches, (N, 3, H, W).
    phi
        0 = guided as it is, 1 = the mean and the spread of `cond` entirely.
    """
    if phi == 0:
        return guided
    std_g, mean_g = torch.std_mean(guided, dim=(2, 3), keepdim=True)  # (N, 3, 1, 1)
    std_c, mean_c = torch.std_mean(cond, dim=(2, 3), keepdim=True)
    matched = mean_c + (guided - mean_g) * (std_c / std_g.clamp_min(1e-4))
    return phi * matched + (1 - phi) * guided
