"""Choosing spots by rule: a random share, a suggestion, a column of the table, a list of ids, too few counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_c2lst.common.errors import C2LError, InputError
from napari_c2lst.plugin.parts.latest import Latest

from . import recipes
from .choice import Choice, How, Step
from .keeper import told_of
from .regions import folder_of, slide_with_spots
from .suggestion import Suggestion
from .ways_box import WaysBox

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session


class ByRule(QObject):
    """Turns what the user asks of the box of rules into steps of the choice.

    Parameters
    ----------
    how
        What a step is to do: add, subtract, intersect, leave out.

    Attributes
    ----------
    told
        Signal: level, message and hint.
    went_well
        Signal: what was wrong before is no longer.
    """

    told = Signal(str, str, str)
    went_well = Signal()

    def __init__(
        self, session: Session, choice: Choice, ways: WaysBox, how: Callable[[], How], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._session, self._choice, self._ways, self._how, self._window = session, choice, ways, how, parent
        self._thread, self._reading = Latest(self), Latest(self)
        self.suggestion = Suggestion(self)
        self._connect()

    def random(self, fraction: float, seed: int, split: Any) -> None:
        """A share of the spots, or of whole regions, drawn with a seed."""
        low = self._choice.state.low
        self._step(lambda: recipes.random_share(self._there(), self._how(), fraction, seed, split, low), again=True)

    def suggest(self, number: int) -> None:
        """Spots that stand for the others; patches are read in a thread."""

        def start() -> None:
            slide = self._there()
            _ = slide.mpp  # said before any work
            self._ways.show_progress("Reading patches…")
            self.suggestion.start(slide, self._how(), number, self._choice.state.low)

        self._try(start)

    def by_column(self, column: str, values: list[str]) -> None:
        """Spots that have one of some values in a column of the table."""
        self._step(lambda: recipes.by_values(self._there(), self._how(), column, values), again=True)

    def ask_ids(self) -> None:
        """Spots that a file names; the user is asked for it."""

        def ask() -> None:
            self._there()
            self._refuse_while_reading()
            chosen, _ = QFileDialog.getOpenFileName(
                self._window, "Spot ids", folder_of(self._session), "Text (*.txt *.csv *.tsv);;All (*)"
            )
            if chosen:
                self._read_ids(Path(chosen))

        self._try(ask)

    def take_ids(self, path: Path) -> None:
        """Spots that a file names, which is read in a thread; what is wrong with it is told."""
        self._try(lambda: self._read_ids(path))

    def _read_ids(self, path: Path) -> None:
        self._refuse_while_reading()
        slide, how = self._there(), self._how()  # as they are now: the user goes on

        def done(step: Step) -> None:
            self._choice.apply(step)
            self.told.emit("success", f"'{path.name}' names {int(step.mask.sum())} spots", "")

        self.told.emit("info", f"reading the spot ids of '{path.name}'…", "")
        self._reading.ask(recipes.by_names, slide, how, path, done=done, failed=self._fail)

    def _refuse_while_reading(self) -> None:
        if self._reading.awaited:
            raise InputError("the spot ids of another file are being read", "wait until their spots are picked")

    def leave_low_out(self, thresholds: dict[str, float]) -> None:
        """Leave out spots with too little; they are counted in a thread."""

        def done(low: Any) -> None:
            self._choice.leave_low_out(low, thresholds)
            self.told.emit("info", f"{int(low.sum())} spots are below the thresholds and left out", "")

        def start() -> None:
            self._thread.ask(recipes.low_spots, self._there(), thresholds, done=done, failed=self._fail)

        self._try(start)

    def drop(self) -> None:
        """Forget what is under way."""
        self.suggestion.drop()
        self._thread.drop()
        self._reading.drop()
        self._ways.show_progress("")

    def _connect(self) -> None:
        ways, suggestion = self._ways, self.suggestion
        ways.random_wanted.connect(self.random)
        ways.suggest_wanted.connect(self.suggest)
        ways.stop_wanted.connect(suggestion.stop)
        ways.column_wanted.connect(self.by_column)
        ways.ids_wanted.connect(self.ask_ids)
        ways.low_wanted.connect(self.leave_low_out)
        suggestion.progress.connect(lambda done, total: ways.show_progress(f"Reading patches… {done:,} of {total:,}"))
        suggestion.made.connect(self._on_suggested)
        suggestion.failed.connect(self._on_suggest_failed)
        suggestion.stopped.connect(lambda: ways.show_progress(""))

    def _on_suggested(self, step: Step) -> None:
        self._ways.show_progress("")
        self._choice.apply(step, again=True)

    def _on_suggest_failed(self, message: str, hint: str) -> None:
        self._ways.show_progress("")
        self._fail(message, hint)

    def _there(self) -> Any:
        return slide_with_spots(self._session)

    def _step(self, make: Callable[[], Step], *, again: bool = False) -> None:
        self._try(lambda: self._choice.apply(make(), again=again))

    def _try(self, function: Callable[[], None]) -> None:
        try:
            function()
        except C2LError as error:
            self._fail(*told_of(error))
        else:
            self.went_well.emit()

    def _fail(self, message: str, hint: str = "") -> None:
        self.told.emit("error", message, hint)
