"""The settings of `c2lst train-cells`; defaults are those of HoVer-Net's paper, `small` is for a CPU."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from napari_c2lst.cells.facts import refuse_same_names
from napari_c2lst.common.settings import RunSettings, setting


class TrainCellsSettings(RunSettings):
    """Train a HoVer-Net on images with an instance map and, where there are types, a type map.

    Defaults are those of Graham et al. 2019 (section 4.3): 50 epochs of the decoders alone, then 50 of everything.
    """

    task: ClassVar[str] = "train-cells"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "paper": {},
        "small": {
            "width": 0.25,
            "epochs": (0, 20),
            "batch": (4, 4),
            "parts": 2,
            "learning_rate": 2e-3,
            "rate_schedule": "cosine",
            "ema": 0.99,
            "degraded_share": 0.4,
            "checkpoint_every": 100,
            "half": True,
        },
    }

    data: tuple[Path, ...] = setting(
        help="folders of images with instance and type maps: images/ inst/ type/, HoVer-Net .mat, or PanNuke .npy",
        positional=True,
    )
    test: tuple[Path, ...] = setting((), help="folders to score on; none = the test split of DATA, where it has one")
    weights: Path | None = setting(
        None, help="weights to start from: a HoVer-Net file of the same mode and width, or pannuke (full width)"
    )
    allow_download: bool = setting(False, help="let the PanNuke weights be downloaded (with --weights pannuke)")
    accept_licence: bool = setting(False, help="accept the licence of the PanNuke weights, CC BY-NC-SA 4.0")
    mode: Literal["fast", "original"] = setting("fast", help="HoVer-Net's architecture: fast (256 px) or original")
    width: float = setting(1.0, help="factor on the channels; 0.25 makes a small network for a CPU", gt=0, le=2)
    types: tuple[str, ...] = setting(
        (), help="names of the types 1, 2, ... in order; none = the word 'type' and the number"
    )
    merge: tuple[int, ...] = setting(
        (), help="what the types 1, 2, ... of the data become, e.g. 1,2,3,3,4,4,4; none = as they are", advanced=True
    )
    mpp: float = setting(0.25, help="microns per pixel of the images", unit="um/px", gt=0)
    patch_px: int | None = setting(
        None, help="side of the network's input; none = 256 (fast) or 270 (original)", unit="px", ge=96, le=1024
    )
    epochs: tuple[int, int] = setting(
        (50, 50), help="epochs of both phases: the encoder frozen (where --weights are given), then all; e.g. 0,20"
    )
    batch: tuple[int, int] = setting((16, 8), help="patches in a batch, in both phases")
    parts: int = setting(
        1, help="parts of a batch computed at the same time, faster on a busy CPU; 1 = all at once", ge=1, advanced=True
    )
    learning_rate: float = setting(1e-4, help="Adam's learning rate", gt=0, advanced=True)
    rate_schedule: Literal["step", "cosine"] = setting(
        "step", help="the rate falls to a tenth halfway through a phase, or along a cosine to 0", advanced=True
    )
    warmup: float = setting(
        0.03, help="share of a phase over which a cosine's rate rises first", ge=0, lt=1, advanced=True
    )
    ema: float = setting(
        0.0,
        help="decay of the moving average of weights that is kept; 0 = the last ones",
        ge=0,
        lt=1,
        advanced=True,
    )
    scale: float = setting(0.2, help="largest change of size in augmentation, as a share", ge=0, lt=0.9, advanced=True)
    colour: float = setting(
        0.15, help="largest change of stain and exposure in augmentation", ge=0, lt=1, advanced=True
    )
    degraded_share: float = setting(
        0.0, help="share of patches shown as a coarser scan would show them", ge=0, le=1, advanced=True
    )
    degraded_mpp: float = setting(
        0.7, help="microns per pixel of the coarsest such scan", unit="um/px", gt=0, advanced=True
    )
    checkpoint_every: int = setting(200, help="steps between checkpoints", ge=1, advanced=True)
    half: bool = setting(False, help="store the weights as float16: half the size", advanced=True)
    name: str = setting("cells", help="a short name of the weights")
    licence: str = setting("", help="terms of the weights, for their card")
    data_note: str = setting("", help="what the images are, for the card of the weights")

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        if min(self.epochs) < 0 or not sum(self.epochs):
            raise ValueError(f"epochs = {self.epochs}: at least one phase needs an epoch, and none fewer than 0")
        if min(self.batch) < 1:
            raise ValueError(f"batch = {self.batch}: at least one patch in each phase")
        if any(not 0 <= kind <= 255 for kind in self.merge):
            raise ValueError(f"merge = {self.merge}: types are 0 (none), 1, 2, ... 255")
        try:
            refuse_same_names(self.types)
        except ValueError as error:
            raise ValueError(f"types = {self.types}: {error}") from None
        return self

    @property
    def input_px(self) -> int:
        """Side of the network's input in pixels."""
        return self.patch_px or (256 if self.mode == "fast" else 270)
