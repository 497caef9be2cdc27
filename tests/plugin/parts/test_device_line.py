"""A GPU is asked in a process; what it answers, late or never, and what is shown meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.plugin.parts import device_line
from napari_c2lst.plugin.parts.device_line import DeviceLine, device_text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the answers are shell scripts")

ANSWER = """echo '{"name": "GPU '$3'", "free": 7e9, "total": 9e9}'"""


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Two GPUs that answer what a shell script writes; it is told of each question in `asked`."""
    program = tmp_path / "python"
    monkeypatch.setattr("napari_c2lst.common.accelerator.cuda_devices", lambda: 2)
    monkeypatch.setattr(device_line.sys, "executable", str(program))

    def answer(script: str) -> Path:
        program.write_text(f'#!/bin/sh\necho "$3" >> "{tmp_path}/asked"\n{script}\n')
        program.chmod(0o755)
        return tmp_path / "asked"

    return answer


@pytest.fixture
def line(qtbot: Any) -> DeviceLine:
    made = DeviceLine()
    qtbot.addWidget(made)
    return made


def test_the_answer_is_shown_and_the_same_device_is_not_asked_twice(line: DeviceLine, answers: Any, qtbot: Any) -> None:
    asked = answers(ANSWER)
    line.show_device("cuda:0")
    line.show_device("cuda:0")
    line.refresh()  # pressed again while it is being asked
    assert line.text.text() == "GPU: asking for its free memory…"
    qtbot.waitUntil(lambda: "GPU cuda:0: 7 of 9 GB free" in line.text.text())
    assert asked.read_text().split() == ["cuda:0"]
    line.button.click()
    qtbot.waitUntil(lambda: asked.read_text().split() == ["cuda:0", "cuda:0"])


def test_a_late_answer_is_not_taken_for_that_of_another_device(
    line: DeviceLine, answers: Any, qtbot: Any, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    asked = answers(f'[ "$3" = cuda:0 ] && cat "{gate}" > /dev/null\n{ANSWER}')
    line.show_device("cuda:0")
    late = line._asked
    qtbot.waitUntil(asked.exists)
    line.show_device("cuda:1")
    qtbot.waitUntil(lambda: "GPU cuda:1: 7 of 9 GB" in line.text.text())
    with qtbot.waitSignal(late.finished):
        gate.write_text("go on\n")
    assert "GPU cuda:1" in line.text.text()


@pytest.mark.parametrize("script", ["exit 3", "echo nonsense", "echo '[1, 2]'", "echo '{}'", "kill -9 $$"])
def test_a_gpu_that_does_not_answer_is_not_waited_for(line: DeviceLine, answers: Any, qtbot: Any, script: str) -> None:
    answers(script)
    line.show_device("cuda:1")
    qtbot.waitUntil(lambda: line._asked is None)
    assert line.text.text() == "The GPU did not say how much memory is free: press ⟳ to ask again"
    assert not line.button.isHidden()
    answers(ANSWER)
    line.button.click()
    qtbot.waitUntil(lambda: "GPU cuda:1: 7 of 9 GB" in line.text.text())


def test_a_program_that_cannot_be_started_is_no_answer(line: DeviceLine, answers: Any, qtbot: Any) -> None:
    line.show_device("cuda:1")  # nothing was written: there is no such file
    qtbot.waitUntil(lambda: line._asked is None)
    assert "press ⟳" in line.text.text()


def test_what_was_known_of_a_gpu_is_not_shown_of_the_processor(line: DeviceLine, answers: Any, qtbot: Any) -> None:
    answers(ANSWER)
    line.show_device("cuda:0")
    qtbot.waitUntil(lambda: line._asked is None)
    line.show_device("cpu")
    assert line.text.text().startswith("CPU, ")
    assert line.button.isHidden()


def test_a_line_that_is_closed_while_it_asks_is_harmless(answers: Any, qtbot: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    asked = answers(f'exec cat "{tmp_path}/gate"')
    line = DeviceLine()
    line.show_device("cuda:0")
    qtbot.waitUntil(asked.exists)
    with qtbot.captureExceptions() as raised, qtbot.waitSignal(line.destroyed):
        line.deleteLater()
    assert raised == []


def test_memory_is_read_only_while_the_line_is_seen(line: DeviceLine) -> None:
    assert not line._timer.isActive()
    line.show()
    assert line._timer.isActive()
    line.hide()
    assert not line._timer.isActive()


def test_names_of_devices_that_cannot_be(line: DeviceLine) -> None:
    line.show_device("abacus")
    assert line.text.text()[0].isupper()
    assert "abacus" in line.text.text()
    assert line.button.isHidden()


def test_free_memory_of_the_computer_is_told_beside_that_of_the_gpu() -> None:
    said = device_text("cuda", {"name": "NVIDIA H100, 80 GB", "free": 1.5e9, "total": 80e9})
    assert said.startswith("NVIDIA H100: 2 of 80 GB free; computer: ")
    assert said.endswith(" GB free")


def test_what_is_wrong_reads_as_a_sentence() -> None:
    assert device_text("cuda", {"problem": "the driver is too old"}) == "The driver is too old"
