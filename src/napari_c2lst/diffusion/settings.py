"""Settings of `adapt` and `sample`."""

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from napari_c2lst.common.settings import RunSettings, setting
from napari_c2lst.slides.settings import SlideSettings

SamplerName = Literal["dpm++2m", "unipc", "ddim"]


class AdaptSettings(RunSettings, SlideSettings):
    """Adapt a central model to one slide (paper 2.2, 2.5); the defaults are the paper's values."""

    task: ClassVar[str] = "adapt"
    # 300 steps are too short for the paper's moving average: 0.999^300 = 0.74 of it would still be the central
    # model. 0.98 averages the last 50 steps or so.
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {
            "steps": 300,
            "accumulation": 1,
            "ema": 0.98,
            "embedding": 64,
            "checkpoint_every": 100,
            "preview_every": 100,
        },
    }

    spots: str = setting("train", help="name of the set of training spots (see 'c2lst select')")
    central: str = setting("embedded", help="the central model: embedded, a folder, or a Hugging Face id")
    allow_download: bool = setting(False, help="let a Hugging Face id be downloaded")
    genes: int = setting(250, help="size of the gene panel: the most highly expressed", unit="genes", ge=1)
    gene_list: Path | None = setting(
        None, help="a text file with one gene a line, instead of the most highly expressed"
    )
    steps: int = setting(10_000, help="optimiser steps", ge=1)
    batch: int = setting(32, help="patches in a batch", ge=1)
    accumulation: int = setting(8, help="batches added up for one step", ge=1)
    learning_rate: float = setting(1e-3, help="learning rate", gt=0, advanced=True)
    weight_decay: float = setting(1e-4, help="weight decay", ge=0, advanced=True)
    ema: float = setting(
        0.999, help="decay of the moving average of the weights that is saved", ge=0, lt=1, advanced=True
    )
    warmup: float = setting(0.03, help="share of the steps over which the rate rises", ge=0, le=1, advanced=True)
    dropout: float = setting(
        0.1, help="share of patches shown without their expression, which guidance needs", ge=0, lt=1, advanced=True
    )
    min_snr: float = setting(5.0, help="min-SNR weight of the loss; 0 = unweighted", ge=0, advanced=True)
    embedding: int = setting(128, help="width of the embedding of the expression", ge=1, advanced=True)
    blocks: str = setting(
        "all",
        help="which residual blocks are modulated: all, or down, mid, up and block names with commas",
        advanced=True,
    )
    null: Literal["learned", "central"] = setting(
        "learned",
        help="what guidance leads away from: learned = the slide without expression, central = the central model",
        advanced=True,
    )
    augment: bool = setting(True, help="flips and quarter turns", advanced=True)
    checkpoint_every: int = setting(1000, help="steps between checkpoints", ge=1, advanced=True)
    preview_every: int = setting(1000, help="steps between pictures of sample patches; 0 = none", ge=0, advanced=True)

    @model_validator(mode="after")
    def _null_is_trained(self) -> Self:
        if self.null == "learned" and self.dropout == 0:
            raise ValueError("dropout 0 never trains the learned null: use null central, or a dropout such as 0.1")
        return self


class SampleSettings(RunSettings, SlideSettings):
    """Sample synthetic pairs from a local model (paper 2.5)."""

    task: ClassVar[str] = "sample"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        # on the sample slide plain guidance 3 over-saturates (spread of the colours 79, 71, 59 against the 70, 63, 48
        # of real patches); on this interval of noise levels it does not (71, 63, 50), and costs less
        "small": {"sampler": "dpm++2m", "steps": 20, "ratio": 5, "guidance_low": 0.2, "guidance_high": 0.8},
    }

    local: Path = setting(help="the local model: the run folder of 'c2lst adapt', or its local.safetensors")
    central: str | None = setting(
        None, help="the central model, if it is no longer where the local model says", advanced=True
    )
    allow_download: bool = setting(False, help="let a Hugging Face id be downloaded", advanced=True)
    ratio: int = setting(10, help="synthetic patches for each training spot", ge=1)
    interpolate: Literal["none", "pairs"] = setting(
        "none", help="expression to sample for: that of training spots, or mixed between pairs of them"
    )
    partners: Literal["neighbours", "any"] = setting(
        "neighbours", help="whom a spot is mixed with: spots of similar expression, or any", advanced=True
    )
    neighbours: int = setting(5, help="how many spots of similar expression", unit="spots", ge=1, advanced=True)
    sampler: SamplerName = setting("ddim", help="dpm++2m and unipc need 10 to 20 steps, ddim (the paper's) 250")
    steps: int = setting(250, help="steps of the sampler", ge=2, le=1000)
    guidance: float = setting(3.0, help="how strongly the expression is enforced; 1 = not beyond the model's own", ge=0)
    guidance_low: float = setting(
        0.0, help="guidance acts only above this share of the noise steps", ge=0, le=1, advanced=True
    )
    guidance_high: float = setting(
        1.0, help="guidance acts only below this share of the noise steps", ge=0, le=1, advanced=True
    )
    rescale: float = setting(
        0.0, help="how far guided patches are brought back to the colours of unguided ones", ge=0, le=1, advanced=True
    )
    eta: float = setting(0.0, help="fresh noise at each ddim step; 0 = none, 1 = as in DDPM", ge=0, le=1, advanced=True)
    spacing: Literal["auto", "even", "logsnr"] = setting(
        "auto",
        help="how the steps lie: even in time or in log signal-to-noise; auto = even for ddim",
        advanced=True,
    )
    batch: int = setting(64, help="patches written at a time; does not change the patches", ge=1, advanced=True)
    micro_batch: int = setting(
        16, help="patches in one evaluation of the network; another value changes the last digit", ge=1, advanced=True
    )

    @model_validator(mode="after")
    def _interval_in_order(self) -> Self:
        if self.guidance_low >= self.guidance_high:
            raise ValueError(f"guidance_low {self.guidance_low} is not below guidance_high {self.guidance_high}")
        return self
