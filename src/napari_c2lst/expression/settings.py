"""Settings of `train` and `predict`."""

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from napari_c2lst.common.settings import DeviceSettings, RunSettings, setting
from napari_c2lst.slides.settings import SlideSettings

Use = Literal["both", "real", "synthetic"]
Mix = Literal["pooled", "balanced"]


class FitSettings(DeviceSettings):
    """How a predictor is fitted, whatever the patches come from; the defaults are the paper's values (2.3, 2.5).

    `epochs` are counted over `n_real * (1 + count_as_ratio)` patches whatever is really given, so that training with
    and without synthetic pairs takes the same number of optimiser steps; `steps`, where set, overrides them.
    """

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "small": {
            "network": "small",
            "mix": "balanced",
            "steps": 600,
            "count_as_ratio": 5.0,
            "ema": 0.98,
            # some tens of spots with noisy counts are soon learnt by heart
            "dropout": 0.5,
            "jitter": 0.2,
            "learning_rate": 5e-4,
            "checkpoint_every": 200,
        },
    }

    use: Use = setting("both", help="what to learn from: both, real spots only, or synthetic pairs only")
    mix: Mix = setting(
        "pooled", help="pooled = each patch as often as any other (the paper), balanced = half of each batch is real"
    )
    network: Literal["resnet50", "small"] = setting("resnet50", help="the network: resnet50, or small for a CPU")
    weights: str | None = setting(
        None, help="pretrained weights for resnet50: a folder, or a hub id such as microsoft/resnet-50"
    )
    allow_download: bool = setting(False, help="let a Hugging Face id be downloaded")
    epochs: int = setting(200, help="passes over the training patches", ge=1)
    count_as_ratio: float = setting(
        10.0,
        help="epochs are counted as if there were so many synthetic pairs for each spot, so that runs with and without"
        " pairs take equally many steps",
        ge=0,
        advanced=True,
    )
    steps: int | None = setting(None, help="optimiser steps, instead of epochs", ge=1)
    batch: int = setting(32, help="patches in a batch", ge=2)
    learning_rate: float = setting(1e-3, help="highest learning rate", gt=0, advanced=True)
    last_rate: float = setting(1e-5, help="learning rate of the last step", ge=0, advanced=True)
    warmup: float = setting(0.05, help="share of the steps over which the rate rises", ge=0, le=1, advanced=True)
    weight_decay: float = setting(1e-4, help="weight decay", ge=0, advanced=True)
    ema: float = setting(
        0.0,
        help="decay of the moving average of the weights that is saved; 0 = the last weights",
        ge=0,
        lt=1,
        advanced=True,
    )
    dropout: float = setting(
        0.0, help="share of the network's features left out at random in training", ge=0, lt=1, advanced=True
    )
    jitter: float = setting(
        0.1,
        help="largest change of brightness, contrast and saturation in training, as a share",
        ge=0,
        lt=1,
        advanced=True,
    )
    checkpoint_every: int = setting(1000, help="steps between checkpoints", ge=1, advanced=True)

    @model_validator(mode="after")
    def _weights_fit_the_network(self) -> Self:
        if self.weights is not None and self.network != "resnet50":
            raise ValueError(f"weights = {self.weights!r} are for network resnet50, not {self.network}")
        return self


class TrainSettings(FitSettings, RunSettings, SlideSettings):
    """Train a predictor of gene expression on one slide (paper 2.3, 2.5)."""

    task: ClassVar[str] = "train"

    spots: str = setting("train", help="name of the set of training spots (see 'c2lst select')")
    synthetic: Path | None = setting(None, help="synthetic pairs written by 'c2lst sample'; none = real spots only")
    central: str = setting(
        "embedded", help="without pairs: the central model whose patch size and stain the predictor takes over"
    )
    genes: int = setting(
        250, help="without pairs: size of the gene panel, the most highly expressed", unit="genes", ge=1
    )
    gene_list: Path | None = setting(
        None, help="without pairs: a text file with one gene a line, instead of the most highly expressed"
    )

    @model_validator(mode="after")
    def _synthetic_needs_pairs(self) -> Self:
        if self.use == "synthetic" and self.synthetic is None:
            raise ValueError("use = 'synthetic' needs synthetic pairs: pass --synthetic PAIRS")
        return self


class PredictSettings(DeviceSettings, SlideSettings):
    """Predict gene expression on spots or over the whole tissue of a slide."""

    task: ClassVar[str] = "predict"

    predictor: Path = setting(help="the predictor: the run folder of 'c2lst train'")
    where: Literal["spots", "grid", "both"] = setting(
        "spots", help="spots = at the slide's spots, grid = over all tissue, both"
    )
    spots: Literal["held-out", "all"] = setting(
        "held-out", help="which spots: those the predictor was not trained on, or all"
    )
    stride_um: float = setting(56.0, help="distance of the grid's positions", unit="um", gt=0)
    rasters: list[str] = setting([], help="genes to store as images as well (with --where grid)")
    name: str | None = setting(None, help="name of the result inside the slide; none = that of the predictor's run")
    csv: Path | None = setting(None, help="write the predictions as a CSV file as well", advanced=True)
    tta: bool = setting(
        False, help="average over the eight flips and quarter turns of each patch, and store their spread (8x slower)"
    )
    resume: Literal["auto", "never"] = setting(
        "auto", help="auto = go on where the same prediction was stopped, never = predict everything anew"
    )
    batch: int = setting(256, help="patches at a time", ge=1, advanced=True)

    @model_validator(mode="after")
    def _rasters_need_a_grid(self) -> Self:
        if self.rasters and self.where == "spots":
            raise ValueError(f"rasters = {self.rasters} need a grid: pass --where grid")
        return self
