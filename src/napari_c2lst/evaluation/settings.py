"""Settings of `evaluate`."""

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from napari_c2lst.common.settings import RunSettings, setting
from napari_c2lst.slides.settings import SlideSettings

Split = Literal["random", "blocked"]
TrainedArm = Literal["real", "synthetic", "real+synthetic"]


class EvaluateSettings(RunSettings, SlideSettings):
    """Score predictions on held-out spots beside simple baselines, or repeat the whole chain over several splits."""

    task: ClassVar[str] = "evaluate"
    presets: ClassVar[dict[str, dict[str, Any]]] = {"paper": {}, "small": {"ratio": 5}}

    out: Path = setting(Path("scores"), help="the folder for tables and figures")
    predictors: list[Path] = setting(
        [], help="run folders of 'c2lst train' to score as well; repeat the flag for several"
    )
    runs: list[str] = setting([], help="names of the predictions stored in the slide to score; none = all there are")
    spots: str = setting("train", help="where there is no run yet: the training spots for the baselines")
    pairs: Path | None = setting(None, help="synthetic pairs to show beside real patches")
    cells: str | None = setting(
        None,
        help="HoVer-Net weights, to compare the nuclei of real and synthetic patches: as 'c2lst cells' takes them, or"
        " embedded",
    )
    genes_shown: list[str] = setting([], help="genes to map; none = three chosen on the training spots")
    figures: bool = setting(True, help="draw figures as well")
    draws: int = setting(1000, help="bootstrap samples behind an interval", ge=100, advanced=True)

    cells_patches: int = setting(
        200,
        help="with --cells: at most so many real and so many synthetic patches, drawn at random",
        ge=2,
        advanced=True,
    )
    type_info: Path | None = setting(
        None, help="with --cells: a type_info.json with the names of the types", advanced=True
    )
    accept_licence: bool = setting(
        False, help="with --cells pannuke: accept the licence of these weights, CC BY-NC-SA 4.0", advanced=True
    )

    rerun: bool = setting(False, help="repeat adapt, sample and train for each split and seed")
    splits: list[Split] = setting(
        ["random", "blocked"], help="with --rerun: random, or blocked = whole regions of tissue are held out"
    )
    seeds: list[int] = setting([0, 1, 2], help="with --rerun: one training set, and one of each model, for each seed")
    fraction: float = setting(0.25, help="with --rerun: share of the spots to train on", gt=0, lt=1)
    central: str = setting("embedded", help="with --rerun: the central model: embedded, a folder, or a Hugging Face id")
    allow_download: bool = setting(
        False, help="let a Hugging Face id, or the PanNuke weights, be downloaded", advanced=True
    )
    arms: list[TrainedArm] = setting(
        ["real", "synthetic", "real+synthetic"], help="with --rerun: what predictors are trained on", advanced=True
    )
    ratio: int = setting(10, help="with --rerun: synthetic patches for each training spot", ge=1)
    adapt: dict[str, Any] = setting({}, help="with --rerun: further settings of adapt", advanced=True)
    sample: dict[str, Any] = setting({}, help="with --rerun: further settings of sample", advanced=True)
    train: dict[str, Any] = setting(
        {}, help="with --rerun: further settings of train, the same for every arm", advanced=True
    )

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if self.rerun and (self.predictors or self.runs):
            raise ValueError("rerun trains its own predictors: leave predictors and runs out")
        if self.rerun and not (self.splits and self.seeds and self.arms):
            raise ValueError("rerun needs at least one split, one seed and one arm")
        if self.cells is not None and not (self.pairs or self.predictors or self.rerun):
            raise ValueError("cells compares real patches with synthetic ones: name pairs as well")
        for name, values in (("splits", self.splits), ("seeds", self.seeds), ("arms", self.arms)):
            if len(set(values)) != len(values):
                raise ValueError(f"{name} = {values} repeats itself")
        if any(seed < 0 for seed in self.seeds):
            raise ValueError(f"seeds = {self.seeds} must not be negative")
        return self
