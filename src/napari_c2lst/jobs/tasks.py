"""The registry of tasks: a name, where its settings and its work are, and what to say about it.

Settings and work are named as ``"module:attribute"`` and imported on first use: listing the tasks costs nothing.
To add a task, add a line here: the command, the child process, the Python call and the reference page follow from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from napari_c2lst.common.allocator import settle_memory
from napari_c2lst.common.errors import InputError

if TYPE_CHECKING:
    from napari_c2lst.common.reporter import Reporter
    from napari_c2lst.common.results import TaskResult
    from napari_c2lst.common.settings import TaskSettings

PACKAGE = "napari_c2lst"


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes
    ----------
    name
        The command's name.
    settings
        Where its settings class is, ``"room.module:Class"``.
    work
        Where its function is, ``"room.module:run"``.
    summary
        One line for a list of commands.
    example
        A command line that works as it stands once the slide is there.
    group
        The part of the way it belongs to: "slide", "model", "genes" or "cells".
    python
        What its function is called where the name is not free; empty for the name itself.
    little_memory
        Whether a process for it gives large blocks back at once, see `common.allocator`.
    """

    name: str
    settings: str
    work: str
    summary: str
    example: str
    group: str
    python: str = ""
    little_memory: bool = False

    @property
    def function(self) -> str:
        """What it is called in Python."""
        return self.python or self.name.replace("-", "_")

    def settings_class(self) -> "type[TaskSettings]":
        """Import the settings class (without torch)."""
        return cast("type[TaskSettings]", _load(self.settings))

    def run(self, settings: "TaskSettings", reporter: "Reporter") -> "TaskResult":
        """Import the work and do it here, in this process and thread."""
        work = cast("Callable[[TaskSettings, Reporter], TaskResult]", _load(self.work))
        return work(settings, reporter)


def _load(where: str) -> Any:
    module, _, attribute = where.partition(":")
    return getattr(import_module(f"{PACKAGE}.{module}"), attribute)


# In the order of the work: what a first-time user does from top to bottom.
_ALL = (
    Task(
        "info",
        "slides.settings:InfoSettings",
        "slides.informing:run",
        "Look at a slide: image, microns per pixel, spots, genes, spot sets.",
        "c2lst info slide.zarr",
        "slide",
    ),
    Task(
        "convert",
        "slides.settings:ConvertSettings",
        "slides.store.converting:run",
        "Write any slide as a SpatialData with a multiscale image.",
        "c2lst convert spaceranger_out/ slide.zarr --image tissue_fullres.tif",
        "slide",
    ),
    Task(
        "select",
        "slides.spots.selection_settings:SelectSettings",
        "slides.spots.selecting:run",
        "Choose the training spots and keep them in the slide under a name.",
        "c2lst select slide.zarr --name train --fraction 0.25 --seed 0",
        "slide",
    ),
    Task(
        "pretrain",
        "diffusion.pretrain_settings:PretrainSettings",
        "diffusion.pretraining:run",
        "Train a central model: how tissue looks, from images alone.",
        "c2lst pretrain tiles/ --out runs/central",
        "model",
    ),
    Task(
        "publish",
        "diffusion.publish_settings:PublishSettings",
        "diffusion.publishing:run",
        "Make a folder of a central model that can be given away.",
        "c2lst publish runs/central --out her2st-breast --licence 'CC BY 4.0'",
        "model",
    ),
    Task(
        "adapt",
        "diffusion.settings:AdaptSettings",
        "diffusion.adapting:run",
        "Adapt a central model to one slide: tissue that follows gene expression.",
        "c2lst adapt slide.zarr --spots train --out runs/local",
        "model",
    ),
    Task(
        "sample",
        "diffusion.settings:SampleSettings",
        "diffusion.sampling:run",
        "Sample synthetic pairs of a tissue patch and its gene expression.",
        "c2lst sample slide.zarr --local runs/local --ratio 10 --out runs/pairs",
        "model",
    ),
    Task(
        "train",
        "expression.settings:TrainSettings",
        "expression.training:run",
        "Train a gene predictor on real spots, with or without synthetic pairs.",
        "c2lst train slide.zarr --spots train --synthetic runs/pairs --out runs/predictor",
        "genes",
    ),
    Task(
        "predict",
        "expression.settings:PredictSettings",
        "expression.predicting:run",
        "Predict genes on held-out spots or on a dense grid over the tissue.",
        "c2lst predict slide.zarr --predictor runs/predictor --where grid",
        "genes",
    ),
    Task(
        "evaluate",
        "evaluation.settings:EvaluateSettings",
        "evaluation.evaluating:run",
        "Score predictions on held-out spots beside simple baselines.",
        "c2lst evaluate slide.zarr --spots train --out runs/scores",
        "genes",
    ),
    Task(
        "cells",
        "cells.settings:CellsSettings",
        "cells.segmenting:run",
        "Find every nucleus of a slide with its type, and what each spot is composed of.",
        "c2lst cells slide.zarr --weights hovernet.tar",
        "cells",
        python="find_cells",  # `napari_c2lst.cells` is the room
        little_memory=True,
    ),
    Task(
        "train-cells",
        "cells.training.settings:TrainCellsSettings",
        "cells.training.running:run",
        "Train a HoVer-Net on outlined and typed nuclei, and score it.",
        "c2lst train-cells consep/ --out runs/cells",
        "cells",
    ),
    Task(
        "run",
        "cohorts.settings:CohortSettings",
        "cohorts.running:run",
        "Predict genes or find cells on every slide of a table, on this machine or a cluster.",
        "c2lst run cohort.csv --predict predictor=runs/predictor,where=grid --out runs/cohort",
        "genes",
    ),
)

TASKS: dict[str, Task] = {task.name: task for task in _ALL}


def get_task(name: str) -> Task:
    """The task of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in TASKS:
        raise InputError(f"there is no task {name!r}", f"choose one of {', '.join(TASKS)}")
    return TASKS[name]


def settle_process(name: str) -> None:
    """Settle what concerns a whole process, for the task it is there for; called by what starts processes, first thing.

    Parameters
    ----------
    name
        As `get_task`; one that is unknown is told later.
    """
    settle_memory(little=name in TASKS and TASKS[name].little_memory)
