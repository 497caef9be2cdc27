"""Train a central model: unconditional noise prediction on histology, Eq. (1)-(7), on Accelerate."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from napari_c2lst.common.checkpoints import load_optimizer_tensors, optimizer_tensors, with_prefix, without_prefix
from napari_c2lst.common.device import autocast, autocast_dtype, describe_device, is_out_of_memory, resolve_device
from napari_c2lst.common.durations import in_words
from napari_c2lst.common.errors import DeviceMemoryError, Stopped
from napari_c2lst.common.learning import cosine_rate, ema_decay, ema_update, refuse_nan, set_rate, warmup_factor
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.runs import RunFolder
from napari_c2lst.common.seeds import torch_generator

from .batches import batch_indices, turned
from .cards import write_card
from .central import CentralModel, load_central, save_central
from .pretrain_result import PretrainResult as PretrainResult
from .pretrain_settings import PretrainSettings
from .processes import (
    agree_to_stop,
    mean_over_processes,
    open_folder,
    packed_once,
    refuse_uneven,
    start_processes,
)
from .schedule import NOISE, VELOCITY, NoiseSchedule, noise_prediction_loss
from .tiles.sources import find_sources
from .unet import NoiseNet, as_batch, build_noise_net, count_parameters
from .watching import Watcher, check_watching

# a single odd batch must not throw the weights away; the usual norm is well below
MAX_GRADIENT = 1.0


def run(settings: PretrainSettings, reporter: Reporter) -> PretrainResult:
    """Train a central model from tiles or slides, in one process or in those that `accelerate launch` started.

    Raises
    ------
    InputError
        If the tiles cannot be used or the run folder is taken.
    Stopped
        If asked to stop, after a checkpoint.
    """
    check_watching(settings)
    find_sources(settings.tiles)
    device = resolve_device(settings.device)
    accelerator = start_processes(device, tracker=settings.tracker, folder=str(settings.out))
    refuse_uneven(settings, accelerator.num_processes)
    folder = open_folder(settings, reporter, accelerator)
    done = folder.finished_result()
    if done is not None:
        folder.reporter.message(f"'{folder.path}' is finished already")
        return PretrainResult.model_validate(done)
    trainer = _Trainer(settings, folder, accelerator, device)
    trainer.train()
    if accelerator.is_main_process:
        folder.finish(trainer.save())
    accelerator.wait_for_everyone()
    return PretrainResult.model_validate(folder.finished_result())


class _Trainer:
    """The state of one pretraining run: network, average, optimiser, step."""

    def __init__(
        self, settings: PretrainSettings, folder: RunFolder, accelerator: Accelerator, device: torch.device
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.reporter = folder.reporter
        self.accelerator = accelerator
        # alone, the device that was asked for; among several processes, the one that Accelerate gave this one
        self.device = device if self.accelerator.num_processes == 1 else self.accelerator.device
        self.dtype = autocast_dtype(self.device, settings.precision)
        packed = packed_once(settings, folder, self.accelerator)
        self.spec, self.tiles = packed.spec, packed.pixels
        self.learned, held = packed.split(settings.held_out, settings.seed)
        if len(held) and len(packed.names) < 2:
            self.reporter.message("the tiles are of one slide: single tiles are held out, not a whole slide", "warning")
        self.schedule = NoiseSchedule(prediction=VELOCITY if settings.prediction == "velocity" else NOISE)
        self.net = self._build()
        self.average = [p.detach().clone() for p in self.net.parameters()]
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.step = 0
        self.losses: list[float] = []
        self._restore()
        self.watcher = (
            Watcher(settings, folder.path, self.reporter, accelerator, self.tiles[held])
            if accelerator.is_main_process
            else None
        )
        self.model: Any
        self.model, self.optimizer = self.accelerator.prepare(self.net, self.optimizer)
        if settings.compile:
            self.model = torch.compile(self.model)

    def _build(self) -> NoiseNet:
        s = self.settings
        torch.manual_seed(s.seed)
        net = build_noise_net(
            patch_px=s.patch_px,
            stem=s.stem,
            widths=s.widths,
            blocks=s.blocks,
            attention_levels=s.attention_levels,
            alphas_cumprod=self.schedule.velocity_alphas,
        )
        net.to(self.device)
        # the layout that bf16 convolutions are fastest in, on CPUs and GPUs
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def _restore(self) -> None:
        loaded = self.folder.load_checkpoint()
        if loaded is None:
            return
        tensors, state = loaded
        self.net.load_state_dict(without_prefix(tensors, "net."))
        average = without_prefix(tensors, "ema.")
        self.average = [average[name].to(self.device) for name, _ in self.net.named_parameters()]
        load_optimizer_tensors(self.optimizer, tensors)
        self.step = int(state["step"])
        self.losses = list(state["losses"])
        self.reporter.going_on(f"after step {self.step}")

    def train(self) -> None:
        """Take every step that is left."""
        s = self.settings
        processes = self.accelerator.num_processes
        self.reporter.message(
            f"preset {s.preset} on {processes if processes > 1 else ''}{' x ' if processes > 1 else ''}"
            f"{describe_device(self.device)}: {count_parameters(self.net) / 1e6:.2f} M parameters, "
            f"{len(self.learned)} tiles, {s.steps} steps of {s.batch * s.accumulation} patches"
        )
        if self.step < s.steps:
            seconds = self._seconds_per_step() * (s.steps - self.step)
            self.reporter.message(f"estimated time: about {in_words(seconds)}")
        while self.step < s.steps:
            begin = time.perf_counter()
            loss = mean_over_processes(self.accelerator, self._step())
            speed = s.batch * s.accumulation / (time.perf_counter() - begin)
            self.step += 1
            self.losses = [*self.losses[-99:], loss]
            if self.watcher is not None:
                values = {"loss": loss, "mean_loss": float(np.mean(self.losses)), "images_per_s": speed}
                self.watcher.step(self.step, values)
            self.reporter.progress(self.step, s.steps, "steps")
            self._after_step()

    def _seconds_per_step(self) -> float:
        """Time of one step, measured on the next batch; nothing learns from it, and the step draws the same again."""
        for _ in range(2):  # the first one warms up
            begin = time.perf_counter()
            with self._memory_errors():
                # the bare network: processes must not wait for each other here
                gradients = torch.autograd.grad(self._loss(0, self.net), list(self.net.parameters()))
                float(gradients[0].sum())  # waits for the device
            seconds = time.perf_counter() - begin
        return seconds * self.settings.accumulation

    def _after_step(self) -> None:
        s = self.settings
        stop = agree_to_stop(self.accelerator, self.reporter.stop_requested())
        if (stop or self.step % s.checkpoint_every == 0) and self.step < s.steps:
            checkpoint = self._checkpoint()
            if stop:
                # a launcher ends the others as soon as one has gone: not before the checkpoint is whole
                self.accelerator.wait_for_everyone()
                raise Stopped(f"stopped after step {self.step}", self.folder.continue_hint(), checkpoint)
        if self.watcher is not None:
            self.watcher.look(self.step, self.averaged)

    def _step(self) -> float:
        s = self.settings
        rate = (
            cosine_rate(self.step, s.steps, first=s.learning_rate, last=s.learning_rate / 100, warmup=s.warmup)
            if s.rate_schedule == "cosine"
            else s.learning_rate * warmup_factor(self.step, s.steps, s.warmup)
        )
        set_rate(self.optimizer, rate)
        total = 0.0
        for part in range(s.accumulation):
            with self._memory_errors(), self._alone_until(part == s.accumulation - 1):
                loss = self._loss(part, self.model) / s.accumulation
                self.accelerator.backward(loss)
            total += float(loss.detach())
        refuse_nan(self.step, total, self.net.parameters())
        self.accelerator.clip_grad_norm_(self.net.parameters(), MAX_GRADIENT)
        self.optimizer.step()
        self.optimizer.zero_grad()
        ema_update(self.average, self.net.parameters(), ema_decay(self.step, s.ema))
        return total

    @contextmanager
    def _memory_errors(self) -> Iterator[None]:
        s = self.settings
        try:
            yield
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            less = f"use --batch {s.batch // 2} --accumulation {s.accumulation * 2}: the same step, less memory"
            raise DeviceMemoryError(
                f"the device ran out of memory with a batch of {s.batch}",
                less if s.batch > 1 else "use a smaller network (--widths), or --device cpu",
            ) from error

    def _alone_until(self, last: bool) -> AbstractContextManager[Any]:
        """Gradients are exchanged once a step, with its last part."""
        return nullcontext() if last else self.accelerator.no_sync(self.model)

    def _loss(self, part: int, model: Any) -> Tensor:
        """Mean loss of this process's share of a batch; draws do not depend on how many processes share it."""
        s, rank, ranks = self.settings, self.accelerator.process_index, self.accelerator.num_processes
        picks = self.learned[batch_indices(len(self.learned), s.batch, s.seed, self.step * s.accumulation + part)]
        # bytes travel to the device, which does the rest: one core then feeds it with far more tiles than it can learn
        tiles = torch.from_numpy(self.tiles[picks[rank::ranks]]).to(self.device)
        draw = torch_generator(s.seed, "noise", self.step, part, device=self.device.type)
        shape = (s.batch, 3, s.patch_px, s.patch_px)
        noise = torch.randn(shape, generator=draw, device=self.device)[rank::ranks]
        t = torch.randint(len(self.schedule), (s.batch,), generator=draw, device=self.device)[rank::ranks]
        x0 = turned(as_batch(tiles), s.seed, self.step, part, rows=(rank, ranks, s.batch))
        x0 = x0.contiguous(memory_format=torch.channels_last)
        with autocast(self.device, self.dtype):
            predicted = model(self.schedule.add_noise(x0, noise, t), t)
        return noise_prediction_loss(predicted, noise, t, self.schedule, s.min_snr).mean()

    def _checkpoint(self) -> Path | None:
        if not self.accelerator.is_main_process:
            return None
        names = [name for name, _ in self.net.named_parameters()]
        tensors = {
            **with_prefix(self.net.state_dict(), "net."),
            **with_prefix(dict(zip(names, self.average, strict=True)), "ema."),
            **optimizer_tensors(self.optimizer),
        }
        return self.folder.save_checkpoint(self.step, tensors, {"losses": self.losses})

    def averaged(self) -> CentralModel:
        """The central model of the averaged weights."""
        s = self.settings
        net = self._build()
        with torch.no_grad():
            for parameter, value in zip(net.parameters(), self.average, strict=True):
                parameter.copy_(value)
        facts = {
            "data": s.data_note,
            "licence": s.licence,
            "tiles": len(self.learned),
            "steps": self.step,
            "batch": s.batch * s.accumulation,
            "loss": round(float(np.mean(self.losses)), 5) if self.losses else None,
        }
        return CentralModel(net, self.schedule, self.spec, s.name, facts)

    def save(self) -> PretrainResult:
        """Write the central model with its card."""
        if self.watcher is not None:
            self.watcher.finish()
        target = self.folder.path / "central"
        if not target.exists():
            save_central(self.averaged(), target, half=self.settings.half)
        central = load_central(target)
        write_card(central, target)
        size = sum(f.stat().st_size for f in target.rglob("*") if f.is_file())
        return PretrainResult(
            run=self.folder.path,
            central=target,
            content_hash=central.content_hash,
            parameters=count_parameters(central.net),
            megabytes=round(size / 1e6, 2),
            tiles=len(self.learned),
            steps=self.step,
            loss=float(np.mean(self.losses)),
        )
