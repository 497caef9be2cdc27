"""A message with its next action, as it is read, heard and used by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_c2lst.plugin.parts.message_bar import MessageBar
from napari_c2lst.plugin.parts.theme import LEVEL_COLOURS

LONG_NAME = "GSM5494475_CytAssist_FFPE_Human_Breast_Cancer_filtered_feature_bc_matrix_2024"


@pytest.fixture
def bar(qtbot: Any) -> MessageBar:
    made = MessageBar()
    qtbot.addWidget(made)
    return made


def test_each_level_has_a_sign_of_its_own(bar: MessageBar) -> None:
    signs = {}
    for level in LEVEL_COLOURS:
        bar.show_message(level, "x")
        signs[bar.sign.text()] = level
        assert bar.accessibleName() == level
    assert len(signs) == 4


def test_a_level_that_nobody_knows_is_shown_all_the_same(bar: MessageBar) -> None:
    bar.show_message("shout", "something happened")
    assert (bar.sign.text(), bar.text.text()) == ("i", "Something happened.")
    assert not bar.isHidden()


def test_markup_in_a_message_is_text(bar: MessageBar) -> None:
    bar.show_message("error", "'<b>x</b>.zarr' is no slide", "<img src=x>")
    for label in (bar.text, bar.next):
        assert label.textFormat() == Qt.TextFormat.PlainText
    assert bar.text.text() == "'<b>x</b>.zarr' is no slide."


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("saved.", "Saved."),
        ("was the copy complete?", "Was the copy complete?"),
        ("B4.zarr is open", "B4.zarr is open."),
        ("  spaces  ", "Spaces."),
        ("µm per pixel are missing", "µm per pixel are missing."),
    ],
)
def test_a_message_is_one_sentence(bar: MessageBar, said: str, read: str) -> None:
    bar.show_message("info", said)
    assert bar.text.text() == read
    assert bar.message == said


def test_a_long_name_makes_no_panel_wider_and_is_read_whole_in_the_tip(bar: MessageBar) -> None:
    message = f"'/data/x/{LONG_NAME}' is no slide"
    bar.show_message("error", message, message, details=True, action="&Browse for its image …")
    assert bar.minimumSizeHint().width() <= 340
    assert bar.text.text() == "'/data/x/GSM5494475_CytAssis…ture_bc_matrix_2024' is no slide."
    assert bar.text.toolTip() == bar.next.toolTip() == f"{message}."
    assert (bar.message, bar.accessibleDescription()) == (message, f"{message} {message}")


def test_a_path_of_many_folders_is_broken_into_lines(bar: MessageBar) -> None:
    path = "/home/anna/projects/breast" * 8
    bar.show_message("error", f"no such path: '{path}'", "check it")
    assert bar.minimumSizeHint().width() <= 340
    assert path in bar.text.text()
    assert bar.text.toolTip() == ""


def test_a_second_message_takes_the_buttons_of_the_first_away(bar: MessageBar) -> None:
    bar.show_message("error", "a", "do this", details=True, action="&Do")
    bar.show_message("warning", "b")
    assert bar.details.isHidden()
    assert bar.action.isHidden()
    assert bar.next.isHidden()
    assert (bar.level, bar.message, bar.hint) == ("warning", "b", "")
    assert bar.accessibleDescription() == "b"


def test_its_buttons_and_words_are_reached_by_keyboard(bar: MessageBar, qtbot: Any) -> None:
    bar.show_message("error", "it broke", "try again", details=True, action="&Again")
    bar.show()
    bar.activateWindow()
    bar.action.setFocus()
    qtbot.waitUntil(bar.action.hasFocus)
    with qtbot.waitSignal(bar.action_wanted):
        qtbot.keyClick(bar.action, Qt.Key.Key_Space)
    qtbot.keyClick(bar.action, Qt.Key.Key_Tab)
    with qtbot.waitSignal(bar.details_wanted):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert bar.text.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByKeyboard


def test_a_bar_that_is_cleared_says_nothing_to_a_screen_reader(bar: MessageBar) -> None:
    bar.show_message("error", "it broke", "try again")
    bar.clear()
    assert (bar.level, bar.message, bar.hint, bar.isHidden()) == ("", "", "", True)
    assert bar.accessibleDescription() == ""
