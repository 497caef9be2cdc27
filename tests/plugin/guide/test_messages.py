"""The place for messages in the dock: the newest, once, until it is put away."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from qtpy.QtWidgets import QApplication

from napari_c2lst.plugin.guide.messages import MessageArea
from napari_c2lst.plugin.session import Session


@pytest.fixture
def area(qtbot: Any) -> Any:
    elsewhere: list[str] = []
    jobs = SimpleNamespace(jobs=[])
    session: Any = Session()
    made: Any = MessageArea(SimpleNamespace(session=session, jobs=jobs), elsewhere.__contains__)  # type: ignore[arg-type]
    made.session, made.elsewhere, made.past = session, elsewhere, jobs.jobs
    qtbot.addWidget(made)
    return made


def test_of_several_at_once_the_last_is_read(area: Any) -> None:
    for i in range(5):
        area.session.tell("warning", f"set {i} is damaged", "choose its spots again")
    assert area.bar.isHidden()  # a panel may say it itself, a moment later
    QApplication.processEvents()
    assert area.bar.message == "set 4 is damaged"
    assert area.bar.next.text() == "Choose its spots again."


def test_what_a_panel_says_itself_takes_the_older_message_away(area: Any) -> None:
    area.session.tell("error", "old")
    QApplication.processEvents()
    area.session.tell("error", "in the panel")
    area.elsewhere.append("in the panel")  # the panel shows it after the session told it
    QApplication.processEvents()
    assert (area.bar.isHidden(), area.bar.message) == (True, "")


@pytest.mark.parametrize(("level", "offered"), [("info", False), ("warning", True), ("error", True)])
def test_the_log_is_offered_where_something_went_wrong(area: Any, level: str, offered: bool) -> None:
    area.past.append("a job")
    area.session.tell(level, "said")
    QApplication.processEvents()
    assert area.bar.details.isHidden() is not offered
    assert area.bar.action.text() == "Dismiss"


def test_what_was_put_away_comes_again_when_it_is_said_again(area: Any) -> None:
    for _ in range(2):
        area.session.tell("error", "the disk is full", "free some space")
        QApplication.processEvents()
        assert not area.bar.isHidden()
        area.bar.action.click()
        assert area.bar.isHidden()


def test_nothing_is_shown_in_a_dock_that_was_closed_in_between(area: Any) -> None:
    area.session.tell("error", "too late")
    area.let_go()
    QApplication.processEvents()
    assert area.bar.isHidden()
    assert len(area.session.told) == 0
    area.let_go()  # twice is harmless


@pytest.mark.parametrize(("level", "stays"), [("info", False), ("warning", True), ("error", True)])
def test_what_merely_informed_goes_with_its_step(area: Any, level: str, stays: bool) -> None:
    area.session.tell(level, "wrote 'view.png'")
    QApplication.processEvents()
    area.leave_step()
    assert area.bar.isHidden() is not stays
