"""The settings of `c2lst pretrain`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from napari_c2lst.common.settings import RunSettings, setting


class PretrainSettings(RunSettings):
    """Train a central model on histology without genes.

    Defaults are the paper's values (2.1, 2.5), ours where it states none.
    """

    task: ClassVar[str] = "pretrain"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "paper": {},
        "small": {
            "prediction": "velocity",
            "widths": (64, 80, 96),
            "blocks": 1,
            "stem": 2,
            "stain": "macenko",
            "tiles_per_slide": 5000,
            "steps": 3000,
            "batch": 32,
            "accumulation": 1,
            "learning_rate": 8e-4,
            "rate_schedule": "cosine",
            "warmup": 0.03,
            "half": True,
            "held_out": 0.0,
            "kid_every": 0,
        },
    }

    tiles: tuple[Path, ...] = setting(help="folders of tile images, images or slides to learn from", positional=True)
    name: str = setting("central", help="a short name of the model, e.g. the organ")
    stain_reference: Path | None = setting(
        None,
        help="image of the reference patch that every tile's stain is matched to; none = the first slide's own stain",
    )
    stain: Literal["macenko", "vahadane", "reinhard", "none"] = setting(
        "vahadane", help="how stains are matched to the reference patch"
    )
    patch_um: float = setting(112.0, help="side of a patch on the tissue", unit="um", gt=0)
    patch_px: int = setting(64, help="side of a patch in pixels", unit="px", ge=16, le=512)
    mpp: float | None = setting(None, help="microns per pixel of images that carry none", unit="um/px", gt=0)
    tiles_per_slide: int = setting(20_000, help="patches cut from each slide, at random places on tissue", ge=1)
    prediction: Literal["noise", "velocity"] = setting(
        "noise",
        help="what the U-Net's output stands for; velocity learns the overall colour sooner, the loss is the same",
        advanced=True,
    )
    widths: tuple[int, ...] = setting((64, 128, 256, 512), help="channels of each level of the U-Net", advanced=True)
    blocks: int = setting(2, help="ResNet blocks a level", ge=1, advanced=True)
    attention_levels: int = setting(1, help="lowest levels with self-attention", ge=0, advanced=True)
    stem: Literal[1, 2, 4] = setting(
        1, help="pixel squares folded into channels; 2 makes 64 px cost what 32 px do", advanced=True
    )
    steps: int = setting(200_000, help="optimiser steps", ge=1)
    batch: int = setting(256, help="patches in a batch, before accumulation", ge=1)
    accumulation: int = setting(4, help="batches added up for one step", ge=1, advanced=True)
    learning_rate: float = setting(1e-4, help="AdamW's learning rate", gt=0, advanced=True)
    rate_schedule: Literal["constant", "cosine"] = setting(
        "constant", help="course of the learning rate", advanced=True
    )
    warmup: float = setting(
        0.0, help="share of the steps over which the learning rate rises", ge=0, lt=1, advanced=True
    )
    weight_decay: float = setting(1e-4, help="AdamW's weight decay", ge=0, advanced=True)
    ema: float = setting(
        0.999, help="decay of the moving average of the weights, which is what is kept", ge=0, lt=1, advanced=True
    )
    min_snr: float = setting(5.0, help="gamma of the min-SNR loss weight", gt=0, advanced=True)
    checkpoint_every: int = setting(1000, help="steps between checkpoints", ge=1, advanced=True)
    preview_every: int = setting(1000, help="steps between sample grids; 0 = none", ge=0, advanced=True)
    held_out: float = setting(
        0.02,
        help="share of the tiles, whole slides of them, that are not learned from: KID is measured on them",
        ge=0,
        le=0.5,
        advanced=True,
    )
    kid_every: int = setting(
        10_000, help="steps between measurements of KID on held-out tiles; 0 = none", ge=0, advanced=True
    )
    kid_images: int = setting(1000, help="sampled images behind a KID", ge=50, advanced=True)
    kid_features: str = setting(
        "colour-texture-42",
        help="features that KID compares: colour-texture-42, or the folder of a model that transformers can load",
        advanced=True,
    )
    compile: bool = setting(False, help="compile the network first (torch.compile): faster on most GPUs", advanced=True)
    tracker: Literal["none", "tensorboard"] = setting(
        "none", help="write curves and sample grids for TensorBoard into the run folder", advanced=True
    )
    half: bool = setting(False, help="store the model as float16: half the size", advanced=True)
    licence: str = setting("", help="licence of the weights, for the model card")
    data_note: str = setting("", help="what the tiles are, for the model card")

    @model_validator(mode="after")
    def _network_can_be_built(self) -> Self:
        levels = len(self.widths)
        if not levels or min(self.widths) < 1:
            raise ValueError(f"widths {self.widths} are no channels: give one number above 0 for each level")
        if self.attention_levels > levels:
            raise ValueError(f"attention_levels {self.attention_levels} is more than the {levels} levels of widths")
        side = self.stem * 2 ** (levels - 1)
        if self.patch_px % side:
            raise ValueError(
                f"patch_px {self.patch_px} is no multiple of {side}, which {levels} levels behind a stem of "
                f"{self.stem} need"
            )
        return self
