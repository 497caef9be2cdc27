"""A widget hears signals until it is gone."""

from __future__ import annotations

from typing import Any

from psygnal import Signal
from qtpy.QtCore import QObject
from qtpy.QtCore import Signal as QtSignal

from napari_c2lst.plugin.parts.listening import Listening


class Session:
    changed = Signal(str)


class Job(QObject):
    moved = QtSignal(str)


class Panel(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.listening = Listening(self)  # kept as long as the widget, as panels do

    def hear(self, text: str) -> None:
        self.heard.append(text)


def test_both_kinds_of_signal_are_heard_until_it_stops(qtbot: Any) -> None:
    session, job, panel = Session(), Job(), Panel()
    listening = Listening(panel)
    listening.to(session.changed, panel.hear)
    listening.to(job.moved, panel.hear)
    session.changed.emit("a")
    job.moved.emit("b")
    assert panel.heard == ["a", "b"]
    listening.stop()
    session.changed.emit("c")
    job.moved.emit("d")
    assert panel.heard == ["a", "b"]


def test_it_ends_with_the_widget(qtbot: Any) -> None:
    session, panel = Session(), Panel()
    panel.listening.to(session.changed, panel.hear)
    assert len(session.changed) == 1
    with qtbot.waitSignal(panel.destroyed):
        panel.deleteLater()
    assert len(session.changed) == 0
    session.changed.emit("nobody")


def test_to_stop_twice_is_harmless(qtbot: Any) -> None:
    job, panel = Job(), Panel()
    listening = Listening(panel)
    listening.to(job.moved, panel.hear)
    job.moved.disconnect(panel.hear)  # the other side was faster
    listening.stop()
    listening.stop()
