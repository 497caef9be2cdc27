"""Learning-rate schedules and moving averages that the training loops share."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from napari_c2lst.common.errors import RunFailure

if TYPE_CHECKING:
    import torch


def warmup_factor(step: int, steps: int, fraction: float) -> float:
    """Linear warm-up over the first `fraction` of `steps`: a factor in (0, 1] for 0-based `step`."""
    warmup = max(1, round(steps * fraction)) if fraction > 0 else 1
    return min(1.0, (step + 1) / warmup)


def cosine_rate(step: int, steps: int, *, first: float, last: float, warmup: float) -> float:
    """Linear warm-up to `first`, then a half cosine down to `last` at the final step."""
    begin = round(steps * warmup)
    if step < begin:
        return first * warmup_factor(step, steps, warmup)
    position = (step - begin) / max(1, steps - 1 - begin)
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(1.0, position)))


def set_rate(optimizer: "torch.optim.Optimizer", rate: float) -> None:
    """Set the learning rate of every parameter group."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def ema_decay(step: int, decay: float) -> float:
    """The decay of a moving average at 0-based `step`: short at the start, so that the first values fade quickly."""
    return min(decay, (1 + step) / (10 + step))


def ema_update(average: "Iterable[torch.Tensor]", current: "Iterable[torch.Tensor]", decay: float) -> None:
    """Set average to decay * average + (1 - decay) * current, in place."""
    import torch

    with torch.no_grad():
        for a, c in zip(average, current, strict=True):
            a.lerp_(c.to(a.dtype), 1 - decay)


def refuse_nan(step: int, loss: float, parameters: "Iterable[torch.Tensor]") -> None:
    """Stop a run whose loss or gradients are no numbers, before they reach the weights.

    Parameters
    ----------
    step
        0-based optimiser step, for the message.
    loss
        Loss of the step.
    parameters
        What is about to be updated, with gradients.

    Raises
    ------
    RunFailure
        If anything is NaN or infinite.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    if math.isfinite(loss) and all(bool(g.isfinite().all()) for g in gradients):
        return
    raise RunFailure(
        f"the loss or its gradients are not numbers at step {step + 1}",
        "run the same command again: it goes on from the last checkpoint; if it happens again add --precision fp32",
    )
