"""Start a job of the open slide, once everything it needs is on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.jobs.desk import JobDesk
from napari_c2lst.plugin.jobs.job import Job
from napari_c2lst.plugin.jobs.temporary_store import IN_MEMORY, is_on_disk
from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.slides.settings import SlideSettings

from .preparing import store_set, unsaved_set

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.spotsets import SpotSet


class Launcher(QObject):
    """Starts jobs; a slide in memory is written to a temporary store first, and so is a set that is not stored yet.

    A slide that is no store is converted by a job of its own before a set can be kept in it. The job is for the slide
    that is open when it is launched, also if the user opens another one while it is prepared.
    """

    launched = Signal(object)  # Job
    refused = Signal(str, str)  # message, hint

    def __init__(self, session: Session, desk: JobDesk, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._desk = session, desk
        self._thread = Latest(self)
        self._wanted: tuple[str, dict[str, Any], str] = ("", {}, "")
        # as they were when the job was launched
        self._path = Path()
        self._opening: dict[str, Any] = {}
        self._spots: SpotSet | None = None
        self._converting: Job | None = None
        self.busy = False

    def launch(self, task: str, settings: Mapping[str, Any], label: str, spots: str = "") -> None:
        """Prepare, then start; `launched` or `refused` comes.

        Parameters
        ----------
        spots
            Name of the set that the job is to use; empty for none.
        """
        self.busy = True
        slide = self._session.slide
        self._wanted = (task, dict(settings), label)
        self._opening, self._spots = self._session.opening, self._session.sets.get(spots)
        try:
            if slide is None or Path(settings.get("slide", "")) != slide.path:
                self._go()  # a run of before, on a slide by its path
                return
            self._path = slide.path
            if slide.kind == IN_MEMORY and not slide.is_zarr:
                self._thread.ask(self._write_temporary, slide, done=self._on_temporary, failed=self._refuse)
            elif not is_on_disk(slide):
                raise InputError(f"'{slide.path}' is not there any more", "open the slide from where it is now")
            else:
                self._store_set(slide)
        except InputError as error:
            self._refuse(error.message, error.hint)

    def _store_set(self, slide: Slide) -> None:
        self._spots = unsaved_set(slide, self._spots)
        if self._spots is None:
            self._go()
        elif slide.is_zarr:
            self._write_set(slide.path)
        else:
            self._convert(slide)

    def _write_set(self, store: Path) -> None:
        self._thread.ask(store_set, store, self._opening, self._spots, done=self._on_stored, failed=self._refuse)

    def _convert(self, slide: Slide) -> None:
        from napari_c2lst.slides.store.results import store_name

        out = slide.path.absolute().parent / store_name(slide.path)
        self._desk.refuse_twice(out)
        if out.exists():
            raise InputError(
                f"the chosen spots cannot be kept: '{slide.path}' is no SpatialData store, and '{out}' is there",
                f"open '{out}' and choose the spots in it",
            )
        settings = {"slide": slide.path, "out": out, **self._opening}
        job = self._desk.start("convert", settings, f"Convert {slide.name} to a SpatialData")
        self._converting = job
        job.ended.connect(self._on_converted)
        self.launched.emit(job)

    def _on_converted(self) -> None:
        job = self._converting
        if job is None or job.state != "finished":
            self.busy = False
            return
        self._is_a_store_now()
        store = Path(job.settings["out"])
        self._desk.filling[store.absolute()] = self._thread
        self._write_set(store)

    def _is_a_store_now(self) -> None:
        """Only the size of a pixel is still to be given: the elements of the new store have names of their own."""
        self._opening = {name: value for name, value in self._opening.items() if name == "mpp"}
        task, settings, label = self._wanted
        gone = SlideSettings.model_fields.keys() - {"mpp"}
        self._wanted = (task, {name: value for name, value in settings.items() if name not in gone}, label)

    def _on_stored(self, slide: Slide) -> None:
        there = self._session.slide
        if there is not None and there.path == self._path:  # else the user has left it
            self._session.opening = self._opening
            self._session.refresh(slide)
        task, settings, label = self._wanted
        self._wanted = (task, {**settings, "slide": slide.path}, label)
        self._go()

    def _write_temporary(self, slide: Slide) -> Slide:
        from napari_c2lst.slides.opening import open_slide

        return open_slide(self._desk.temporary.write(slide))

    def _on_temporary(self, slide: Slide) -> None:
        self._session.tell(
            "warning",
            f"'{slide.name}' was in memory only: results go into a temporary store that is removed at the end",
            "save a copy (Keep) before you close the viewer",
        )
        self._is_a_store_now()
        self._on_stored(slide)

    def _go(self) -> None:
        self.busy = False
        self.launched.emit(self._desk.start(*self._wanted))

    def _refuse(self, message: str, hint: str) -> None:
        self.busy = False
        self.refused.emit(message, hint)
