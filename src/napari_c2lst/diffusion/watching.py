"""What a pretraining run shows while it learns: sample grids, KID on held-out tiles, curves for TensorBoard."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.seeds import rng

from .central import CentralModel
from .kid import kid, kid_spread, load_extractor
from .pretrain_settings import PretrainSettings
from .previews import write_sheet
from .samplers import sample_central

PREVIEW_IMAGES = 16
_TRACKER = "curves"


def check_watching(settings: PretrainSettings) -> None:
    """Refuse a tracker or features that are not there, before hours of work.

    Raises
    ------
    InputError
        If TensorBoard is asked for and not installed, or KID of features that cannot be had.
    """
    if settings.kid_every and settings.held_out:
        load_extractor(settings.kid_features)
    if settings.tracker == "tensorboard" and find_spec("tensorboard") is None:
        raise InputError("TensorBoard is not installed", "pip install tensorboard, or leave --tracker out")


class Watcher:
    """Looks at a model between steps; only the main process has one.

    Parameters
    ----------
    held_out
        (M, px, px, 3) tiles that are not learned from; KID compares samples with them.
    """

    def __init__(
        self, settings: PretrainSettings, folder: Path, reporter: Reporter, accelerator: Accelerator, held_out: Any
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.reporter = reporter
        self.accelerator = accelerator
        self.held_out = held_out
        self.extractor = load_extractor(settings.kid_features) if self.measures_kid else None
        if settings.tracker != "none":
            accelerator.init_trackers(_TRACKER)

    @property
    def measures_kid(self) -> bool:
        """Whether KID was asked for and can be measured."""
        return self.settings.kid_every > 0 and len(self.held_out) > 1

    def step(self, step: int, values: dict[str, float]) -> None:
        """Tell the figures of a step."""
        self.reporter.metrics(step, values)
        if self.settings.tracker != "none":
            self.accelerator.log(values, step=step)

    def look(self, step: int, averaged: Callable[[], CentralModel]) -> None:
        """Draw a grid and measure KID where it is time to."""
        s = self.settings
        if s.preview_every and step % s.preview_every == 0:
            self._preview(step, averaged())
        if self.measures_kid and step % s.kid_every == 0:
            value, spread = self.kid(averaged())
            self.step(step, {"kid": value, "kid_spread": spread})
            assert self.extractor is not None
            self.reporter.message(f"KID after {step} steps: {value:.4f} +- {spread:.4f} ({self.extractor.name})")

    def kid(self, central: CentralModel) -> tuple[float, float]:
        """KID of samples against held-out tiles, and its spread over subsets."""
        assert self.extractor is not None
        s = self.settings
        samples = sample_central(central, s.kid_images, seed=s.seed)
        real = self.extractor.features(self._some_held_out(s.kid_images))
        drawn = self.extractor.features(samples)
        return kid(real, drawn), kid_spread(real, drawn, seed=s.seed)

    def finish(self) -> None:
        """Close the tracker."""
        if self.settings.tracker != "none":
            self.accelerator.end_training()

    def _some_held_out(self, count: int) -> NDArray[np.uint8]:
        rows = rng(self.settings.seed, "kid tiles").permutation(len(self.held_out))[:count]
        return np.asarray(self.held_out[np.sort(rows)])

    def _preview(self, step: int, central: CentralModel) -> None:
        path = self.folder / "previews" / f"step_{step:08d}.png"
        samples = sample_central(central, PREVIEW_IMAGES, seed=self.settings.seed)
        write_sheet(samples, path, columns=max(1, round(PREVIEW_IMAGES**0.5)))
        self.reporter.picture(path, f"samples after {step} steps")
        for tracker in self.accelerator.trackers:
            tracker.log_images({"samples": samples}, step=step, dataformats="NHWC")
