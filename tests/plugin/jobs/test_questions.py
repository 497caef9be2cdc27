"""What is asked at closing: every answer, and that no answer is to stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_c2lst.plugin.jobs import questions
from napari_c2lst.plugin.parts.focus_ring import FocusRing

MAY_LOSE = questions.may_lose  # the tests of windows do without it


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Answer with a button (or Escape) as soon as one is asked, and tell what one reads."""
    said: list[str] = []

    def expect(button: str) -> list[str]:
        def answer(box: QMessageBox) -> int:
            said.extend([box.windowTitle(), box.text(), box.informativeText(), box.escapeButton().text()])
            pressed = next((each for each in box.buttons() if each.text() == button), box.escapeButton())
            monkeypatch.setattr(QMessageBox, "clickedButton", lambda _box: pressed)
            return 0

        monkeypatch.setattr(QMessageBox, "exec", answer)
        return said

    return expect


@pytest.mark.parametrize(("button", "stops"), [("Stop and close", True), ("Keep running", False), ("Escape", False)])
@pytest.mark.parametrize(("names", "words"), [(["Adapt"], "Adapt is still"), (["Adapt", "Train"], "Adapt, Train are")])
def test_jobs(qtbot: Any, asked: Any, button: str, stops: bool, names: list[str], words: str) -> None:
    said = asked(button)
    assert questions.may_stop(None, names) is stops
    assert said[0] == "A job is running"
    assert said[1].startswith(words)
    assert "checkpoint" in said[2]
    assert said[3] == "Keep running"


@pytest.mark.parametrize(("button", "loses"), [("Close without them", True), ("Stay", False), ("Escape", False)])
def test_results_and_sets_together(qtbot: Any, asked: Any, button: str, loses: bool) -> None:
    said = asked(button)
    store = Path("/somewhere/tissue.zarr")
    results, sets = {store: ["predictions 'a'", "nuclei 'b'"]}, {Path("B4.zarr"): ["tumour", "train"]}
    assert MAY_LOSE(None, results, sets) is loses
    assert said[0] == "Not everything is saved"
    assert said[1] == ("Closing the window loses predictions 'a', nuclei 'b' of tissue; sets 'tumour', 'train' of B4.")
    assert "Keep > Save saves sets" in said[2]
    assert "Save a copy as..." in said[2]
    assert said[2].endswith(str(store))
    assert said[3] == "Stay"


def test_in_the_question_one_sees_which_answer_return_gives(qtbot: Any, monkeypatch: Any) -> None:
    """Its parent is napari's window: nothing above its buttons is ours but the question itself."""
    window = QWidget()
    qtbot.addWidget(window)
    ring = FocusRing(window)
    seen: list[str] = []

    def answer(box: QMessageBox) -> int:
        default = box.defaultButton()
        ring._on_focus(None, default)
        assert ring.around is default
        seen.append(default.text())
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    questions.may_stop(window, ["Adapt"])
    assert seen == ["Keep running"]
    ring.close()
