"""Keeping sets: in the session at once, in the slide's store beside the GUI's thread; nothing is replaced unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_c2lst.common.errors import C2LError, InputError
from napari_c2lst.plugin.forms.labels import in_window
from napari_c2lst.plugin.jobs.temporary_store import is_on_disk
from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.slides.spots.spotsets import PREFIX, SpotSet, checked_name, spot_set_names

from . import storing
from .named import COLOUR, colours_of, is_stored, next_colour, set_of

if TYPE_CHECKING:
    from napari_c2lst.plugin.jobs.job import Job
    from napari_c2lst.plugin.shared import Shared
    from napari_c2lst.slides.slide import Slide

    from .choice import Choice


class Keeper(QObject):
    """Saves, renames and deletes the sets of the open slide.

    Attributes
    ----------
    agree
        Asks the user a question with yes and no; replaced in tests.
    """

    told = Signal(str, str, str)  # level, message, hint
    busy = Signal(bool)

    def __init__(self, shared: Shared, parent: QWidget) -> None:
        super().__init__(parent)
        self._shared = shared
        self._work = Latest(self)
        self._work.busy.connect(self.busy)
        self._converting: Job | None = None
        self._kept: list[SpotSet] = []  # to be written into what is being made
        self.agree: Callable[[str], bool] = self._ask

    def keep(self, choice: Choice, name: str) -> bool:
        """Keep the chosen spots as a set, and save it in the slide. Whether it was kept.

        Raises
        ------
        InputError
            If the name cannot be one, fewer than 8 spots are chosen, or something else is being written.
        """
        session = self._shared.session
        slide = session.require_slide()
        slide.require_spots()
        self._refuse_while_writing()
        there = session.sets.get(name)
        colours = colours_of(session.sets)
        spots = set_of(choice, slide, name, colours.get(name) or next_colour(colours.values()))
        stored = name in spot_set_names(slide)
        if there is not None and there.same_as(spots) and is_stored(slide, spots):
            self.told.emit("info", f"set '{name}' is saved already", "")
            return True
        if (there is not None and not there.same_as(spots)) or (stored and there is None):
            count = f" of {int(there.mask.sum())} spots" if there is not None else ""
            if not self.agree(
                f"There is a set '{name}'{count} already. Replace it by the {len(spots.ids)} chosen spots?"
            ):
                return False
            self._refuse_another(slide)
        session.saving = name if slide.is_zarr else ""
        self._put(spots)
        self._store(slide, spots)
        return True

    def rename(self, name: str, new: str) -> None:
        """Give a set another name.

        Raises
        ------
        InputError
            If the name cannot be one or is taken, or the set is gone.
        """
        session = self._shared.session
        if new == name:
            return
        checked_name(new)
        slide, old = session.require_slide(), self._set(name)
        if new in session.sets or new in spot_set_names(slide):
            raise InputError(f"there is a set '{new}' already", "choose another name")
        self._refuse_while_writing()
        spots = SpotSet(new, old.ids, old.mask, old.how, old.left_out)
        stored = slide.is_zarr and name in spot_set_names(slide)
        self._shared.session.saving = new if stored else ""
        self._exchange(old, spots)
        if stored:
            self._write(slide, spots, instead_of=old)

    def recolour(self, name: str, colour: str) -> None:
        """Give a set another colour.

        Raises
        ------
        InputError
            If the set is gone, or something else is being written.
        """
        slide, old = self._shared.session.require_slide(), self._set(name)
        self._refuse_while_writing()
        stored = is_stored(slide, old)
        spots = SpotSet(name, old.ids, old.mask, {**old.how, COLOUR: colour}, old.left_out)
        self._shared.session.saving = name if stored else ""
        self._put(spots)
        if stored:
            self._write(slide, spots)

    def delete(self, name: str) -> bool:
        """Delete a set once the user agreed; only tables of sets are ever deleted. Whether it was.

        Raises
        ------
        InputError
            If the set is gone, or something else is being written.
        """
        slide, _ = self._shared.session.require_slide(), self._set(name)
        self._refuse_while_writing()
        stored = slide.is_zarr and name in spot_set_names(slide)
        where = f" from '{slide.path}' (table '{PREFIX}{name}')" if stored else ""
        question = f"Delete the set '{name}'{where}? Models that were trained on it stay. This cannot be undone."
        if not self.agree(question):
            return False
        self._refuse_another(slide)
        if not stored:
            self._drop(name)
            return True

        def gone(_slide: Slide) -> None:
            if self._is_open(slide):
                self._drop(name)
            self.told.emit("info", f"deleted the set '{name}'", "")

        self._work.ask(storing.delete_set, slide, name, done=gone, failed=self._failed)
        return True

    def _set(self, name: str) -> SpotSet:
        """A set of the session; while a dialog was open it may have gone."""
        sets = self._shared.session.sets
        if name not in sets:
            raise InputError(f"there is no set '{name}' any more", "select another set")
        return sets[name]

    def _is_open(self, slide: Slide) -> bool:
        """Whether a slide is still the open one; it may have been opened anew since."""
        there = self._shared.session.slide
        return there is not None and there.path == slide.path

    def _refuse_another(self, slide: Slide) -> None:
        """While the user was asked, another slide may have been opened."""
        if not self._is_open(slide):
            raise InputError(f"'{slide.name}' is not open any more", "open it again, then do it again")

    def _put(self, spots: SpotSet) -> None:
        session = self._shared.session
        session.sets = {**session.sets, spots.name: spots}
        session.sets_changed.emit()

    def _exchange(self, old: SpotSet, new: SpotSet) -> None:
        """Another set in the place of one."""
        session = self._shared.session
        session.sets = {(s if s is not old else new).name: s if s is not old else new for s in session.sets.values()}
        session.sets_changed.emit()

    def _drop(self, name: str) -> None:
        session = self._shared.session
        session.sets = {each: spots for each, spots in session.sets.items() if each != name}
        session.sets_changed.emit()
        session.results_changed.emit()

    def _store(self, slide: Slide, spots: SpotSet) -> None:
        if slide.is_zarr:
            self._write(slide, spots)
        elif is_on_disk(slide):
            self._convert(slide, spots)
        else:
            self.told.emit(
                "warning",
                f"set '{spots.name}' is kept while the viewer is open: '{slide.name}' is in memory only",
                "save the slide as a SpatialData: Keep > Save a copy as...",
            )

    def _write(self, slide: Slide, spots: SpotSet, instead_of: SpotSet | None = None) -> None:
        gone = "" if instead_of is None else instead_of.name

        session = self._shared.session

        def write() -> Slide:
            try:
                return storing.store_set(slide, spots, replace=True, instead_of=gone)
            finally:
                session.saving = ""  # here: the panel may be closed by then, and never hear of the end

        def failed(message: str, hint: str) -> None:
            if instead_of is not None and gone in spot_set_names(slide):
                self._exchange(spots, instead_of)  # the slide has the old name still
            self._failed(message, hint)

        def done(_slide: Slide) -> None:
            self._saved(spots.name, slide.path)

        self._work.ask(write, done=done, failed=failed)

    def _convert(self, slide: Slide, spots: SpotSet) -> None:
        """A slide that is no store becomes one, in a child process: a whole slide takes a while."""
        session = self._shared.session
        self._shared.jobs.refuse_twice(storing.name_of(slide))
        out = storing.target_of(slide)
        if not self.agree(
            f"'{slide.name}' is no SpatialData yet, and sets are kept in one. Convert it to '{out}'? "
            "The files you opened stay as they are."
        ):
            self.told.emit("warning", f"set '{spots.name}' is not saved: it is kept while the viewer is open", "")
            return
        self._refuse_another(slide)
        self._shared.jobs.refuse_twice(out)  # it may have begun while the user was asked
        settings = {"slide": slide.path, "out": out, **session.opening}
        job = self._shared.jobs.start("convert", settings, f"Convert {slide.name} to a SpatialData")
        self._converting, self._kept = job, list(session.sets.values())
        self.busy.emit(True)
        self.told.emit("info", f"'{slide.name}' is being converted to '{out}'; set '{spots.name}' is saved there", "")
        job.ended.connect(self._converted)

    def _converted(self) -> None:
        job, self._converting = self._converting, None
        if job is None:
            return
        self.busy.emit(False)
        if job.state != "finished":
            reason = str(job.last.get("message") or "the conversion was stopped")
            self.told.emit("error", f"the sets are not saved: {reason}", str(job.last.get("hint") or ""))
            return
        session, out, sets = self._shared.session, Path(job.settings["out"]), self._kept
        mpp = job.settings.get("mpp")
        opening: dict[str, Any] = {} if mpp is None else {"mpp": mpp}

        def done(slide: Slide) -> None:
            names = ", ".join(each.name for each in sets)
            if session.slide is None or session.slide.path != Path(job.settings["slide"]):
                self.told.emit("warning", f"saved '{names}' in '{out}'; another slide is open", f"open '{out}'")
                return
            session.opening = opening
            session.refresh(slide)
            self._saved(names, out)

        self._shared.jobs.filling[out.absolute()] = self._work
        self._work.ask(storing.open_and_store, out, opening, sets, done=done, failed=self._failed)

    def _saved(self, names: str, path: Path) -> None:
        session = self._shared.session
        session.sets_changed.emit()
        session.results_changed.emit()
        self.told.emit("success", f"saved '{names}' in '{path}'", "")

    def _failed(self, message: str, hint: str) -> None:
        self._shared.session.sets_changed.emit()
        self.told.emit("error", message, hint)

    def _refuse_while_writing(self) -> None:
        if self._work.awaited:
            raise InputError("another set is being saved", "try again in a moment")
        if self._converting is not None:
            raise InputError("the slide is being converted", "wait until it is done")
        self._shared.jobs.refuse_while_writing()

    def _ask(self, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        parent = self.parent()
        widget = parent if isinstance(parent, QWidget) else None
        return QMessageBox.question(widget, "Sets of spots", question, yes | no, no) == yes


def told_of(error: Exception) -> tuple[str, str]:
    """Message and hint of an error, as they read in a window."""
    return (in_window(error.message), in_window(error.hint)) if isinstance(error, C2LError) else (str(error), "")
