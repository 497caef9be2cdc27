"""How long a task will take with given settings, going by what the same task took on this computer; no torch.

Nothing is guessed: work that was never measured here, or that differs in what decides its speed, has no estimate.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_c2lst.common.accelerator import device_kind
from napari_c2lst.common.durations import in_words
from napari_c2lst.common.environment import this_machine
from napari_c2lst.common.errors import C2LError
from napari_c2lst.common.runs import RESULT, read_config

from .pace import Timed

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Amounts:
    """What of the slide decides how much there is to do.

    Attributes
    ----------
    spots
        How many spots it has.
    in_sets
        How many each of its sets has.
    """

    spots: int = 0
    in_sets: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """How long it will take, and the work that says so."""

    seconds: float
    of: Timed

    def words(self) -> str:
        """'about 4 min, as your last run went'."""
        # as exact as it can be: the start of the program alone differs by seconds
        rough = f"{max(5, math.ceil(self.seconds / 5) * 5)} s" if self.seconds < 120 else in_words(_whole(self.seconds))
        return f"about {rough}, as your last run went"

    def basis(self) -> str:
        """What it rests on, as "Run 'local' took 1 min 10 s on this computer"."""
        pace = self.of.pace
        run = f"run '{self.of.name}'" if self.of.name else "the last time"
        return f"{run[:1].upper()}{run[1:]} took {in_words(pace.fixed + pace.varying)} on this computer."


def _whole(seconds: float) -> float:
    return math.ceil(seconds / 60) * 60.0


def estimate(task: str, settings: Values, earlier: Iterable[Timed], amounts: Amounts) -> Estimate | None:
    """How long a task will take.

    Parameters
    ----------
    settings
        All settings, as JSON has them.
    earlier
        What the task finished before, the newest first.

    Returns
    -------
    Estimate or None
        By the newest that is comparable: on a machine like this one, with the same networks and device. None where
        there is none, or where it cannot be told how much there is to do.
    """
    way = _WAYS.get(task)
    if way is None:
        return None
    for each in earlier:
        if not _same_machine(each.machine) or _alike(way, settings, None, {}) != _alike(
            way, each.settings, each.folder, each.machine
        ):
            continue
        # a setting that is missing or has no meaning yet, a run that is gone: it cannot be told
        with suppress(KeyError, TypeError, ValueError, OSError, C2LError):
            before, now = way.done(each), way.to_do(settings, amounts, each)
            if before > 0 and now > 0:
                return Estimate(each.pace.fixed + each.pace.varying * now / before, each)
    return None


@dataclass(frozen=True)
class _Way:
    """How the work of one task is counted.

    Attributes
    ----------
    alike
        What has to be the same for one unit of work to take as long; the folder is where runs are looked for.
    done, to_do
        Units of work that were done, and that the settings ask for.
    """

    alike: Callable[[Values, Path | None], tuple[Any, ...]]
    done: Callable[[Timed], float]
    to_do: Callable[[Values, Amounts, Timed], float]


def _alike(way: _Way, settings: Values, folder: Path | None, machine: Values) -> tuple[Any, ...] | None:
    """None for what cannot be told, which is like nothing."""
    try:
        device = str(settings.get("device", "auto"))
        known = machine.get("accelerator") if device == "auto" else None
        return (known or device_kind(device), settings.get("precision"), *way.alike(settings, folder))
    except (KeyError, TypeError, OSError, C2LError):
        return None


def _same_machine(machine: Values) -> bool:
    here = this_machine()
    return all(machine.get(name) == here[name] for name in ("system", "cpus"))


# -- adapt ---------------------------------------------------------------------------------------------------------


def _adapt_alike(settings: Values, folder: Path | None) -> tuple[Any, ...]:
    # a patch takes longer in a small batch
    return settings["central"], settings.get("blocks"), settings.get("embedding"), settings.get("batch")


def _adapt_patches(settings: Values) -> float:
    return float(settings["steps"] * settings["batch"] * settings["accumulation"])


# -- sample --------------------------------------------------------------------------------------------------------


def _sample_alike(settings: Values, folder: Path | None) -> tuple[Any, ...]:
    return _central_of("sample", settings, folder), settings.get("micro_batch")


def _evaluations(settings: Values) -> float:
    """Evaluations of the network for a patch; the guided part of the steps needs two each."""
    guided = 0.0 if settings["guidance"] == 1 else settings["guidance_high"] - settings["guidance_low"]
    return float(settings["steps"] * (1 + guided))


def _sample_to_do(settings: Values, amounts: Amounts, last: Timed) -> float:
    spots = _result_of(_run_at(settings["local"], None))["spots"]
    return float(settings["ratio"] * spots) * _evaluations(settings)


# -- train ---------------------------------------------------------------------------------------------------------


def _train_alike(settings: Values, folder: Path | None) -> tuple[Any, ...]:
    return settings["network"], settings.get("batch"), _central_of("train", settings, folder)


def _train_to_do(settings: Values, amounts: Amounts, last: Timed) -> float:
    if settings.get("steps") is not None:
        return float(settings["steps"] * settings["batch"])
    patches = amounts.in_sets[settings["spots"]] * (1 + settings["count_as_ratio"])
    return float(settings["epochs"] * math.ceil(patches / settings["batch"]) * settings["batch"])


# -- predict -------------------------------------------------------------------------------------------------------


def _predict_alike(settings: Values, folder: Path | None) -> tuple[Any, ...]:
    predictor = read_config(_run_at(settings["predictor"], folder))["settings"]
    return predictor["network"], _central_of("train", predictor, _run_at(settings["predictor"], folder).parent)


def _predict_done(last: Timed) -> float:
    places = last.result["n_spots"] + last.result["n_grid"]
    return float(places * _flips(last.settings))


def _predict_to_do(settings: Values, amounts: Amounts, last: Timed) -> float:
    spots = grid = 0.0
    if settings["where"] != "grid":
        learnt = _result_of(_run_at(settings["predictor"], None))["n_real"] if settings["spots"] == "held-out" else 0
        spots = amounts.spots - learnt
    if settings["where"] != "spots":
        if not last.result["n_grid"]:
            raise ValueError("how much tissue there is has not been counted yet")
        grid = last.result["n_grid"] * (last.settings["stride_um"] / settings["stride_um"]) ** 2
    return float((spots + grid) * _flips(settings))


def _flips(settings: Values) -> int:
    return 8 if settings.get("tta") else 1


# -- evaluate ------------------------------------------------------------------------------------------------------


def _evaluate_alike(settings: Values, folder: Path | None) -> tuple[Any, ...]:
    always = ("rerun", "figures", "cells", "cells_patches", "draws")
    repeated = ("fraction", "central", "arms", "ratio", "adapt", "sample", "train", "preset")
    if settings["rerun"]:
        return tuple(settings.get(name) or None for name in (*always, *repeated))
    # most of it is drawing figures: only of as many predictors as before is it known
    return (*(settings.get(name) or None for name in (*always, "runs")), len(settings.get("predictors") or ()))


def _repeats(settings: Values) -> float:
    return float(len(settings["splits"]) * len(settings["seeds"])) if settings["rerun"] else 1.0


# -- cells ---------------------------------------------------------------------------------------------------------


def _cells_alike(settings: Values, folder: Path | None) -> tuple[Any, ...]:
    names = ("slide", "weights", "tile_px", "mpp", "image", "image_name", "image_scale", "scheduler")
    return tuple(settings.get(name) for name in names)


# -- runs that a task is given -------------------------------------------------------------------------------------


def _result_of(run: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((run / RESULT).read_text(encoding="utf-8"))
    return result


def _run_at(path: Any, folder: Path | None) -> Path:
    """The run folder that a setting names; a path that means nothing here is looked for by its name."""
    named = Path(path)
    named = named.parent if named.suffix else named
    if not named.is_dir() and folder is not None:
        return folder / named.name
    return named


def _central_of(task: str, settings: Values, folder: Path | None) -> str:
    """The central model behind pairs or a local model, which decides how large patches and networks are."""
    upwards = {"train": "synthetic", "sample": "local"}
    given = settings.get(upwards[task]) if task in upwards else None
    if given is None:
        return str(settings["central"])
    run = _run_at(given, folder)
    return _central_of("sample" if task == "train" else "adapt", read_config(run)["settings"], run.parent)


_WAYS: dict[str, _Way] = {
    "adapt": _Way(_adapt_alike, lambda last: _adapt_patches(last.settings), lambda new, _a, _l: _adapt_patches(new)),
    "sample": _Way(
        _sample_alike, lambda last: float(last.result["patches"]) * _evaluations(last.settings), _sample_to_do
    ),
    "train": _Way(_train_alike, lambda last: float(last.result["steps"] * last.settings["batch"]), _train_to_do),
    "predict": _Way(_predict_alike, _predict_done, _predict_to_do),
    "evaluate": _Way(_evaluate_alike, lambda last: _repeats(last.settings), lambda new, _a, _l: _repeats(new)),
    # the same slide has as many tiles as it had
    "cells": _Way(_cells_alike, lambda last: 1.0, lambda new, _a, _l: 1.0),
}
