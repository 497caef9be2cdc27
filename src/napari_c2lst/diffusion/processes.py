"""Several processes that train one model: who speaks, who writes, and how they agree to stop."""

from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs

from napari_c2lst.common.errors import InputError, RunFailure
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.runs import RunFolder

from .pretrain_settings import PretrainSettings
from .tiles.packed import PackedTiles, read_packed
from .tiles.packing import pack_tiles

# the others wait while the first process packs the tiles, which may take hours
_PATIENCE = timedelta(hours=24)


def start_processes(device: torch.device, *, tracker: str, folder: str) -> Accelerator:
    """The accelerator of this process: alone, or one of those that `accelerate launch` started."""
    return Accelerator(
        cpu=device.type == "cpu",
        kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)],
        log_with=None if tracker == "none" else tracker,
        project_dir=folder,
    )


def open_folder(settings: PretrainSettings, reporter: Reporter, accelerator: Accelerator) -> RunFolder:
    """The run folder: made by the first process, found by the others, who say and write nothing."""
    folder: RunFolder | None = None
    if accelerator.is_main_process:
        folder = RunFolder.open(settings, reporter, kind="pretrain")
    accelerator.wait_for_everyone()
    if folder is None:
        # what the first process may do with it was asked already
        resume = "auto" if settings.resume == "never" else settings.resume
        folder = RunFolder.open(settings.model_copy(update={"resume": resume}), Reporter(), kind="pretrain")
        folder.reporter = _Listener(reporter)
    return folder


class _Listener(Reporter):
    """Says nothing, since the first process does, but hears the wish to stop: a signal may reach any process."""

    def __init__(self, inner: Reporter) -> None:
        self._inner = inner

    def stop_requested(self) -> bool:
        return self._inner.stop_requested()


def agree_to_stop(accelerator: Accelerator, asked: bool) -> bool:
    """Whether any process was asked to stop: all stop after the same step, or the others would wait for ever."""
    if accelerator.num_processes == 1:
        return asked
    flag = torch.tensor(float(asked), device=accelerator.device)
    return bool(accelerator.reduce(flag, "sum") > 0)


def mean_over_processes(accelerator: Accelerator, value: float) -> float:
    """The mean of a figure over all processes."""
    if accelerator.num_processes == 1:
        return value
    return float(accelerator.reduce(torch.tensor(value, device=accelerator.device), "mean"))


def refuse_uneven(settings: PretrainSettings, processes: int) -> None:
    """Refuse a batch that some processes would have more of than others.

    Raises
    ------
    InputError
        If the batch is no multiple of their number.
    """
    if settings.batch % processes:
        raise InputError(
            f"a batch of {settings.batch} cannot be dealt out evenly to {processes} processes",
            f"use --batch {max(1, settings.batch // processes) * processes}",
        )


def packed_once(settings: PretrainSettings, folder: RunFolder, accelerator: Accelerator) -> PackedTiles:
    """The packed tiles of a run; packed on its first start, by one process.

    Raises
    ------
    InputError
        If there is nothing to learn from.
    """
    if accelerator.is_main_process and read_packed(folder.path) is None:
        pack_tiles(settings, folder.path, folder.reporter)
    accelerator.wait_for_everyone()
    packed = read_packed(folder.path)
    if packed is None:
        raise RunFailure(f"the tiles in '{folder.path}' are gone", "start again")
    return packed
