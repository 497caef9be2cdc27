"""The tasks from Python: the same settings and the same work as the command line.

Each function takes the settings of its task as keywords (`docs/settings.md` lists them) and a `reporter`; without one,
messages go to the `napari_c2lst` logger.
"""

import logging
from os import PathLike
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Level, Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.settings import TaskSettings

from .tasks import get_task

AnyPath = str | PathLike[str]


class LoggingReporter(Reporter):
    """Hands messages to the `napari_c2lst` logger; progress and metrics go to the run folder only."""

    def __init__(self) -> None:
        self._log = logging.getLogger("napari_c2lst")

    def message(self, text: str, level: Level = "info") -> None:
        """Log one line."""
        self._log.log(logging.WARNING if level == "warning" else logging.INFO, "%s", text)


def run_task(name: str, /, *positional: Any, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Run a task by its name, in this process.

    Parameters
    ----------
    name
        A name of `napari_c2lst.jobs.tasks.TASKS`.
    *positional
        The task's positional settings, in order (the slide first).
    reporter
        Told of messages, progress and metrics; asked whether to stop.
    **settings
        The task's settings; what is left out takes its preset's value.

    Raises
    ------
    InputError
        If a setting or an input cannot be used; all faults at once, before any work.
    """
    task = get_task(name)
    resolved = resolve(task.settings_class(), positional, settings)
    return task.run(resolved, LoggingReporter() if reporter is None else reporter)


def resolve(cls: type[TaskSettings], positional: tuple[Any, ...], settings: dict[str, Any]) -> TaskSettings:
    """Give positional values their names and resolve the settings."""
    names = [field.name for field in cls.fields_info() if field.positional]
    if len(positional) > len(names):
        raise InputError(
            f"'{cls.task}' takes {len(names)} positional values ({', '.join(names)}), not {len(positional)}",
            "give the rest by name",
        )
    named = dict(zip(names, positional, strict=False))
    twice = sorted(named.keys() & settings.keys())
    if twice:
        raise InputError(f"{', '.join(twice)} given twice, by place and by name", "give it once")
    return cls.resolve(**named, **settings)


def info(slide: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Look at a slide: image, microns per pixel, spots, genes, spot sets."""
    return run_task("info", slide, reporter=reporter, **settings)


def convert(path: AnyPath, out: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Write any slide as a SpatialData with a multiscale image."""
    return run_task("convert", path, out, reporter=reporter, **settings)


def select(slide: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Choose training spots and keep them in the slide under a name."""
    return run_task("select", slide, reporter=reporter, **settings)


def pretrain(*tiles: AnyPath, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Train a central model on folders of images, images or slides."""
    return run_task("pretrain", tiles, reporter=reporter, **settings)


def publish(run: AnyPath, out: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Make a folder of a central model that can be given away."""
    return run_task("publish", run, out=out, reporter=reporter, **settings)


def adapt(slide: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Adapt a central model to the training spots of one slide."""
    return run_task("adapt", slide, reporter=reporter, **settings)


def sample(slide: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Sample synthetic pairs from a local model."""
    return run_task("sample", slide, reporter=reporter, **settings)


def train(slide: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Train a gene predictor on training spots, with or without synthetic pairs."""
    return run_task("train", slide, reporter=reporter, **settings)


def predict(slide: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Predict genes on spots or on a grid and write them into the slide."""
    return run_task("predict", slide, reporter=reporter, **settings)


def evaluate(slide: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Score predictions on held-out spots beside the baselines."""
    return run_task("evaluate", slide, reporter=reporter, **settings)


def find_cells(slide: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Find the nuclei of a slide, or of synthetic patches, and write them into it or beside them."""
    return run_task("cells", slide, reporter=reporter, **settings)


def train_cells(*data: AnyPath, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Train a HoVer-Net on folders of outlined and typed nuclei."""
    return run_task("train-cells", data, reporter=reporter, **settings)


def run(table: AnyPath, out: AnyPath, *, reporter: Reporter | None = None, **settings: Any) -> TaskResult:
    """Predict genes or find cells on every slide of a table, on Dask workers."""
    return run_task("run", table, out=out, reporter=reporter, **settings)


def sample_slide() -> Path:
    """The sample slide (her2st B4, CC BY 4.0) as a SpatialData in the user's cache; made on first use."""
    from napari_c2lst.slides.sample_data import sample_slide_path

    return Path(sample_slide_path())
