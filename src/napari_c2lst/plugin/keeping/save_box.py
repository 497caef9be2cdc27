"""Save: what the slide's store holds, what it does not hold yet, and the button that changes that."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QGroupBox, QHBoxLayout, QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_c2lst.common.errors import C2LError, InputError
from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.runs import find_runs
from napari_c2lst.plugin.selecting.storing import open_and_store
from napari_c2lst.slides.facts import GRID, PREDICTIONS
from napari_c2lst.slides.naming import name_of_predictions

from .saving import Plan, plan_of, save
from .view import SavedView, view_of

if TYPE_CHECKING:
    from napari_c2lst.plugin.shared import Shared
    from napari_c2lst.slides.spots.spotsets import SpotSet


class SaveBox(QGroupBox):
    """Save into the slide, or as another SpatialData.

    Parameters
    ----------
    shared
        What the panels of the viewer share.
    """

    def __init__(self, shared: Shared, parent: QWidget | None = None) -> None:
        super().__init__("In the slide", parent)
        self._shared = shared
        self.agree: Callable[[str], bool] = self._ask  # replaced in tests: a dialog would wait for ever
        self._work = Latest(self)
        self._copying = Latest(self)
        self._sets_for: dict[Path, tuple[list[SpotSet], float | None]] = {}  # what goes into copies being made
        self.state = QLabel(self)
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.save_button = QPushButton("Sav&e", self)
        self.save_button.setToolTip("Save spot sets, layers and view into the slide's SpatialData (Ctrl+Shift+S)")
        self.save_button.clicked.connect(self.save)
        self.copy_button = QPushButton("Save a copy &as...", self)
        self.copy_button.setToolTip("Write everything as a new SpatialData .zarr; the slide stays as it is")
        self.copy_button.clicked.connect(self._choose_copy)
        row = QHBoxLayout()
        row.addWidget(self.save_button)
        row.addWidget(self.copy_button)
        row.addStretch()
        column = QVBoxLayout(self)
        column.addWidget(self.state)
        column.addLayout(row)
        self._heard = Listening(self)
        session = shared.session
        for signal in (session.slide_changed, session.sets_changed, session.results_changed):
            self._heard.to(signal, self.renew)
        for signal in (shared.jobs.started, shared.jobs.ended):
            self._heard.to(signal, self._on_job)
        self.renew()

    def renew(self) -> None:
        """Say anew what is saved and what is not."""
        session = self._shared.session
        slide = session.slide
        self.copy_button.setEnabled(slide is not None)
        free = not self._shared.jobs.writers() and not self._work.awaited
        self.save_button.setEnabled(slide is not None and slide.is_zarr and free)
        if slide is None:
            self.state.setText("No slide is open.")
        elif not slide.is_zarr:
            self.state.setText(
                f"{slide.name} is not a SpatialData yet ({slide.kind}): save it as one to keep sets and predictions."
            )
        else:
            self.state.setText("\n".join(self._lines()))

    def save(self) -> None:
        """Save into the slide's store; sets that would be replaced are asked about first."""
        session = self._shared.session
        try:
            slide, plan = session.require_slide(), plan_of(session)
            self._refuse_while_writing()
        except C2LError as error:
            session.tell("error", error.message, error.hint)
            return
        if plan.question and not self.agree(plan.question):
            return
        if session.slide is None or session.slide.path != slide.path:  # opened while the user was asked
            session.tell("error", f"'{slide.name}' is not open any more: nothing was saved", "open it again")
            return
        self.save_button.setEnabled(False)
        self._work.ask(save_and_reopen, slide, plan, self._view(), done=self._saved, failed=self._failed)

    def save_copy(self, path: Path) -> None:
        """Write a copy as a new SpatialData, in a child process: a whole slide takes a while.

        Sets that are not saved yet go into it as well.
        """
        session = self._shared.session
        slide = session.require_slide()
        opening = dict(session.opening)
        job = self._shared.jobs.start(
            "convert", {"slide": str(slide.path), "out": str(path), **opening}, f"Save as {path.name}"
        )
        self._sets_for[path.absolute()] = (list(session.sets.values()), opening.get("mpp"))
        job.finished.connect(self._copied)
        job.failed.connect(self._copy_failed)

    def _lines(self) -> list[str]:
        session = self._shared.session
        lines = [f"{session.require_slide().path.name}"]
        try:
            plan = plan_of(session)
            names = ", ".join(session.sets)
            lines.append(f"Spot sets: {names} ({plan.words})" if names else "Spot sets: none")
        except C2LError as error:
            lines.append(f"Spot sets cannot be read: {error.message}")
        tables = session.require_slide().sdata.tables
        made = [name for name in tables if name.startswith(PREDICTIONS)]
        lines.append(f"Predictions: {', '.join(_short(name) for name in made) or 'none'}")
        runs = [run.name for run in find_runs(session.runs_folder) if run.state == "finished"]
        folder = session.runs_folder
        lines.append(f"Models and scores, in {folder.name if folder else '-'}: {', '.join(runs) or 'none'}")
        if self._shared.jobs.writers():
            lines.append("A job is writing into the slide: save when it has ended.")
        return lines

    def _view(self) -> SavedView:
        session = self._shared.session
        chosen: tuple[str, ...] = ()
        if session.slide is not None and session.slide.spots is not None and session.chosen.any():
            chosen = tuple(str(name) for name in session.slide.spots.ids[session.chosen])
        return view_of(self._shared.canvas.viewer, session.gene, chosen)

    def _saved(self, answer: tuple[list[str], Any]) -> None:
        written, slide = answer
        session = self._shared.session
        if session.slide is not None and session.slide.path == slide.path:
            session.refresh(slide)
        session.tell("info", f"saved into '{slide.path}': {', '.join(_short(name) for name in written)}")
        self.renew()

    def _failed(self, message: str, hint: str) -> None:
        self._shared.session.tell("error", message, hint)
        self.renew()

    def _copied(self, result: dict) -> None:
        store = Path(result.get("result", {}).get("store", ""))
        sets, mpp = self._sets_for.pop(store.absolute(), ([], None))
        if not sets:
            self._copy_is_there(store)
            return

        def write() -> None:
            open_and_store(store, {} if mpp is None else {"mpp": mpp}, sets)

        self._copying.ask(write, done=lambda _: self._copy_is_there(store), failed=partial(self._copy_lacks, store))

    def _copy_is_there(self, store: Path) -> None:
        self._shared.session.tell("info", f"saved a copy: '{store}'", "open it from the step Open")

    def _copy_lacks(self, store: Path, message: str, hint: str) -> None:
        self._shared.session.tell("error", f"the copy '{store}' lacks the sets of spots: {message}", hint)

    def _copy_failed(self, fields: dict) -> None:
        self._shared.session.tell("error", str(fields.get("message", "")), str(fields.get("hint", "")))

    def _choose_copy(self) -> None:
        slide = self._shared.session.require_slide()
        start = slide.path.absolute().parent / f"{slide.name}-copy.zarr"
        name, _ = QFileDialog.getSaveFileName(self, "Save a copy as", str(start), "SpatialData (*.zarr)")
        if name:
            self.save_copy(Path(name if name.endswith(".zarr") else f"{name}.zarr"))

    def _refuse_while_writing(self) -> None:
        if self._work.awaited:
            raise InputError("the slide is being saved", "try again in a moment")
        self._shared.jobs.refuse_while_writing()

    def _on_job(self, _job: object) -> None:
        self.renew()

    def _ask(self, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return QMessageBox.question(self, "Replace spot sets?", question, yes | no, no) == yes


def save_and_reopen(slide: Any, plan: Plan, view: SavedView) -> tuple[list[str], Any]:
    """Save, agreed to already; in a thread. Gives what was written and the slide, which now holds it."""
    return save(slide, plan, view, replace=True), slide


def _short(table: str) -> str:
    """The name of a table of ours as a user knows it."""
    if table.startswith(PREDICTIONS):
        return f"{name_of_predictions(table)}{' (grid)' if table.startswith(GRID) else ''}"
    if table.startswith("c2lst_set_"):
        return f"set {table.removeprefix('c2lst_set_')}"
    return "view" if table == "c2lst_view" else table
