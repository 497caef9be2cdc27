"""The steps of adaptation: the U-Net is frozen, only the modulation learns, Eq. (10)."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_c2lst.common.checkpoints import load_optimizer_tensors, optimizer_tensors, with_prefix, without_prefix
from napari_c2lst.common.device import autocast, halve_on_out_of_memory
from napari_c2lst.common.learning import ema_decay, ema_update, refuse_nan, set_rate, warmup_factor
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.seeds import torch_generator

from .batches import batch_indices, turned
from .central import CentralModel
from .modulation import Modulation, bind
from .samplers import move
from .schedule import noise_prediction_loss
from .settings import AdaptSettings
from .unet import as_batch


@dataclass(frozen=True)
class Spots:
    """The training spots: patches uint8 (n, px, px, 3) and z-scored expression float32 (n, d)."""

    patches: NDArray[np.uint8]
    conditions: NDArray[np.float32]


@dataclass(frozen=True)
class _Batch:
    """One batch as drawn: clean patches, conditions, noise, time steps, and who keeps the condition."""

    x0: Tensor  # (N, 3, px, px)
    conditions: Tensor  # (N, d)
    noise: Tensor  # (N, 3, px, px)
    t: Tensor  # (N,)
    active: Tensor  # (N,)

    def rows(self, part: slice) -> "_Batch":
        return _Batch(self.x0[part], self.conditions[part], self.noise[part], self.t[part], self.active[part])


class LocalFit:
    """The state of an adaptation: modulation, its moving average, optimiser.

    What a step draws depends on (seed, step) alone, so a resumed run is the unbroken one.

    Parameters
    ----------
    central
        The central model; its parameters stay as they are.
    modulation
        What learns.
    spots
        The training spots.
    settings
        Steps, batch, rates.
    device, dtype
        Where, and the autocast format (None = fp32).
    reporter
        Told when memory runs out.
    """

    def __init__(
        self,
        central: CentralModel,
        modulation: Modulation,
        spots: Spots,
        settings: AdaptSettings,
        device: torch.device,
        dtype: torch.dtype | None,
        reporter: Reporter,
    ) -> None:
        move(central.net, device)
        self.central, self.modulation, self.settings = central, modulation.to(device), settings
        self.device, self.dtype, self._reporter = device, dtype, reporter
        self._patches = spots.patches
        self._conditions = torch.from_numpy(spots.conditions)
        self._parameters = list(modulation.parameters())
        self._average = [p.detach().clone() for p in self._parameters]
        self._optimizer = torch.optim.AdamW(
            self._parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._rows = settings.batch  # rows that fit into the device's memory; halved when they do not

    def step(self, step: int) -> float:
        """Take optimiser step `step` (from 0) and return its loss."""
        s = self.settings
        set_rate(self._optimizer, s.learning_rate * warmup_factor(step, s.steps, s.warmup))
        loss = halve_on_out_of_memory(lambda rows: self._gradients(step, rows), self._rows, self._reporter)
        refuse_nan(step, loss, self._parameters)
        self._optimizer.step()
        ema_update(self._average, self._parameters, ema_decay(step, s.ema))
        return loss

    def _gradients(self, step: int, rows: int) -> float:
        """Gradients of one step, `rows` patches at a time: fewer rows, more accumulation, the same sum."""
        s = self.settings
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for number in range(step * s.accumulation, (step + 1) * s.accumulation):
            batch = self._batch(number)
            for start in range(0, s.batch, rows):
                loss = self._loss(batch.rows(slice(start, start + rows))).sum() / (s.batch * s.accumulation)
                loss.backward()  # type: ignore[no-untyped-call]
                total += float(loss.detach())
        self._rows = rows
        return total

    def _batch(self, number: int) -> _Batch:
        s = self.settings
        picks = batch_indices(len(self._patches), s.batch, s.seed, number)
        x0 = as_batch(self._patches[picks])
        x0 = turned(x0, s.seed, number) if s.augment else x0
        draw = torch_generator(s.seed, "adapt", number, device=self.device.type)
        x0 = x0.to(self.device)
        n, steps = len(x0), len(self.central.schedule)
        return _Batch(
            x0=x0,
            conditions=self._conditions[picks].to(self.device),
            noise=torch.randn(x0.shape, generator=draw, device=self.device),
            t=torch.randint(steps, (n,), generator=draw, device=self.device),
            active=torch.rand(n, generator=draw, device=self.device) >= s.dropout,
        )

    def _loss(self, batch: _Batch) -> Tensor:
        """Weighted loss of each patch (N,), Eq. (6).

        Dropped samples (conditional dropout) teach the learned null embedding what the slide looks like without
        expression. With null="central" there is nothing to teach: they run as the frozen central model, carry no
        gradient, and dropout only makes the effective batch a little smaller; the loss still counts them, so that
        figures of both choices can be compared.
        """
        schedule = self.central.schedule
        xt = schedule.add_noise(batch.x0, batch.noise, batch.t).contiguous(memory_format=torch.channels_last)
        with (
            autocast(self.device, self.dtype),
            bind(self.central.net, self.modulation, batch.conditions, batch.active),
        ):
            predicted = self.central.net(xt, batch.t)
        # min_snr = 0 means unweighted: the weight min(snr, gamma) / snr is 1 for a gamma above every snr
        gamma = self.settings.min_snr or float("inf")
        return noise_prediction_loss(predicted, batch.noise, batch.t, schedule, gamma)

    def seconds_per_step(self) -> float:
        """Time of one step, measured on the first batch; nothing learns from it."""
        return halve_on_out_of_memory(self._seconds, self._rows, self._reporter)

    def _seconds(self, rows: int) -> float:
        self._rows = rows
        batch = self._batch(0).rows(slice(0, rows))
        for _ in range(2):  # the first one warms up
            begin = time.perf_counter()
            gradients = torch.autograd.grad(self._loss(batch).sum(), self._parameters, allow_unused=True)
            float(next(g for g in gradients if g is not None).sum())  # waits for the device
            seconds = time.perf_counter() - begin
        return seconds * self.settings.accumulation * self.settings.batch / len(batch.x0)

    def averaged(self) -> Modulation:
        """The modulation of the averaged weights, frozen: what is saved and sampled from."""
        m = self.modulation
        copy = Modulation(m.genes, m.embedding, m.channels, m.null_kind).to(self.device)
        with torch.no_grad():
            for parameter, value in zip(copy.parameters(), self._average, strict=True):
                parameter.copy_(value)
        return copy.requires_grad_(False).eval()

    def tensors(self) -> dict[str, Tensor]:
        """The state as flat tensors, for a checkpoint."""
        average = {str(i): value for i, value in enumerate(self._average)}
        return {
            **with_prefix(self.modulation.state_dict(), "modulation."),
            **with_prefix(average, "ema."),
            **optimizer_tensors(self._optimizer),
        }

    def load(self, tensors: dict[str, Any]) -> None:
        """Take up the state that `tensors` gave."""
        self.modulation.load_state_dict(without_prefix(tensors, "modulation."))
        average = without_prefix(tensors, "ema.")
        self._average = [average[str(i)].to(self.device) for i in range(len(self._average))]
        load_optimizer_tensors(self._optimizer, tensors)
