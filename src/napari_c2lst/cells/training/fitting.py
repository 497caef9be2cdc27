"""The training loop of a HoVer-Net: two phases, checkpoints, and the same weights after a stop as without one."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from napari_c2lst.cells.network import HoVerNet
from napari_c2lst.common.checkpoints import load_optimizer_tensors, optimizer_tensors, with_prefix, without_prefix
from napari_c2lst.common.device import autocast, autocast_dtype, describe_device, is_out_of_memory, resolve_device
from napari_c2lst.common.errors import DeviceMemoryError, Stopped
from napari_c2lst.common.learning import cosine_rate, ema_decay, ema_update, refuse_nan, set_rate
from napari_c2lst.common.runs import RunFolder
from napari_c2lst.common.seeds import rng

from .batches import Phase, Windows, make_phases, phase_of
from .losses import hovernet_losses
from .settings import TrainCellsSettings
from .side_by_side import Batch, SideBySide

# an odd batch must not throw the weights away; the usual norm is below after the first steps
MAX_GRADIENT = 10.0
_MEAN_OF = 100


class CellFit:
    """The state of one training: network, average, optimiser, step.

    Parameters
    ----------
    windows
        What to learn from.
    nr_types
        Number of types, background included; None without types.
    settings
        How.
    folder
        Where checkpoints go, and what to go on from.
    start
        A network whose weights to start from; those of other shapes (the last layer of other types) stay new.
    """

    def __init__(
        self,
        windows: Windows,
        nr_types: int | None,
        settings: TrainCellsSettings,
        folder: RunFolder,
        start: HoVerNet | None = None,
    ) -> None:
        self.windows, self.settings, self.folder = windows, settings, folder
        self.reporter = folder.reporter
        self.device = resolve_device(settings.device)
        self.dtype = autocast_dtype(self.device, settings.precision)
        self.phases = make_phases(settings, len(windows))
        self.steps = self.phases[-1].end
        self.net = build(settings, nr_types, start)
        self.net.to(self.device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = {k: v.detach().clone() for k, v in self.net.state_dict().items()} if settings.ema else {}
        self.together = SideBySide(self.net, settings.parts)
        self.optimizer = self._new_optimizer()
        self.step = 0
        self.losses: list[float] = []
        self._restore()

    def _new_optimizer(self) -> torch.optim.Adam:
        return torch.optim.Adam(self.net.parameters(), lr=self.settings.learning_rate)

    def _restore(self) -> None:
        loaded = self.folder.load_checkpoint()
        if loaded is None:
            return
        tensors, state = loaded
        self.net.load_state_dict(without_prefix(tensors, "net."))
        for name, value in without_prefix(tensors, "average.").items():
            self.average[name].copy_(value)
        load_optimizer_tensors(self.optimizer, tensors)
        self.step, self.losses = int(state["step"]), list(state["losses"])
        self.reporter.going_on(f"after step {self.step}")

    def train(self) -> HoVerNet:
        """Take every step that is left.

        Returns
        -------
        HoVerNet
            On the CPU, in evaluation mode; its moving average where one is kept.

        Raises
        ------
        Stopped
            If the reporter asked for it, after a checkpoint.
        """
        px = self.settings.input_px
        self.reporter.message(
            f"{count_parameters(self.net) / 1e6:.2f} M parameters on {describe_device(self.device)}, "
            f"{len(self.windows)} patches of {px} px an epoch, {self.steps} steps"
        )
        with torch.random.fork_rng(devices=[]):
            while self.step < self.steps:
                self._take_step()
                self._after_step()
        return self._result()

    def _take_step(self) -> None:
        phase = phase_of(self.phases, self.step)
        if self.step == phase.begin:
            self.optimizer = self._new_optimizer()
        self._freeze(phase.frozen)
        set_rate(self.optimizer, rate_of(self.settings, phase, self.step))
        with self._memory_errors(phase):
            parts = self._gradients(phase)
        values = {name: float(part) for name, part in parts.items()}
        loss = sum(values.values())
        refuse_nan(self.step, loss, self.net.parameters())
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), MAX_GRADIENT)
        self.optimizer.step()
        self._update_average()
        self.step += 1
        self.losses = [*self.losses[1 - _MEAN_OF :], loss]
        self.reporter.metrics(self.step, {"loss": loss, "mean_loss": float(np.mean(self.losses)), **values})
        self.reporter.progress(self.step, self.steps, "steps")

    def _freeze(self, frozen: bool) -> None:
        for parameter in self.net.encoder_parameters():
            parameter.requires_grad_(not frozen)

    def _gradients(self, phase: Phase) -> dict[str, Tensor]:
        self.net.train()
        self.optimizer.zero_grad(set_to_none=True)
        return self.together.backward(self._losses, self.windows.batch(phase, self.step))

    def _losses(self, net: nn.Module, batch: Batch) -> dict[str, Tensor]:
        images, targets = batch
        images = images.to(self.device).contiguous(memory_format=torch.channels_last)
        with autocast(self.device, self.dtype):
            maps = net(images)
        return hovernet_losses(maps, {name: value.to(self.device) for name, value in targets.items()})

    def _update_average(self) -> None:
        current = self.net.state_dict()
        floating = [k for k, v in self.average.items() if v.is_floating_point()]
        ema_update(
            [self.average[k] for k in floating],
            [current[k] for k in floating],
            ema_decay(self.step, self.settings.ema),
        )
        for k in self.average.keys() - set(floating):  # batch normalisation counts its batches
            self.average[k].copy_(current[k])

    def _after_step(self) -> None:
        last = self.step == self.steps
        stop = self.reporter.stop_requested() and not last
        if not (stop or last or self.step % self.settings.checkpoint_every == 0):
            return
        checkpoint = self.folder.save_checkpoint(self.step, self.tensors(), {"losses": self.losses})
        if stop:
            raise Stopped(f"stopped after step {self.step}", self.folder.continue_hint(), checkpoint)

    def tensors(self) -> dict[str, Tensor]:
        """All tensors of a checkpoint."""
        return {
            **with_prefix(self.net.state_dict(), "net."),
            **with_prefix(self.average, "average."),
            **optimizer_tensors(self.optimizer),
        }

    @contextmanager
    def _memory_errors(self, phase: Phase) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            half = tuple(max(1, batch // 2) for batch in self.settings.batch)
            raise DeviceMemoryError(
                f"the device ran out of memory with a batch of {phase.batch}",
                f"use --batch {half[0]},{half[1]} and another --out",
            ) from error

    def _result(self) -> HoVerNet:
        if self.average:
            self.net.load_state_dict(self.average)
        self.net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return self.net.eval().requires_grad_(False).cpu()


def count_parameters(net: HoVerNet) -> int:
    """Number of weights that can learn."""
    return sum(p.numel() for p in net.parameters())


def build(settings: TrainCellsSettings, nr_types: int | None, start: HoVerNet | None) -> HoVerNet:
    """A network with random weights of the seed, or with those of `start` as far as shapes agree."""
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay his
        torch.manual_seed(int(rng(settings.seed, "network").integers(2**62)))
        net = HoVerNet(settings.mode, nr_types, settings.width)
    if start is not None:
        mine, given = net.state_dict(), start.state_dict()
        net.load_state_dict({k: given[k] if k in given and given[k].shape == v.shape else v for k, v in mine.items()})
    return net


def rate_of(settings: TrainCellsSettings, phase: Phase, step: int) -> float:
    """The learning rate of a step: a tenth in the second half of each phase, or along a cosine."""
    first, number = settings.learning_rate, step - phase.begin
    if settings.rate_schedule == "cosine":
        return cosine_rate(number, phase.steps, first=first, last=first / 100, warmup=settings.warmup)
    return first if number < phase.steps / 2 else first / 10
