"""The panel of one step: a form, Run / Stop / Resume, and what the job shows while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_c2lst.common.errors import InputError
from napari_c2lst.jobs.tasks import get_task
from napari_c2lst.plugin.forms.form import SettingsForm
from napari_c2lst.plugin.jobs.job import Job
from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.parts.log_window import LogWindow
from napari_c2lst.plugin.parts.tab_order import ReadPanel
from napari_c2lst.plugin.runs import RunInfo
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.slides.settings import SlideSettings

from .ending import ending
from .launching import Launcher
from .offers import slide_line, stopped_run
from .run_name import RunNameField
from .step_layout import StepLayout

if TYPE_CHECKING:
    import napari.viewer

Values = Mapping[str, Any]


class StepPanel(ReadPanel):
    """The panel of one task; its subclasses say what the step can work on.

    Parameters
    ----------
    viewer
        The viewer whose session it works on.
    task
        Name of the task.

    Attributes
    ----------
    form
        The settings.
    job
        The job that runs or ran last in this panel; None before.
    """

    done = Signal(str)  # the run folder, or the store that something was written into

    title: ClassVar[str] = ""
    purpose: ClassVar[str] = ""
    run_stem: ClassVar[str] = ""
    uses_set: ClassVar[bool] = False
    shown_if: ClassVar[dict[str, Callable[[Values], bool]]] = {}
    """Fields that matter only in some cases, and when they do."""

    def __init__(self, viewer: napari.viewer.Viewer, task: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.task = task
        self.job: Job | None = None
        self._shared = shared_of(viewer)
        self._resumable: dict[str, Any] | None = None
        self._tried: dict[str, Any] | None = None  # what could go on before something was started
        self._of: Path | None = None  # the slide that what is shown is about
        self._told_by_job = False
        self.form = SettingsForm(get_task(task).settings_class(), self, first=_FIRST)
        self.ui = StepLayout(self, self.form, self.purpose)
        self._launcher = Launcher(self._shared.session, self._shared.jobs, self)
        self._prepare_form()
        self._connect()
        self.renew()

    @property
    def session(self) -> Any:
        """The session of the viewer."""
        return self._shared.session

    def settings(self) -> dict[str, Any]:
        """What a job would be started with now; all faults at once.

        Raises
        ------
        InputError
            If no slide is open, it lacks the spots to learn from, or a setting is missing or cannot be used.
        """
        slide = self.session.require_slide()
        if self.uses_set and slide.spots is None:
            hint = "open a slide with spots; a predictor of such a slide can predict on this image"
            raise InputError(f"'{slide.name}' is an image without measured spots", hint)
        self.form.resolve()
        problem = self._run_name.problem() if self.run_stem else ""
        if problem:
            raise InputError(f"the run cannot be called '{self._run_name.typed}': {problem}", "choose another run name")
        return self.form.explicit()

    def run(self) -> None:
        """Start a job with the settings of the form."""
        try:
            settings = self.settings()
        except InputError as error:
            self._refuse(error)
        else:
            self._start(settings)

    def resume(self) -> None:
        """Go on with the job that stopped last, with the settings it had."""
        if self._resumable is None or self._active():
            return
        known = {name: value for name, value in self._resumable.items() if name in self.form.values()}
        try:
            self.form.resolve(known)  # a file on disk may have been changed by hand
        except InputError as error:
            self._refuse(InputError(f"the run cannot go on: {error.message}", "start another one with Run"))
        else:
            self.form.set_values(known)
            self._start({**self._resumable, "resume": "auto"})

    def stop(self) -> None:
        """Ask the job to save a checkpoint and stop."""
        if self.job is not None:
            self.job.stop()

    def end_now(self) -> None:
        """End the job at once, without a checkpoint."""
        if self.job is not None:
            self.job.kill()

    def open_log(self) -> LogWindow | None:
        """Open the log of the job in a window of its own."""
        if self.job is None:
            return None
        window = LogWindow(self.job, self)
        window.show()
        return window

    def renew(self) -> None:
        """Read anew what the step can work on: the slide, its sets, runs on disk."""
        session = self.session
        self._forget_other_slides()
        self.ui.slide.setText(slide_line(session))
        opening = {name: session.opening.get(name) for name in SlideSettings.model_fields}
        values = {name: value for name, value in opening.items() if value is not None or name in _EMPTY}
        self.form.set_values({**values, "slide": session.slide.path if session.slide is not None else None})
        self.offer_choices()
        if self.run_stem and not self._active():
            self._run_name.look_in(session.runs_folder)
        self._look_for_stopped_run()
        self.ui.time.look(self.task, session)
        self._show_time()
        self._show_state()

    def offer_choices(self) -> None:
        """Fill in what the step can work on; for subclasses."""

    def _prepare_form(self) -> None:
        self.form.hide_fields(*SlideSettings.model_fields, "resume")
        if self.run_stem:
            info = self.form.field("out").info
            self._run_name = RunNameField(info, self.run_stem)
            self.form.use(self._run_name)
        self._follow_conditions()

    def _connect(self) -> None:
        self.ui.connect_to(self)
        self.form.changed.connect(self._on_form)
        self._heard = Listening(self)
        session = self.session
        for signal in (session.slide_changed, session.sets_changed, session.results_changed):
            self._heard.to(signal, self.renew)
        self._launcher.launched.connect(self._watch)
        self._launcher.refused.connect(self._on_refused)

    def _on_form(self) -> None:
        if self.ui.message.level == "error" and not self._told_by_job:
            self.ui.message.clear()  # what was wrong may be right now
        self._follow_conditions()
        self.ui.device.show_device(str(self.form.values().get("device", "auto")))
        self._show_time()

    def _show_time(self) -> None:
        self.ui.time.show_for(self.task, self.form)

    def _follow_conditions(self) -> None:
        values = self.form.values()
        for name, matters in self.shown_if.items():
            self.form.switch(name, matters(values))

    def _start(self, settings: dict[str, Any]) -> None:
        if self._active():
            return
        self._tried, self._resumable = self._resumable, None
        self.ui.begin("Starting…")
        spots = self.form.values().get("spots") if self.uses_set else None
        self._launcher.launch(self.task, settings, self.title or self.task, spots or "")

    def _watch(self, job: Job) -> None:
        self.job = job
        self.ui.watch(job)
        job.state_changed.connect(self._show_state)
        job.stop_is_slow.connect(self._on_slow_stop)
        job.ended.connect(self._on_end)
        self._show_state()

    def _on_slow_stop(self) -> None:
        self.ui.message.show_message(
            "warning",
            "it is still at work on the step it began, or saves a checkpoint",
            "wait, or end it now and lose what came after the last checkpoint",
            action="&End now",
        )

    def _on_end(self) -> None:
        if self.job is None:
            return
        job, finished = self.job, self.job.state == "finished"
        if finished and job.task != self.task:
            return  # the slide was converted for the step, which begins now
        self._told_by_job = True
        said = ending(job.task, job.state, job.last)
        left = not self._is_open(job.settings)
        hint = f"it is of the slide '{job.settings.get('slide')}': open that again to go on" if left else said.hint
        self._resumable = dict(job.settings) if said.resumable else None
        self.ui.end(finished)
        self.renew()  # the name of the run is taken by now; another slide may be open
        self.ui.message.show_message(said.level, said.message, hint, details=True)
        if said.level == "error":
            self.session.tell("error", said.message, hint)
        if finished:
            self.done.emit(_what_was_made(job))

    def _on_refused(self, message: str, hint: str) -> None:
        self.ui.end(False)
        self._resumable = self._tried  # nothing was begun
        self._refuse(InputError(message, hint))
        self._show_state()

    def _refuse(self, error: InputError) -> None:
        self._told_by_job = False
        self.ui.message.show_message("error", error.message, error.hint)
        self.session.tell("error", error.message, error.hint)

    def _forget_other_slides(self) -> None:
        """A run of a slide that was left does not go on while another one is open; it is found when that is again."""
        path = None if self.session.slide is None else self.session.slide.path
        if path == self._of or self._active():
            return
        self._of = path
        self.ui.message.clear()
        if self._resumable is not None and not self._is_open(self._resumable):
            self._resumable = None

    def _is_open(self, settings: Values) -> bool:
        """Whether some settings are for the slide that is open."""
        slide = self.session.slide
        return slide is not None and Path(settings.get("slide", "")).absolute() == slide.path.absolute()

    def _look_for_stopped_run(self) -> None:
        if self._active() or self._resumable is not None or not self.run_stem:
            return
        running = [job.out for job in self._shared.jobs.running() if job.out is not None]
        found = stopped_run(self.session, self.task, running)
        if found is not None:
            self._resumable = self._settings_of(found)
            if not self.ui.message.level:  # what was said last is more to the point
                self.ui.message.show_message(
                    "info", f"run '{found.name}' was stopped", "press Resume to go on from there"
                )

    def _settings_of(self, run: RunInfo) -> dict[str, Any]:
        """The settings of a run, which may have begun on the command line; the open slide by its own name."""
        settings = {**run.settings, "out": run.path}
        return {**settings, "slide": self.session.slide.path} if self._is_open(settings) else settings

    def _active(self) -> bool:
        return self._launcher.busy or (self.job is not None and self.job.active)

    def _show_state(self, *_: Any) -> None:
        self.ui.show_state(self._active(), self.job, self._resumable is not None)


_FIRST = ("out", "local", "predictor", "where", "spots", "synthetic")
_EMPTY = frozenset({"image", "mpp", "image_name", "table", "coordinate_system", "image_scale"})


def _what_was_made(job: Job) -> str:
    result = job.last.get("result")
    store = result.get("store") if isinstance(result, dict) else None
    return str(job.out or store or Path(job.settings.get("slide", "")))
