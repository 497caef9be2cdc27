"""The desk: every job of one viewer; it starts them, tells of their ends, and lets none outlive the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QCoreApplication, QEventLoop, QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.slides.facts import PREDICTIONS
from napari_c2lst.slides.naming import name_of_predictions

from . import questions
from .job import Job
from .measured import note_time_of
from .temporary_store import TemporaryStores, results_in

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session
    from napari_c2lst.slides.slide import Slide

_CLOSE_MS = 4000  # for checkpoints, when the window closes
_SLICE_MS = 20
_WRITERS = ("cells", "predict", "select")  # tasks that write into the slide


class JobDesk(QObject):
    """The jobs of one viewer.

    Parameters
    ----------
    session
        Told when a job has written something new.

    Attributes
    ----------
    jobs
        Every job since the viewer was opened, oldest first.
    filling
        Stores that were just made, and the work that writes the sets of spots into each.
    """

    started = Signal(object)  # Job
    ended = Signal(object)  # Job

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.jobs: list[Job] = []
        self.filling: dict[Path, Latest] = {}
        self.temporary = TemporaryStores()
        self._thread = Latest(self)
        self.command: Sequence[str] | None = None  # another program than our own child, for tests
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.end)

    def start(self, task: str, settings: Mapping[str, Any], label: str = "") -> Job:
        """Start a task in a child process.

        Parameters
        ----------
        settings
            What differs from the preset, JSON-able or paths.
        label
            What the job is called in the window; the task's name if empty.
        """
        command = None if self.command is None else [*self.command, task]
        job = Job(task, settings, label, command=command, parent=self)
        self.jobs.append(job)
        job.ended.connect(lambda: self._on_end(job))
        if task == "convert":
            self._note_copy(job)
        self.started.emit(job)
        # the caller connects to the job's signals before the first one comes
        QTimer.singleShot(0, job.start)
        return job

    def running(self) -> list[Job]:
        """The jobs that have not ended."""
        return [job for job in self.jobs if job.active]

    def writers(self) -> list[Job]:
        """The jobs that write into a slide: nothing else may write at the same time."""
        return [job for job in self.running() if job.task in _WRITERS]

    def refuse_while_writing(self) -> None:
        """Two must not write into a slide at a time.

        Raises
        ------
        InputError
            If a job that runs does.
        """
        for job in self.writers():
            raise InputError(f"{job.label} is writing into the slide", "save when it has ended")

    def refuse_twice(self, out: Path) -> None:
        """Two jobs must not make one store: the later one would only find at its end that it is there already.

        Raises
        ------
        InputError
            If a job that runs is making `out`, or the sets of spots are being written into it, just made.
        """
        work = self.filling.get(out.absolute())
        if work is not None and isalive(work) and work.awaited:
            raise InputError(f"the spots are being written into '{out.name}'", "try again in a moment")
        for job in self.running():
            made = job.settings.get("out") if job.task == "convert" else None
            if made is not None and Path(made).absolute() == out.absolute():
                raise InputError(f"'{out.name}' is being made already", f"wait until “{job.label}” has ended")

    def confirm_close(self, parent: QWidget | None = None) -> bool:
        """Whether the window may close; asks only if a job is running."""
        names = [job.label for job in self.running()]
        return not names or questions.may_stop(parent, names)

    def confirm_loss(self, parent: QWidget | None = None) -> bool:
        """Whether the window may take along what is kept nowhere else; asks only if there is anything."""
        results, sets = self.temporary.only_here(), self.session.unsaved_sets()
        return not (results or sets) or questions.may_lose(parent, results, sets)

    def close(self) -> None:
        """Stop every job with a checkpoint, and end at once what has not stopped after a few seconds.

        Temporary stores stay: the slide may be open, and another dock may come.
        """
        jobs = self.running()
        for job in jobs:
            job.stop()
        _wait(jobs, _CLOSE_MS)
        for job in self.running():
            job.kill()
        _wait(jobs, _CLOSE_MS)

    def end(self) -> None:
        """Close for good, when the window is gone: temporary stores are removed."""
        self.close()
        self.temporary.close()

    def _note_copy(self, job: Job) -> None:
        """A temporary store that is copied loses less with the window: what it holds now."""
        store = Path(job.settings.get("slide", ""))
        if self.temporary.holds(store):
            held = results_in(store)
            job.finished.connect(lambda _: self.temporary.note_copied(store, held))

    def _on_end(self, job: Job) -> None:
        self.ended.emit(job)
        if job.state != "finished":
            return
        store = _written_store(job)
        if store is not None:
            note_time_of(job, self.session.runs_folder if self._is_open(job) else None)
        if store is not None and self._is_open(job):
            for name in _predicted(job):
                self.session.note_predicted(name)
            self._reopen(store)
        else:
            self.session.results_changed.emit()

    def _is_open(self, job: Job) -> bool:
        """Whether a job worked on the slide that is open now."""
        slide = self.session.slide
        return slide is not None and Path(job.settings.get("slide", "")).absolute() == slide.path.absolute()

    def _reopen(self, store: Path) -> None:
        """Open the slide anew, in a thread: its store holds something new."""
        before, was = self.session.require_slide().path, self.session.opening
        opening = was
        if before.absolute() != store.absolute():
            # it has been converted: its elements have names of their own now
            opening = {name: value for name, value in opening.items() if name == "mpp"}

        def done(slide: Slide) -> None:
            there = self.session.slide
            if there is None or there.path != before:  # closed, or another one was opened, meanwhile
                self.session.results_changed.emit()
                return
            if self.session.opening != was:  # the user has opened it in another way meanwhile
                self._reopen(store)
                return
            self.session.opening = opening
            self.session.refresh(slide)

        self._thread.ask(_open, store, opening, done=done, failed=self._not_reopened)

    def _not_reopened(self, message: str, hint: str) -> None:
        self.session.tell("error", message, hint)
        self.session.results_changed.emit()


def _written_store(job: Job) -> Path | None:
    """The store that a job has written into, if it has."""
    result = job.last.get("result")
    store = result.get("store") if isinstance(result, Mapping) and job.task in ("predict", "cells") else None
    return None if store is None else Path(store)


def _predicted(job: Job) -> set[str]:
    """The names of the predictions that a job has written."""
    result = job.last.get("result")
    elements = result.get("elements", ()) if isinstance(result, Mapping) and job.task == "predict" else ()
    tables = [each for each in map(str, elements) if each.startswith(PREDICTIONS)]
    return {name_of_predictions(table) for table in tables}


def _open(store: Path, opening: Mapping[str, Any]) -> Slide:
    from napari_c2lst.slides.opening import open_slide

    return open_slide(store, **opening)


def _wait(jobs: list[Job], milliseconds: int) -> None:
    """Wait for the ends of jobs; the window is drawn meanwhile but takes no input."""
    for _ in range(milliseconds // _SLICE_MS):
        waiting = [job for job in jobs if job.active]
        if not waiting:
            return
        waiting[0].wait(_SLICE_MS)
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
