"""Repeat the whole chain for every split and seed: select, adapt, sample, train each arm.

Every split and seed has its own local model, trained on its own training spots alone: a model that had seen a held-out
spot would make its score worthless. All steps are run by the tasks themselves, in run folders of their own, so that a
repeat that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError, MismatchError, raise_all
from napari_c2lst.common.reporter import ForwardingReporter, Level, Reporter
from napari_c2lst.diffusion.adapting import run as adapt
from napari_c2lst.diffusion.sampling import run as sample
from napari_c2lst.diffusion.settings import AdaptSettings, SampleSettings
from napari_c2lst.expression.settings import TrainSettings
from napari_c2lst.expression.training import run as train
from napari_c2lst.slides.settings import SlideSettings
from napari_c2lst.slides.spots.selecting import run as select
from napari_c2lst.slides.spots.selection_settings import SelectSettings
from napari_c2lst.slides.spots.spotsets import read_spot_set, spot_set_names
from napari_c2lst.slides.store.stored import open_stored

from .settings import EvaluateSettings

__all__ = ["Repeat", "plan", "rerun"]

INSIDE = ("slide", "image", "image_scale")  # a store holds its image already
USE = {"real": "real", "synthetic": "synthetic", "real+synthetic": "both"}


@dataclass(frozen=True)
class Repeat:
    """One split and seed: the settings of every step, checked before any work.

    Attributes
    ----------
    name
        ``blocked-seed0``: its folder, and with ``rerun_`` before it its spot set.
    adapt, sample
        None where no arm needs synthetic pairs.
    train
        Arm -> settings; all take the same number of optimiser steps.
    """

    name: str
    select: SelectSettings
    adapt: AdaptSettings | None
    sample: SampleSettings | None
    train: dict[str, TrainSettings]


def rerun(settings: EvaluateSettings, folder: Path, reporter: Reporter) -> list[Path]:
    """Run the chain for every split and seed.

    Returns
    -------
    Run folders of every predictor, `folder/<split>-seed<k>/<arm>`. The spot sets are in the slide's store.

    Raises
    ------
    InputError
        If a setting of a step cannot be used; all faults at once, before any work.
    Stopped
        If asked to stop; what is finished is kept.
    """
    folder = folder.absolute()
    plan(settings, settings.slide, folder)  # all faults of all steps, before the slide is converted
    slide = open_stored(settings, reporter, spots=True)
    repeats = plan(settings, slide.path, folder)
    jobs = sum(len(repeat.train) + (2 if repeat.adapt else 0) for repeat in repeats)
    reporter.message(
        f"{len(repeats)} repeats ({', '.join(repeat.name for repeat in repeats)}), {jobs} jobs in all;"
        f" what is finished in '{folder}' is not run again"
    )
    predictors: list[Path] = []
    for number, repeat in enumerate(repeats, 1):
        predictors += _run_one(repeat, f"[{number}/{len(repeats)} {repeat.name}]", reporter)
    return predictors


def plan(settings: EvaluateSettings, store: Path, folder: Path) -> list[Repeat]:
    """The settings of every step of every repeat.

    Raises
    ------
    InputError
        If one cannot be used; all faults at once.
    """
    problems: dict[str, InputError] = {}
    repeats = []
    for split, seed in _splits_and_seeds(settings):
        try:
            repeats.append(_repeat(settings, store, folder, split, seed))
        except InputError as problem:
            problems.setdefault(problem.message, problem)  # the same fault in every repeat is said once
    raise_all(list(problems.values()))
    return repeats


def _splits_and_seeds(settings: EvaluateSettings) -> Iterator[tuple[str, int]]:
    for split in settings.splits:
        for seed in settings.seeds:
            yield split, seed


def _repeat(settings: EvaluateSettings, store: Path, folder: Path, split: str, seed: int) -> Repeat:
    name = f"{split}-seed{seed}"
    place = folder / name
    spots = f"rerun_{split}_seed{seed}"
    names = [field for field in SlideSettings.model_fields if field not in INSIDE]
    on_slide: dict[str, Any] = {"slide": store, **{field: getattr(settings, field) for field in names}}
    shared: dict[str, Any] = {
        **on_slide,
        "preset": settings.preset,
        "device": settings.device,
        "precision": settings.precision,
        "workers": settings.workers,
        "allow_download": settings.allow_download,
        "seed": seed,
    }
    for task in ("adapt", "sample", "train"):
        _refuse_ours(task, getattr(settings, task), shared)
    selection = SelectSettings.resolve(
        **on_slide, name=spots, fraction=settings.fraction, split=split, seed=seed, workers=settings.workers
    )
    pairs, local = place / "pairs", place / "local"
    adapting = {**shared, "central": settings.central, "spots": spots, "out": local, **settings.adapt}
    sampling = {**shared, "local": local, "ratio": settings.ratio, "out": pairs, **settings.sample}
    training = {**shared, "spots": spots, "central": settings.central, "count_as_ratio": float(settings.ratio)}
    training |= settings.train
    # synthetic pairs are given to every arm, also where it uses real spots alone: genes and scale are then the same
    synthetic = any(arm != "real" for arm in settings.arms)
    training |= {"synthetic": pairs} if synthetic else {}
    return Repeat(
        name,
        selection,
        AdaptSettings.resolve(**adapting) if synthetic else None,
        SampleSettings.resolve(**sampling) if synthetic else None,
        {arm: TrainSettings.resolve(**training, use=USE[arm], out=place / arm) for arm in settings.arms},
    )


def _refuse_ours(task: str, given: dict[str, Any], shared: dict[str, Any]) -> None:
    """Refuse what would make a repeat something else than its name says."""
    own = {*shared, "out", "spots", "local", "synthetic", "use", "resume", "ratio", "central"} - {
        "workers",
        "precision",
        "allow_download",
    }
    taken = sorted(own & given.keys())
    if taken:
        raise InputError(
            f"{task} = {{{', '.join(taken)}}} are set by evaluate itself in every repeat",
            "leave them out, or use the settings of evaluate of that name",
        )


def _run_one(repeat: Repeat, prefix: str, reporter: Reporter) -> list[Path]:
    _select(repeat.select, _Named(f"{prefix} select", reporter))
    if repeat.adapt is not None:
        adapt(repeat.adapt, _Named(f"{prefix} adapt", reporter))
    if repeat.sample is not None:
        sample(repeat.sample, _Named(f"{prefix} sample", reporter))
    steps: dict[str, int] = {}
    for arm, settings in repeat.train.items():
        steps[arm] = train(settings, _Named(f"{prefix} train {arm}", reporter)).steps
    if len(set(steps.values())) > 1:
        raise MismatchError(
            f"{repeat.name}: the arms took different numbers of optimiser steps ({steps})",
            "set steps: --train '{\"steps\": N}'",
        )
    return [settings.out for settings in repeat.train.values()]


def _select(settings: SelectSettings, reporter: Reporter) -> None:
    """Make the spot set, or check that the one of that name is the same."""
    slide = open_stored(settings, reporter, spots=True)
    if settings.name not in spot_set_names(slide):
        select(settings, reporter)
        return
    how = read_spot_set(slide, settings.name).how
    wanted = {"fraction": settings.fraction, "split": settings.split, "seed": settings.seed}
    if any(how.get(key) != value for key, value in wanted.items()):
        raise MismatchError(
            f"slide '{slide.name}' has a spot set '{settings.name}' made otherwise ({how})",
            "repeat with its fraction, or replace it: c2lst select ... --replace",
        )


class _Named(ForwardingReporter):
    """Says before each line which repeat and step it is of."""

    def __init__(self, name: str, inner: Reporter) -> None:
        super().__init__(inner)
        self.name = name

    def message(self, text: str, level: Level = "info") -> None:
        """Pass on, named."""
        super().message(f"{self.name}: {text}", level)

    def progress(self, done: int, total: int, what: str = "") -> None:
        """Pass on, named."""
        super().progress(done, total, f"{self.name}: {what}" if what else self.name)
