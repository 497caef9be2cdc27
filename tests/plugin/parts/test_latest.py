"""Work beside the GUI's thread: one answer, the latest, in the GUI's thread."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest
from qtpy.QtCore import QObject

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.parts.latest import Latest, told_as


class Asker:
    """Keeps what it hears, and in which thread."""

    def __init__(self) -> None:
        self.owner = QObject()
        self.latest = Latest(self.owner)
        self.answers: list[Any] = []
        self.refusals: list[tuple[str, str]] = []
        self.threads: list[threading.Thread] = []

    def done(self, answer: Any) -> None:
        self.answers.append(answer)
        self.threads.append(threading.current_thread())

    def failed(self, message: str, hint: str) -> None:
        self.refusals.append((message, hint))
        self.threads.append(threading.current_thread())

    def ask(self, function: Any, *args: Any) -> None:
        self.latest.ask(function, *args, done=self.done, failed=self.failed)


@pytest.fixture
def asker(qtbot: Any) -> Asker:
    return Asker()


def refuse() -> None:
    raise InputError("no such spot", "choose another")


def stumble() -> None:
    raise ValueError("broken\nfar too long")


def test_an_answer_comes_once_and_in_the_guis_thread(qtbot: Any, asker: Asker) -> None:
    asker.ask(threading.current_thread)
    assert asker.latest.awaited
    qtbot.waitUntil(lambda: bool(asker.answers))
    assert asker.answers[0] is not threading.main_thread()
    assert asker.threads == [threading.main_thread()]
    assert not asker.latest.awaited
    assert asker.refusals == []


def test_a_refusal_is_a_message_and_a_hint(qtbot: Any, asker: Asker) -> None:
    asker.ask(refuse)
    qtbot.waitUntil(lambda: bool(asker.refusals))
    assert asker.refusals == [("no such spot", "choose another")]
    assert asker.threads == [threading.main_thread()]
    assert not asker.latest.awaited


def test_a_refusal_speaks_of_fields_and_not_of_flags(qtbot: Any, asker: Asker) -> None:
    def refuse_by_flag() -> None:
        raise InputError("--steps is too small", "pass --steps 10")

    asker.ask(refuse_by_flag)
    qtbot.waitUntil(lambda: bool(asker.refusals))
    assert asker.refusals == [("'Steps' is too small", "set 'Steps' to 10")]


def test_any_other_error_is_one_line(qtbot: Any, asker: Asker) -> None:
    asker.ask(stumble)
    qtbot.waitUntil(lambda: bool(asker.refusals))
    assert asker.refusals == [("ValueError: broken", "try again; if it comes again, report it with what you did")]


def test_only_the_latest_question_is_answered(qtbot: Any, asker: Asker) -> None:
    go = threading.Event()
    asker.ask(go.wait, 10)
    asker.ask(str, "second")
    qtbot.waitUntil(lambda: asker.answers == ["second"])
    go.set()
    qtbot.waitUntil(lambda: not asker.latest._workers)
    assert asker.answers == ["second"]


def test_what_is_dropped_is_not_heard(qtbot: Any, asker: Asker) -> None:
    go = threading.Event()
    asker.ask(go.wait, 10)
    asker.latest.drop()
    assert not asker.latest.awaited
    go.set()
    qtbot.waitUntil(lambda: not asker.latest._workers)
    assert asker.answers == []


def test_busy_is_told_on_both_ends(qtbot: Any, asker: Asker) -> None:
    told: list[bool] = []
    asker.latest.busy.connect(told.append)
    asker.ask(str, "a")
    qtbot.waitUntil(lambda: bool(asker.answers))
    assert told == [True, False]


def test_an_answer_to_a_widget_that_is_gone_is_dropped(qtbot: Any, asker: Asker) -> None:
    go = threading.Event()
    workers = asker.latest._workers
    asker.ask(go.wait, 10)
    with qtbot.waitSignal(asker.owner.destroyed):
        asker.owner.deleteLater()
    with qtbot.captureExceptions() as raised:
        go.set()
        qtbot.waitUntil(lambda: not workers)
    assert raised == []
    assert asker.answers == []


def test_it_needs_no_parent(qtbot: Any) -> None:
    latest, heard = Latest(), []
    latest.ask(str, "a", done=heard.append, failed=lambda *said: heard.append(said))
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == ["a"]


def test_no_traceback_is_printed(qtbot: Any, asker: Asker, capfd: Any) -> None:
    asker.ask(stumble)
    qtbot.waitUntil(lambda: bool(asker.refusals))
    assert "Traceback" not in capfd.readouterr().err


def read(error: Exception) -> None:
    with told_as("the slide cannot be opened", "copy it again"):
        raise error


def test_an_error_of_a_library_is_told_in_our_words(qtbot: Any, asker: Asker) -> None:
    asker.ask(read, ValueError("broken\nfar too long"))
    qtbot.waitUntil(lambda: bool(asker.refusals))
    assert asker.refusals == [("the slide cannot be opened (ValueError: broken)", "copy it again")]


def test_an_error_of_ours_keeps_its_own(qtbot: Any, asker: Asker) -> None:
    asker.ask(read, InputError("no such slide", "choose another"))
    qtbot.waitUntil(lambda: bool(asker.refusals))
    assert asker.refusals == [("no such slide", "choose another")]


def test_without_qt_things_happen_at_once() -> None:
    code = (
        "from napari_c2lst.plugin.parts.latest import Latest\n"
        "said = lambda *words: print(words[0])\n"
        "a = Latest(); a.ask(lambda: 3, done=print, failed=said); print(a.awaited)\n"
        "a.ask(lambda: 1 / 0, done=print, failed=said); print(a.awaited)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["3", "False", "ZeroDivisionError: division by zero", "False"]
