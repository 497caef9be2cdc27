"""The training loop of the predictor: L1 loss, Eq. (11), on real and synthetic patches.

Every random number and the order of the patches are functions of (seed, step): a run that was stopped and taken up
again ends with the weights of an unbroken one.
"""

import math
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_c2lst.common.checkpoints import load_optimizer_tensors, optimizer_tensors, with_prefix, without_prefix
from napari_c2lst.common.device import autocast, halve_on_out_of_memory, resolve_device
from napari_c2lst.common.durations import in_words
from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.learning import cosine_rate, ema_decay, ema_update, refuse_nan, set_rate
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.runs import RunFolder
from napari_c2lst.common.seeds import rng

from .augment import augment, draw
from .networks import ExpressionNet, build_network, number_format, pretrained_resnet
from .order import batch_indices
from .pool import Pool, Samples
from .settings import FitSettings

_METRICS_EACH = 10

_BF16_PIXELS = 32
"""Smaller patches come down to one pixel, and of a strided convolution over one pixel oneDNN (torch 2.13) writes only a
part of the bf16 gradient: the rest is whatever the memory held, at times NaN."""


def count_steps(settings: FitSettings, n_real: int) -> int:
    """Optimiser steps of a fit on `n_real` real spots: the same with and without synthetic pairs."""
    if settings.steps is not None:
        return settings.steps
    return settings.epochs * math.ceil(n_real * (1 + settings.count_as_ratio) / settings.batch)


def fit_predictor(
    real: Samples | None,
    synthetic: Samples | None,
    settings: FitSettings,
    reporter: Reporter,
    run: RunFolder | None = None,
    *,
    n_real: int | None = None,
) -> ExpressionNet:
    """Fit a network to the samples that are given.

    Parameters
    ----------
    real, synthetic
        What to learn from; None leaves that kind out.
    settings
        How. `settings.use` is the caller's affair: here all that is given is used.
    reporter
        Told of progress and loss, asked whether to stop.
    run
        Where checkpoints go, and what to resume from; without it nothing is written.
    n_real
        Number of real training spots that `epochs` count; only needed when `real` is None and `settings.steps` too.

    Returns
    -------
    ExpressionNet
        On the CPU, in evaluation mode.

    Raises
    ------
    InputError
        If neither kind is given, or their shapes do not fit together.
    Stopped
        If the reporter asked for it, after a checkpoint was saved in `run`.
    """
    pool = Pool.of(real, synthetic)
    steps = count_steps(settings, _real_count(pool.real, n_real, settings))
    fit = _Fit(pool, settings, steps, reporter)
    begin = fit.resume(run)
    if run is not None:
        reporter.message(f"{steps - begin} steps take about {in_words((steps - begin) * fit.seconds_a_step())}")
    # forked: the caller's random numbers stay his
    with torch.random.fork_rng(devices=[fit.device] if fit.device.type == "cuda" else []):
        for step in range(begin, steps):
            if reporter.stop_requested():
                raise fit.stopped(step, run)
            fit.step(step)
            reporter.progress(step + 1, steps, "training steps")
            if run is not None and (step + 1) % settings.checkpoint_every == 0 and step + 1 < steps:
                run.save_checkpoint(step + 1, fit.tensors(), {"steps": steps})
    return fit.result()


