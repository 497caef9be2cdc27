from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.parts.background import Beside


def fail() -> None:
    raise InputError("no", "try again")


def test_the_result_comes_back_from_another_thread(qtbot: Any) -> None:
    beside, heard = Beside(), []
    beside.run(threading.get_ident, heard.append, heard.append)
    assert beside.busy
    qtbot.waitUntil(lambda: len(heard) == 1)
    assert heard[0] != threading.get_ident()
    assert not beside.busy


def test_an_error_comes_back_as_a_value_and_once(qtbot: Any, capfd: Any) -> None:
    beside, done, failed = Beside(), [], []
    beside.run(fail, done.append, failed.append)
    qtbot.waitUntil(lambda: len(failed) == 1)
    assert (done, failed[0].message) == ([], "no")
    assert "Traceback" not in capfd.readouterr().err


def test_what_was_forgotten_is_not_heard(qtbot: Any) -> None:
    beside, heard, go = Beside(), [], threading.Event()
    beside.run(lambda: go.wait(10), heard.append, heard.append)
    beside.forget()
    assert not beside.busy
    beside.run(lambda: "new", heard.append, heard.append)
    go.set()
    qtbot.waitUntil(lambda: bool(heard))
    qtbot.wait(50)
    assert heard == ["new"]


def test_without_qt_things_happen_at_once() -> None:
    code = (
        "from napari_c2lst.plugin.parts.background import Beside\n"
        "b = Beside(); b.run(lambda: 3, print, print); b.run(lambda: 1 / 0, print, lambda e: print(type(e).__name__))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "ZeroDivisionError"]
