"""How long a job without a run folder took, written down so that the next one can be estimated."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from napari_c2lst.common.errors import C2LError
from napari_c2lst.common.reporter import GOING_ON
from napari_c2lst.jobs.pace import note_time
from napari_c2lst.jobs.tasks import get_task

from .job import Job


def note_time_of(job: Job, folder: Path | None) -> None:
    """Write it into the folder of the slide's runs, if the job did the whole of its work.

    What cannot be written is left out: nobody waits for it.

    Parameters
    ----------
    folder
        Of the runs of the slide it worked on; None for another slide.
    """
    result = job.last.get("result")
    if folder is None or job.pace is None or not isinstance(result, dict) or _went_on(job):
        return
    with suppress(OSError, C2LError):
        settings = get_task(job.task).settings_class().resolve(**job.settings)
        note_time(folder, job.task, settings.model_dump(mode="json"), result, job.pace)


def _went_on(job: Job) -> bool:
    """Whether it did only what a stopped one had left: its time says nothing of the whole."""
    return any(line.startswith(GOING_ON) for line in job.log)
