"""Work of seconds beside the GUI's thread, where only the latest answer counts."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QCoreApplication, QObject, QThreadPool, Signal
from superqt.utils import create_worker

from napari_c2lst.common.errors import C2LError, RunFailure
from napari_c2lst.plugin.forms.labels import in_window


class Latest(QObject):
    """Runs plain functions in a thread; an answer that a later question has overtaken is dropped.

    Every question ends in exactly one of `done` and `failed`, or is overtaken or dropped. Without a Qt application
    (scripts, tests of models) functions run at once.

    Parameters
    ----------
    parent
        What the answers are for: when it is gone, nobody hears of them. None for an owner that is no QObject.

    Attributes
    ----------
    busy
        Signal: whether an answer is awaited.
    """

    busy = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
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
            Called with a message and a hint, as they read in a window, if it raised.
        """
        self._question += 1
        self._set_awaited(True)
        if QCoreApplication.instance() is None:
            self._at_once(function, args, done, failed)
            return
        wait_at_the_end()
        # errors are told by `failed`; superqt would raise them again, as a traceback in a notification
        worker = create_worker(function, *args, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(partial(self._answer, self._question, done))
        worker.errored.connect(partial(self._refusal, self._question, failed))
        worker.finished.connect(partial(self._workers.discard, worker))
        self._workers.add(worker)
        worker.start()

    def _at_once(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        done: Callable[[Any], None],
        failed: Callable[[str, str], None],
    ) -> None:
        try:
            result = function(*args)
        except Exception as error:
            self._refusal(self._question, failed, error)
        else:
            self._answer(self._question, done, result)

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
            failed(in_window(error.message), in_window(error.hint))
        else:
            failed(_one_line(error), "try again; if it comes again, report it with what you did")

    def _is_open(self, question: int) -> bool:
        """Whether an answer is still wanted, and there is a widget left to give it to."""
        return question == self._question and isalive(self)

    def _set_awaited(self, awaited: bool) -> None:
        if awaited != self._awaited:
            self._awaited = awaited
            self.busy.emit(awaited)


def ask_apart(
    parent: QObject,
    function: Callable[..., Any],
    *args: Any,
    done: Callable[[Any], None],
    failed: Callable[[str, str], None],
) -> None:
    """As `Latest.ask`, but what came of it is told also when another one was begun: of files that are written."""
    work = Latest(parent)
    work.busy.connect(lambda busy: None if busy else work.deleteLater())
    work.ask(function, *args, done=done, failed=failed)


@contextmanager
def told_as(what: str, hint: str) -> Iterator[None]:
    """In the function that is called: an error that is not one of ours is told as `what`, with its own first line."""
    try:
        yield
    except C2LError:
        raise
    except Exception as error:
        raise RunFailure(f"{what} ({_one_line(error)})", hint) from error


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


@cache
def wait_at_the_end() -> None:
    """Once: a program that ends waits for threads at work, which would otherwise answer into what is gone."""
    atexit.register(QThreadPool.globalInstance().waitForDone, 5000)
