"""Work of a second or so beside the GUI's thread, where only the latest answer counts."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QThreadPool, Signal
from superqt.utils import create_worker

from napari_c2lst.common.errors import C2LError


class Latest(QObject):
    """Runs plain functions in a thread; an answer that a later question has overtaken is dropped.

    Every question ends in exactly one of `done` and `failed`, or is overtaken or dropped.

    Attributes
    ----------
    busy
        Signal: whether an answer is awaited.
    """

    busy = Signal(bool)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._question = 0
        self._awaited = False
        self._workers: set[Any] = set()

    @property
    def awaited(self) -> bool:
        """Whether an answer is awaited."""
        return self._awaited

    def ask(
        self,
        function: Callable[..., Any],
        *args: Any,
        done: Callable[[Any], None],
        failed: Callable[[str, str], None],
    ) -> None:
        """Call `function(*args)` in a thread.

        Parameters
        ----------
        done
            Called with its result, in the GUI's thread.
        failed
            Called with a message and a hint if it raised.
        """
        wait_at_the_end()
        self._question += 1
        self._set_awaited(True)
        # errors are told by `failed`; superqt would raise them again, as a traceback in a notification
        worker = create_worker(function, *args, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(partial(self._answer, self._question, done))
        worker.errored.connect(partial(self._refusal, self._question, failed))
        worker.finished.connect(partial(self._workers.discard, worker))
        self._workers.add(worker)
        worker.start()

    def drop(self) -> None:
        """Forget what was asked; the thread ends by itself and nobody hears of it."""
        self._question += 1
        self._set_awaited(False)

    def _answer(self, question: int, done: Callable[[Any], None], result: Any) -> None:
        if self._is_open(question):
            self._set_awaited(False)
            done(result)

    def _refusal(self, question: int, failed: Callable[[str, str], None], error: BaseException) -> None:
        if not self._is_open(question):
            return
        self._set_awaited(False)
        if isinstance(error, C2LError):
            failed(error.message, error.hint)
        else:
            text = (str(error).splitlines() or [""])[0]
            failed(f"{type(error).__name__}: {text}", "try again; if it comes again, report it with what you did")

    def _is_open(self, question: int) -> bool:
        """Whether an answer is still wanted, and there is a widget left to give it to."""
        return question == self._question and isalive(self)

    def _set_awaited(self, awaited: bool) -> None:
        if awaited != self._awaited:
            self._awaited = awaited
            self.busy.emit(awaited)


@cache
def wait_at_the_end() -> None:
    """Once: a program that ends waits for threads at work, which would otherwise answer into what is gone."""
    atexit.register(QThreadPool.globalInstance().waitForDone, 5000)