@dataclass
class _Fit:
    """What changes while a predictor is fitted."""

    pool: Pool
    settings: FitSettings
    steps: int
    reporter: Reporter
    losses: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        s = self.settings
        self.device = resolve_device(s.device)
        self.net = _network(s, self.pool).train()
        self.net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.dtype = self._number_format()
        self.optimizer = torch.optim.AdamW(_groups(self.net, s.weight_decay), lr=s.learning_rate)
        self.average = {k: v.detach().clone() for k, v in self.net.state_dict().items()} if s.ema else {}
        self.micro = s.batch

    def step(self, step: int) -> None:
        """One optimiser step."""
        s = self.settings
        inputs, targets = self._batch(step)
        # torch's own generator serves dropout alone; seeded here, it needs no place in the checkpoint
        torch.manual_seed(int(rng(s.seed, "dropout", step).integers(2**62)))
        set_rate(
            self.optimizer, cosine_rate(step, self.steps, first=s.learning_rate, last=s.last_rate, warmup=s.warmup)
        )
        loss = halve_on_out_of_memory(partial(self._gradients, inputs, targets), self.micro, self.reporter)
        refuse_nan(step, float(loss), self.net.parameters())
        self.optimizer.step()
        if self.average:
            self._update_average(step)
        self._report(step, loss)

    def seconds_a_step(self) -> float:
        """Time of a step on this device, from a trial that leaves no trace."""
        kept = {name: value.clone() for name, value in self.net.state_dict().items()}
        inputs, targets = self._batch(0)
        for _ in range(2):  # the first one also prepares the device
            begin = time.monotonic()
            float(halve_on_out_of_memory(partial(self._gradients, inputs, targets), self.micro, self.reporter))
        self.net.load_state_dict(kept)
        return time.monotonic() - begin

    def _number_format(self) -> torch.dtype | None:
        dtype = number_format(self.device, self.settings.precision, self.net.architecture)
        pixels = self.pool.patches[0].shape[1]
        if dtype is None or self.device.type != "cpu" or pixels >= _BF16_PIXELS:
            return dtype
        self.reporter.message(
            f"patches of {pixels} px are learnt in fp32: bf16 on a CPU needs at least {_BF16_PIXELS} px"
        )
        return None

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Augmented patches (n, 3, px, px) and expression (n, d) of a step, on the device."""
        s = self.settings
        index = batch_indices(s.seed, step, self.pool.real, self.pool.synthetic, s.batch, s.mix)
        patches, targets = self.pool.take(index)
        draws = draw(rng(s.seed, "augment", step), len(index), s.jitter)
        return augment(patches.to(self.device), draws), targets.to(self.device)

    def _gradients(self, inputs: Tensor, targets: Tensor, micro: int) -> Tensor:
        """L1 loss, Eq. (11), its gradient added up over chunks of `micro` patches."""
        self.micro = micro
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.device)
        for x, y in zip(torch.split(inputs, micro), torch.split(targets, micro), strict=True):
            with autocast(self.device, self.dtype):
                predicted = self.net(x)  # n d
            loss = nn.functional.l1_loss(predicted, y) * (len(x) / len(inputs))
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return total

    def _update_average(self, step: int) -> None:
        decay = ema_decay(step, self.settings.ema)
        current = self.net.state_dict()
        floating = [k for k, v in self.average.items() if v.is_floating_point()]
        ema_update([self.average[k] for k in floating], [current[k] for k in floating], decay)
        for k in self.average.keys() - set(floating):  # batch normalisation counts its batches
            self.average[k].copy_(current[k])

    def _report(self, step: int, loss: Tensor) -> None:
        self.losses.append(loss)
        if (step + 1) % _METRICS_EACH == 0 or step + 1 == self.steps:
            mean = float(torch.stack(self.losses).mean())
            self.reporter.metrics(step + 1, {"loss": mean, "rate": self.optimizer.param_groups[0]["lr"]})
            self.losses.clear()

    def tensors(self) -> dict[str, Tensor]:
        """All tensors of a checkpoint."""
        return {
            **with_prefix(self.net.state_dict(), "net."),
            **with_prefix(self.average, "average."),
            **optimizer_tensors(self.optimizer),
        }

    def resume(self, run: RunFolder | None) -> int:
        """Load the checkpoint of `run`, if there is one; the step to go on with."""
        loaded = None if run is None else run.load_checkpoint()
        if loaded is None:
            return 0
        tensors, state = loaded
        self._refuse_other_fit(without_prefix(tensors, "net."), state)
        self.net.load_state_dict(without_prefix(tensors, "net."))
        load_optimizer_tensors(self.optimizer, tensors)
        for name, value in without_prefix(tensors, "average.").items():
            self.average[name].copy_(value)
        self.reporter.going_on(f"at step {state['step']} of {self.steps}")
        return int(state["step"])

    def _refuse_other_fit(self, weights: dict[str, Tensor], state: dict[str, Any]) -> None:
        """A checkpoint named by the user may be of another fit: the rate of a step depends on the number of steps."""
        mine = self.net.state_dict()
        if {k: v.shape for k, v in weights.items()} != {k: v.shape for k, v in mine.items()}:
            raise MismatchError("the checkpoint is of another network or another number of genes", "check --resume")
        if state.get("steps") != self.steps:
            raise MismatchError(
                f"the checkpoint is of a training of {state.get('steps')} steps, not {self.steps}", "check --resume"
            )

    def stopped(self, step: int, run: RunFolder | None) -> Stopped:
        """Save a checkpoint and make the exception that says so."""
        message = f"training was stopped at step {step} of {self.steps}"
        if run is None:
            return Stopped(message)
        return Stopped(message, run.continue_hint(), run.save_checkpoint(step, self.tensors(), {"steps": self.steps}))

    def result(self) -> ExpressionNet:
        """The fitted network (its moving average, if one is kept)."""
        if self.average:
            self.net.load_state_dict(self.average)
        self.net.eval().requires_grad_(False).cpu()
        return self.net


def _real_count(given: int, n_real: int | None, settings: FitSettings) -> int:
    count = n_real or given
    if not count and settings.steps is None:
        raise InputError("epochs cannot be counted without real spots", "set steps, or say n_real")
    return count


def _network(settings: FitSettings, pool: Pool) -> ExpressionNet:
    genes = pool.targets[0].shape[1]
    # forked, so that the caller's random numbers do not change
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng(settings.seed, "network").integers(2**62)))
        if settings.weights is not None:
            net = pretrained_resnet(
                settings.weights, genes, allow_download=settings.allow_download, dropout=settings.dropout
            )
        else:
            net = build_network({"name": settings.network}, genes, dropout=settings.dropout)
    # the first entry: the real spots where there are any, since synthetic ones repeat their expression
    net.start_at(torch.from_numpy(np.median(pool.targets[0], axis=0)))
    return net


def _groups(net: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Parameter groups: decay pulls weights to zero, but not biases and norms, whose place is not zero."""
    parameters = [p for p in net.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
