"""A made-up task for tests of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.settings import RunSettings, TaskSettings, setting
from napari_c2lst.jobs.tasks import TASKS, Task

NOTHING: Mapping[str, Any] = {}


class EveryKind(RunSettings):
    """One field of every kind a settings class may have."""

    task: ClassVar[str] = "every"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"paper": {}, "small": {"steps": 300, "widths": (32, 64)}}

    slide: Path = setting(help="the slide", positional=True)
    steps: int = setting(10_000, help="optimiser steps", ge=1)
    scale: float = setting(3.0, help="guidance scale", ge=0, lt=20)
    patch_um: float = setting(112.0, help="side of a patch", unit="um", gt=0)
    mpp: float | None = setting(None, help="microns per pixel", unit="um/px", gt=0)
    sampler: Literal["ddim", "unipc"] = setting("unipc", help="how to sample")
    stem: Literal[1, 2, 4] = setting(1, help="the stem", advanced=True)
    null: bool = setting(False, help="a learned null", advanced=True)
    polish: bool = setting(True, help="polish it")
    widths: tuple[int, ...] = setting((64, 128), help="channels", advanced=True)
    interval: tuple[float, float] | None = setting(None, help="noise levels with guidance", advanced=True)
    genes: list[str] = setting([], help="genes to draw")
    images: tuple[Path, ...] = setting((), help="images to use")
    extra: dict[str, int] = setting({}, help="numbers by name", advanced=True)


class Several(TaskSettings):
    """Several positional values."""

    task: ClassVar[str] = "several"
    tiles: tuple[Path, ...] = setting(help="folders", positional=True)


class FakeResult(TaskResult):
    """What the fake gives."""

    values: Mapping[str, Any] = NOTHING

    def lines(self) -> list[str]:
        return ["all done"]


def fake_task(
    monkeypatch: Any,
    work: Callable[[Any, Reporter], TaskResult],
    cls: type[TaskSettings] = EveryKind,
    name: str = "every",
) -> Task:
    """Put a task into the registry for one test."""

    class Fake(Task):
        def settings_class(self) -> type[TaskSettings]:
            return cls

        def run(self, settings: TaskSettings, reporter: Reporter) -> TaskResult:
            return work(settings, reporter)

    task = Fake(name, "", "", "A fake of every kind.", f"c2lst {name} slide.zarr --out run", "slide")
    monkeypatch.setitem(TASKS, name, task)
    return task
