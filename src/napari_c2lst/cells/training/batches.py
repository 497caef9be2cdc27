"""Batches for a HoVer-Net: which windows of which images, as functions of (seed, phase, step) alone."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_c2lst.cells.network import output_px
from napari_c2lst.common.seeds import rng
from napari_c2lst.diffusion.batches import batch_indices

from .augment import change_pixels, draw_window, look_through
from .datasets import CellData
from .settings import TrainCellsSettings
from .targets import Targets, make_targets


@dataclass(frozen=True)
class Phase:
    """A stretch of training.

    Attributes
    ----------
    number
        0 or 1.
    begin, end
        Its first step, and the first that is no longer its own.
    batch
        Patches in a batch.
    frozen
        Whether the encoder stays as it is.
    """

    number: int
    begin: int
    end: int
    batch: int
    frozen: bool

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return self.end - self.begin


def make_phases(settings: TrainCellsSettings, windows: int) -> list[Phase]:
    """The phases of a training on so many windows an epoch; those of no epochs are left out."""
    begin, phases = 0, []
    for number, (epochs, batch) in enumerate(zip(settings.epochs, settings.batch, strict=True)):
        steps = epochs * -(-windows // batch)
        if steps:
            frozen = number == 0 and settings.weights is not None
            phases.append(Phase(number, begin, begin + steps, batch, frozen))
        begin += steps
    return phases


def phase_of(phases: list[Phase], step: int) -> Phase:
    """The phase that a step belongs to; the last one beyond the end."""
    return next((p for p in phases if step < p.end), phases[-1])


class Windows:
    """Windows into all images; an epoch shows as many of each image as patches side by side would cover it.

    Parameters
    ----------
    data
        The images.
    settings
        Size, augmentation, seed.
    """

    def __init__(self, data: CellData, settings: TrainCellsSettings) -> None:
        self.data, self.settings = data, settings
        self.output_px = output_px(settings.mode, settings.input_px)
        counts = [_count(data[k].instances.shape, settings.input_px) for k in range(len(data))]
        self.owner: NDArray[np.int64] = np.repeat(np.arange(len(data)), counts)

    def __len__(self) -> int:
        return len(self.owner)

    def batch(self, phase: Phase, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Images (n, 3, px, px) float 0 to 255 and targets `np`, `hv`, `tp` of a step."""
        s = self.settings
        picks = batch_indices(len(self), phase.batch, s.seed + phase.number, step - phase.begin)
        shown = [self._window(int(self.owner[k]), step, place) for place, k in enumerate(picks)]
        images = torch.from_numpy(np.stack([image for image, _ in shown])).permute(0, 3, 1, 2).float()
        return images, as_tensors([targets for _, targets in shown])

    def _window(self, index: int, step: int, place: int) -> tuple[NDArray[np.uint8], Targets]:
        s, draw = self.settings, rng(self.settings.seed, "window", step, place)
        nuclei = self.data[index]
        seen = look_through(draw_window(draw, nuclei.instances.shape, s.input_px, s.scale), nuclei)
        image = change_pixels(
            draw, seen.image, colour=s.colour, degraded_share=s.degraded_share, factor=s.degraded_mpp / s.mpp
        )
        return image, make_targets(seen.instances, seen.types, self.output_px)


def _count(shape: tuple[int, ...], px: int) -> int:
    return -(-shape[0] // px) * -(-shape[1] // px)


def as_tensors(targets: list[Targets]) -> dict[str, Tensor]:
    """Targets of a batch as the losses want them."""
    out = {
        "np": torch.from_numpy(np.stack([t.nucleus for t in targets])).long(),
        "hv": torch.from_numpy(np.stack([t.distances for t in targets])),
    }
    types = [t.types for t in targets if t.types is not None]
    if types:
        out["tp"] = torch.from_numpy(np.stack(types)).long()
    return out
