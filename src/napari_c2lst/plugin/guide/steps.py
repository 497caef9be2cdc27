"""The ten steps of the way, and which panel each of them has."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

_PLUGIN = "napari_c2lst.plugin"


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes
    ----------
    key
        Its name in the program.
    title
        One word for a button.
    purpose
        One sentence for someone who has not read anything.
    panels
        Its panels with their titles, ``"module:Class"`` inside the plugin; imported when they are first looked at.
    task
        The task it runs in a child process; empty for steps without one.
    optional
        Whether the way goes on without it: it is never the next thing to do.
    """

    key: str
    title: str
    purpose: str
    panels: tuple[tuple[str, str], ...]
    task: str = ""
    optional: bool = False


def panel_class(where: str) -> Any:
    """Import the class of a panel."""
    module, _, name = where.partition(":")
    return getattr(import_module(f"{_PLUGIN}.{module}"), name)


def _step(key: str, title: str, purpose: str, panel: str, task: str = "") -> Step:
    return Step(key, title, purpose, ((title, panel),), task)


STEPS = (
    _step("open", "Open", "Open a slide: its image and its measured spots.", "opening.panel:OpenPanel"),
    _step("select", "Spots", "Choose the spots to learn from; the others are held out.", "selecting.panel:SelectPanel"),
    _step("adapt", "Adapt", "Teach a central model how this tissue looks.", "steps.adapt:AdaptPanel", "adapt"),
    _step("sample", "Sample", "Draw synthetic patches for real expression.", "steps.sample:SamplePanel", "sample"),
    _step("train", "Train", "Train a predictor on real and synthetic patches.", "steps.train:TrainPanel", "train"),
    _step("predict", "Predict", "Predict genes over the tissue.", "steps.predict:PredictPanel", "predict"),
    Step(
        "cells",
        "Cells",
        "Find nuclei and their types, and look at them.",
        (("Find", "cells.step:CellsPanel"), ("Look", "cells.panel:CellsViewPanel")),
        "cells",
        optional=True,
    ),
    Step(
        "look",
        "Look",
        "See predicted maps, and synthetic patches beside real ones.",
        (("Gene maps", "looking.panel:LookPanel"), ("Patches", "looking.gallery:GalleryPanel")),
    ),
    Step(
        "judge",
        "Judge",
        "How good is it on spots it has not seen?",
        (("Evaluate", "steps.evaluate:EvaluatePanel"), ("Scores", "judging.panel:JudgePanel")),
        "evaluate",
    ),
    _step("keep", "Keep", "Save, export, and repeat a step elsewhere.", "keeping.panel:KeepPanel"),
)


def step_named(key: str) -> Step:
    """The step of that name."""
    return next(step for step in STEPS if step.key == key)


def step_of_task(task: str) -> Step | None:
    """The step that runs a task, or None."""
    return next((step for step in STEPS if task and step.task == task), None)
