"""The nine steps of the way, and which panel each of them has."""

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
    panel
        Its panel, ``"module:Class"`` inside the plugin; imported when the step is first looked at.
    task
        The task it runs in a child process; empty for steps without one.
    """

    key: str
    title: str
    purpose: str
    panel: str
    task: str = ""

    def panel_class(self) -> Any:
        """Import the panel's class."""
        module, _, name = self.panel.partition(":")
        return getattr(import_module(f"{_PLUGIN}.{module}"), name)


STEPS = (
    Step("open", "Open", "Open a slide: its image and its measured spots.", "opening.panel:OpenPanel"),
    Step("select", "Spots", "Choose the spots to learn from; the others are held out.", "selecting.panel:SelectPanel"),
    Step("adapt", "Adapt", "Teach a central model how this tissue looks.", "steps.adapt:AdaptPanel", "adapt"),
    Step("sample", "Sample", "Draw synthetic patches for real expression.", "steps.sample:SamplePanel", "sample"),
    Step("train", "Train", "Train a predictor on real and synthetic patches.", "steps.train:TrainPanel", "train"),
    Step("predict", "Predict", "Predict genes over the tissue.", "steps.predict:PredictPanel", "predict"),
    Step("look", "Look", "See predicted maps beside measured ones.", "looking.panel:LookPanel"),
    Step("judge", "Judge", "How good is it on spots it has not seen?", "judging.panel:JudgePanel", "evaluate"),
    Step("keep", "Keep", "Save, export, and repeat a step elsewhere.", "keeping.panel:KeepPanel"),
)


def step_named(key: str) -> Step:
    """The step of that name."""
    return next(step for step in STEPS if step.key == key)


def step_of_task(task: str) -> Step | None:
    """The step that runs a task, or None."""
    return next((step for step in STEPS if step.task == task), None)
