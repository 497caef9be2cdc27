"""Settings of `run`: tasks over a cohort."""

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from napari_c2lst.common.settings import TaskSettings, setting

CohortTask = Literal["predict", "cells"]


class CohortSettings(TaskSettings):
    """Predict genes or find cells on every slide of a table."""

    task: ClassVar[str] = "run"

    table: Path = setting(
        help="a CSV with a line for each slide: a column 'slide', and any setting that differs between slides",
        positional=True,
    )
    out: Path = setting(help="the folder for the summary, the state of each slide and the logs")
    tasks: list[CohortTask] = setting(["predict"], help="what to do on each slide, in this order")
    predict: dict[str, Any] = setting({}, help="settings of predict for all slides, such as predictor=runs/predictor")
    cells: dict[str, Any] = setting({}, help="settings of cells for all slides, such as weights=hovernet.tar")
    scheduler: str = setting(
        "local", help="where to work: local = processes on this machine, or the address of a Dask scheduler"
    )
    workers: int = setting(2, help="with --scheduler local: slides at the same time", ge=1)
    retries: int = setting(1, help="how often a slide whose worker died is tried again", ge=0, advanced=True)

    @model_validator(mode="after")
    def _has_work(self) -> Self:
        if not self.tasks:
            raise ValueError("tasks is empty: there is nothing to do")
        if len(set(self.tasks)) != len(self.tasks):
            raise ValueError(f"tasks = {self.tasks} repeats itself")
        for name in ("predict", "cells"):
            if getattr(self, name) and name not in self.tasks:
                raise ValueError(f"settings of {name} are given, but tasks = {self.tasks}")
        return self
