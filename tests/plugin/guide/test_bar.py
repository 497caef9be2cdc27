"""The row of steps: keys, marks and words."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from napari_c2lst.plugin.guide.bar import StepBar
from napari_c2lst.plugin.guide.standing import Standing, State
from napari_c2lst.plugin.guide.steps import STEPS


@pytest.fixture
def bar(qtbot: Any) -> StepBar:
    made = StepBar()
    qtbot.addWidget(made)
    return made


def standings(state: State = "ready", said: str = "x") -> list[Standing]:
    return [Standing(step, state, said) for step in STEPS]


def test_every_step_has_a_key_of_its_own_while_a_field_below_has_the_focus(qtbot: Any) -> None:
    window, bar, field = QWidget(), StepBar(), QLineEdit()
    column = QVBoxLayout(window)
    column.addWidget(bar)
    column.addWidget(field)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    heard: list[str] = []
    bar.chosen.connect(heard.append)
    for digit in "1234567890":
        qtbot.keyClick(field, getattr(Qt.Key, f"Key_{digit}"), Qt.KeyboardModifier.AltModifier)
    assert heard == [step.key for step in STEPS]
    assert field.text() == ""
    assert bar.buttons["keep"].isChecked()


def test_no_key_stands_for_two_steps(bar: StepBar) -> None:
    keys = [each.key().toString() for each in bar.findChildren(QShortcut)]
    assert sorted(keys) == sorted(set(keys))
    assert len(keys) == len(STEPS)
    assert not any("&" in button.text() for button in bar.buttons.values())
    assert QKeySequence("Alt+0").toString() in keys


def test_a_click_on_the_step_that_is_looked_at_leaves_it_chosen(bar: StepBar, qtbot: Any) -> None:
    bar.choose("train")
    qtbot.mouseClick(bar.buttons["train"], Qt.MouseButton.LeftButton)
    assert bar.buttons["train"].isChecked()
    assert sum(button.isChecked() for button in bar.buttons.values()) == 1


def test_marks_and_words_follow_what_was_done(bar: StepBar) -> None:
    bar.show_standings(standings("waiting", "open a slide first"))
    before = {key: button.icon().cacheKey() for key, button in bar.buttons.items()}
    found = standings("waiting", "open a slide first")
    found[0] = Standing(STEPS[0], "done", "B4")
    found[1] = Standing(STEPS[1], "next", "no set of spots yet")
    bar.show_standings(found)
    assert bar.buttons["open"].icon().cacheKey() != before["open"]
    assert bar.buttons["open"].accessibleName() == "Step 1, Open: done"
    assert bar.buttons["select"].toolTip().splitlines()[1] == "Next: no set of spots yet.  (Alt+2)"
    assert bar.buttons["keep"].accessibleDescription() == "open a slide first"
    assert bar.buttons["keep"].toolTip().endswith("(Alt+0)")


def test_nothing_is_drawn_again_where_nothing_changed(bar: StepBar) -> None:
    bar.show_standings(standings())
    before = [button.icon().cacheKey() for button in bar.buttons.values()]
    bar.show_standings(standings())
    assert [button.icon().cacheKey() for button in bar.buttons.values()] == before
    bar.show_standings(standings(said="another word"))
    assert bar.buttons["open"].accessibleDescription() == "another word"


def test_a_bar_that_was_told_nothing_waits(bar: StepBar) -> None:
    assert not any(button.isChecked() for button in bar.buttons.values())
    assert all(not button.icon().isNull() for button in bar.buttons.values())
    assert [button.text().split()[0] for button in bar.buttons.values()] == [str(i + 1) for i in range(len(STEPS))]


def test_what_is_not_a_step_cannot_be_chosen(bar: StepBar) -> None:
    with pytest.raises(KeyError):
        bar.choose("nonsense")
