"""Suggesting spots beside the GUI's thread, with progress and a stop."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_c2lst.common.errors import Stopped
from napari_c2lst.common.reporter import CallbackReporter
from napari_c2lst.plugin.parts.latest import Latest

from . import recipes
from .choice import How, Mask, Step

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide


class Suggestion(QObject):
    """One suggestion at a time; exactly one of `made`, `failed` and `stopped` ends it, unless it is dropped."""

    progress = Signal(int, int)
    made = Signal(object)  # Step
    failed = Signal(str, str)
    stopped = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._work = Latest(self)
        self._stop = Event()

    @property
    def running(self) -> bool:
        """Whether patches are being read."""
        return self._work.awaited

    def start(self, slide: Slide, how: How, number: int, low: Mask | None) -> None:
        """Begin; what was under way is dropped."""
        self._stop.set()
        self._stop = stop = Event()
        reporter = CallbackReporter(self._on_event, stop.is_set)

        def work() -> Step | None:
            try:
                return recipes.suggested(slide, how, number, low, reporter)
            except Stopped:
                return None

        self._work.ask(work, done=self._done, failed=self.failed.emit)

    def stop(self) -> None:
        """Ask it to stop; `stopped` comes within a batch of patches."""
        self._stop.set()

    def drop(self) -> None:
        """Stop, and never hear of it."""
        self._stop.set()
        self._work.drop()

    def _done(self, step: Step | None) -> None:
        if step is None:
            self.stopped.emit()
        else:
            self.made.emit(step)

    def _on_event(self, kind: str, fields: dict[str, Any]) -> None:
        # from the worker's thread: Qt hands the signal over to the GUI's
        if kind == "progress" and not self._stop.is_set():
            self.progress.emit(int(fields["done"]), int(fields["total"]))
