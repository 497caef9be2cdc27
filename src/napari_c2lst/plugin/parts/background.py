"""Work of seconds beside the window: a plain function in a thread, and exactly one call back on the GUI's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Beside:
    """Runs functions in threads for one owner; the owner can forget what is still under way.

    Only the callbacks of the newest generation come: after `forget` nothing of what was started before is heard.
    Without a Qt application (scripts, tests of models) functions run at once.
    """

    def __init__(self) -> None:
        self._generation = 0
        self._workers: set[Any] = set()

    @property
    def busy(self) -> bool:
        """Whether something is under way that has not been forgotten."""
        return bool(self._workers)

    def forget(self) -> None:
        """Never call back for what is under way; threads end by themselves."""
        self._generation += 1
        self._workers.clear()

    def run(
        self, function: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Call a function in a thread, then `done` with its result or `failed` with its error."""
        from qtpy.QtCore import QCoreApplication

        if QCoreApplication.instance() is None:
            _at_once(function, done, failed)
            return
        from superqt.utils import create_worker

        from .latest import wait_at_the_end

        wait_at_the_end()
        generation = self._generation
        worker = create_worker(_caught, function)

        def on_return(outcome: tuple[Any, Exception | None]) -> None:
            if generation != self._generation:
                return
            self._workers.discard(worker)
            result, error = outcome
            if error is not None:
                failed(error)
            else:
                done(result)

        def on_error(error: Exception) -> None:  # what `_caught` lets through: an interrupt
            if generation == self._generation:
                self._workers.discard(worker)
                failed(error)

        worker.returned.connect(on_return)
        worker.errored.connect(on_error)
        self._workers.add(worker)
        worker.start()


def _caught(function: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """Result and error; errors travel as values, since a worker would also print them."""
    try:
        return function(), None
    except Exception as error:
        return None, error


def _at_once(function: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]) -> None:
    result, error = _caught(function)
    if error is not None:
        failed(error)
    else:
        done(result)
