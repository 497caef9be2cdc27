from __future__ import annotations

import dataclasses
import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QAbstractButton, QApplication, QLabel, QMessageBox, QWidget

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.dock import C2LDock
from napari_c2lst.plugin.guide import steps
from napari_c2lst.plugin.guide.steps import STEPS
from napari_c2lst.plugin.jobs.desk import JobDesk
from napari_c2lst.plugin.parts.tab_order import as_read
from napari_c2lst.plugin.shared import shared_of
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Slide


@pytest.fixture
def viewer(make_napari_viewer: Callable[..., Any]) -> Any:
    return make_napari_viewer()


@pytest.fixture
def dock(viewer: Any) -> Iterator[C2LDock]:
    dock = C2LDock(viewer)
    viewer.window.add_dock_widget(dock, name="C2L-ST", area="right")
    yield dock
    dock.shut()


@pytest.fixture
def slide() -> Slide:
    return open_slide(sample_slide_path())


def settle(rounds: int = 5) -> None:
    for _ in range(rounds):
        QApplication.processEvents()


class Busy:
    """A job that runs until it is stopped, without a process."""

    task, label, out, active = "adapt", "Adapt", None, True

    def __init__(self) -> None:
        self.progress = self.ended = _Silent()

    def stop(self) -> None:
        self.active = False

    def kill(self) -> None:
        self.active = False

    def wait(self, _milliseconds: int) -> bool:
        return True


class _Silent:
    def connect(self, _slot: Any) -> None: ...
    def disconnect(self, _slot: Any) -> None: ...


def test_it_begins_with_opening_a_slide(dock: C2LDock) -> None:
    assert dock.current == "open"
    assert list(dock.panels) == ["open"]  # no other panel is built yet
    assert dock.stand.text() == "next: no slide is open"
    assert dock.next_button.isHidden()
    assert dock.sizeHint().width() <= 400


def test_every_step_has_its_panel(dock: C2LDock, qtbot: Any) -> None:
    for step in STEPS:
        qtbot.mouseClick(dock.bar.buttons[step.key], Qt.MouseButton.LeftButton)
        assert dock.current == step.key
        assert len(dock.panels[step.key]) == len(step.panels)
        assert dock.stack.currentWidget() is dock._pages[step.key]
    first = dock.panels["train"]
    dock.show_step("train")
    assert dock.panels["train"] is first


def test_no_key_of_a_panel_belongs_to_a_menu_of_napari(viewer: Any, dock: C2LDock) -> None:
    """Of two with one key Qt takes the menu: what is underlined in the panel would do something else."""
    menus = {key_of(action.text()) for action in viewer.window._qt_window.menuBar().actions()}
    assert menus >= set("FVLPWH")
    found: list[str] = []
    for step in STEPS:
        dock.show_step(step.key)
        widgets = [each for kind in (QAbstractButton, QLabel) for each in dock.findChildren(kind)]
        found += [each.text() for each in widgets if key_of(each.text()) and each is not dock.next_button]
    assert len(found) > 40
    assert [text for text in found if key_of(text) in menus | {key_of(dock.next_button.text())}] == []


def test_no_key_of_a_panel_is_a_shortcut_of_napari(viewer: Any, dock: C2LDock) -> None:
    """Where a menu has the key as a shortcut neither does anything: Alt+S takes a screenshot."""
    taken = {key.toString().removeprefix("Alt+") for key in shortcuts(viewer.window._qt_window.menuBar())}
    assert taken >= {"S", "C"}
    for step in STEPS:
        dock.show_step(step.key)
    found = [each.text() for kind in (QAbstractButton, QLabel) for each in dock.findChildren(kind)]
    assert [text for text in found if key_of(text) in taken] == []


def shortcuts(menu: QWidget) -> list[QKeySequence]:
    """Alt and a key, of all entries of a menu and the menus in it."""
    inner = [action.menu() for action in menu.actions() if action.menu() is not None]
    here = [key for action in menu.actions() for key in action.shortcuts()]
    return [key for key in here if key.toString().startswith("Alt+")] + [
        key for each in inner for key in shortcuts(each)
    ]


def test_the_keys_go_to_the_dock_once_it_is_shown(viewer: Any, qtbot: Any) -> None:
    """Otherwise Tab begins at the picture and passes all of napari first."""
    viewer.window._qt_window.show()
    viewer.window._qt_window.activateWindow()
    dock = C2LDock(viewer)
    viewer.window.add_dock_widget(dock, name="C2L-ST", area="right")
    qtbot.waitUntil(dock.bar.buttons["open"].hasFocus)
    qtbot.keyClick(dock.bar.buttons["open"], Qt.Key.Key_6, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(dock.bar.buttons["predict"].hasFocus)
    dock.next_button.setFocus()
    dock.next_button.click()
    assert dock.bar.buttons[dock.current].hasFocus()
    dock.hide()
    viewer.window._qt_window.setFocus()
    dock.show()
    assert not dock.bar.buttons[dock.current].hasFocus()  # shown again, they stay where the user is
    dock.shut()


def test_tab_goes_through_every_panel_whatever_was_looked_at_before(viewer: Any, slide: Slide, qtbot: Any) -> None:
    """Pages that are hidden once led Tab out of the dock."""
    viewer.window._qt_window.show()
    viewer.window._qt_window.activateWindow()
    dock = C2LDock(viewer)
    viewer.window.add_dock_widget(dock, name="C2L-ST", area="right")
    shared_of(viewer).session.open(slide)
    qtbot.waitUntil(dock.bar.buttons["open"].hasFocus)
    for step in STEPS:
        dock.show_step(step.key)
        settle()
        dock.bar.take_focus(step.key)
        visited = list(tabbed(dock, qtbot))
        panels = [each for each in as_read(dock) if each.isVisible() and each.isEnabled()]
        inside = [each for each in panels if dock.stack.isAncestorOf(each)]
        assert inside, step.key
        # of what has others inside, such as pages with tabs, these are the stops
        missed = [e for e in inside if e not in visited and not any(e.isAncestorOf(v) for v in visited)]
        assert missed == [], step.key
    dock.shut()


def tabbed(dock: C2LDock, qtbot: Any) -> Iterator[QWidget]:
    """What Tab goes to, until it leaves the dock or comes round."""
    seen = [QApplication.focusWidget()]
    while True:
        qtbot.keyClick(seen[-1], Qt.Key.Key_Tab)
        at = QApplication.focusWidget()
        if at is None or at in seen or not dock.isAncestorOf(at):
            return
        seen.append(at)
        yield at


def test_a_dock_that_is_opened_again_uses_its_whole_height(viewer: Any) -> None:
    window = viewer.window._qt_window
    window.resize(1280, 800)
    window.show()
    for _ in range(3):
        dock = C2LDock(viewer)
        viewer.window.add_dock_widget(dock, name="C2L-ST", area="right")
        dock.show_step("train")
        settle()
        bottom = dock.next_button.geometry().bottom()
        assert dock.height() - bottom < 10
        viewer.window.remove_dock_widget(dock)
        settle()


def key_of(text: str) -> str:
    """The underlined letter of a text; empty for none."""
    at = text.replace("&&", "  ").find("&")
    return text[at + 1].upper() if at >= 0 and "<" not in text else ""


def test_an_opened_slide_leads_to_the_spots(dock: C2LDock, slide: Slide, qtbot: Any) -> None:
    shared_of(dock._viewer).session.open(slide)
    qtbot.waitUntil(lambda: "Spots" in dock.next_button.text())
    assert not dock.next_button.isHidden()
    dock.next_button.click()
    assert dock.current == "select"
    assert dock.next_button.isHidden()


def test_signs_of_a_name_are_shown_as_they_are(dock: C2LDock, slide: Slide, qtbot: Any) -> None:
    shared_of(dock._viewer).session.open(slide)
    qtbot.waitUntil(lambda: dock._next is not None and not dock.next_button.isHidden())
    dock._next = dataclasses.replace(dock._next, said="for 'A & B'")
    dock._show_next()
    assert dock.next_button.text().endswith("(for 'A && B')")


def test_messages_are_read_in_the_dock(dock: C2LDock) -> None:
    dock.show_step("keep")
    shared_of(dock._viewer).session.tell("error", "the disk is full", "free some space")
    settle()
    assert dock.messages.bar.message == "the disk is full"
    assert not dock.messages.bar.isHidden()


def test_what_was_written_is_read_in_its_step_alone(dock: C2LDock) -> None:
    dock.show_step("keep")
    shared_of(dock._viewer).session.tell("info", "wrote 'view.png'")
    settle()
    dock.show_step("keep")
    assert dock.messages.bar.message == "wrote 'view.png'"
    dock.show_step("select")
    assert dock.messages.bar.isHidden()


def test_a_step_that_ends_turns_no_page_of_another_one(dock: C2LDock) -> None:
    dock.show_step("judge")
    dock.show_step("predict")
    dock.show_step("look")
    tabs = {key: dock._pages[key] for key in ("look", "judge")}
    dock.panels["predict"][0].done.emit("B4.zarr")
    assert {key: page.currentIndex() for key, page in tabs.items()} == {"look": 0, "judge": 0}
    dock.panels["judge"][0].done.emit("scores")  # its scores are read next, whenever one comes back
    assert {key: page.currentIndex() for key, page in tabs.items()} == {"look": 0, "judge": 1}


def test_a_panel_that_cannot_be_built_is_said(dock: C2LDock, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_viewer: Any) -> Any:
        raise InputError("this slide cannot be looked at", "open another one")

    monkeypatch.setattr("napari_c2lst.plugin.dock.panel_class", lambda _where: broken)
    dock.show_step("look")
    settle()
    assert dock.messages.bar.message == "this slide cannot be looked at"
    assert "look" not in dock.panels


@pytest.mark.parametrize("stays", [True, False])
def test_closing_asks_while_a_job_runs(viewer: Any, monkeypatch: pytest.MonkeyPatch, stays: bool) -> None:
    dock = C2LDock(viewer)
    wrapper = viewer.window.add_dock_widget(dock, name="C2L-ST", area="right")
    jobs, job, asked = shared_of(viewer).jobs, Busy(), []
    jobs.jobs.append(job)
    with monkeypatch.context() as patched:  # the window is closed after the test, and must not ask then
        patched.setattr(JobDesk, "confirm_close", lambda _desk, _parent: asked.append(1) or not stays)
        wrapper.title.close_button.click()
        settle()
    assert len(asked) == 1
    assert job.active is stays
    assert dock._closed is not stays
    assert ("C2L-ST" in viewer.window._wrapped_dock_widgets) is stays
    job.active = False
    dock.shut()


def test_closing_the_window_asks_and_forgets(make_napari_viewer: Callable[..., Any], monkeypatch: Any) -> None:
    viewer = make_napari_viewer()
    shared = shared_of(viewer)
    job = Busy()
    shared.jobs.jobs.append(job)
    answers = [False, True]
    monkeypatch.setattr(JobDesk, "confirm_close", lambda _desk, _parent: answers.pop(0))
    window = viewer.window._qt_window
    assert window.close() is False
    assert job.active
    window.close()
    assert not job.active
    assert not shared.extras
    assert answers == []


def test_the_question_names_the_job(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = shared_of(viewer).jobs
    jobs.jobs.append(Busy())
    seen: list[str] = []

    def answer(box: QMessageBox) -> int:
        seen.append(box.text())
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    assert jobs.confirm_close(None) is False  # closing the question means to stay
    assert "Adapt" in seen[0]
    jobs.jobs.clear()
    assert jobs.confirm_close(None) is True


@pytest.mark.slow
def test_fifty_docks_leave_nothing_behind(viewer: Any, slide: Slide) -> None:
    """Every panel of every dock is built: no thread, process, layer, signal connection or Qt object stays."""
    shared = shared_of(viewer)
    shared.session.open(slide)

    def open_and_close() -> None:
        dock = C2LDock(viewer)
        wrapper = viewer.window.add_dock_widget(dock, name="C2L-ST", area="right")
        for step in STEPS:
            dock.show_step(step.key)
        settle(2)
        wrapper.title.close_button.click()
        settle(3)

    for _ in range(3):  # imports, caches and fonts come with the first
        open_and_close()
    before = counts(viewer)
    for _ in range(47):
        open_and_close()
    after = counts(viewer)
    memory = after.pop("memory") - before.pop("memory")
    assert after == before
    assert memory < 60e6, f"{memory / 1e6:.0f} MB more"


def counts(viewer: Any) -> dict[str, Any]:
    """What could leak, after everything that waits to be deleted is gone."""
    for _ in range(3):
        settle(3)
        QApplication.sendPostedEvents(None, 52)  # deferred deletes
        gc.collect()
    session = shared_of(viewer).session
    signals = ("slide_changed", "sets_changed", "chosen_changed", "gene_changed", "results_changed", "told")
    canvas = shared_of(viewer).canvas
    process = psutil.Process()
    return {
        "threads": threading.active_count(),
        "processes": len(process.children(recursive=True)),
        "layers": len(viewer.layers),
        "listeners": {name: len(getattr(session, name)) for name in signals},
        "clicks": len(canvas._clicks),
        "docks": sum(type(widget).__name__ == "C2LDock" for widget in QApplication.allWidgets()),
        "window": len(viewer.window._qt_window.findChildren(QObject)),
        "desk": len(shared_of(viewer).jobs.findChildren(QObject)),
        "mouse": len(viewer.mouse_drag_callbacks),
        "memory": process.memory_info().rss,
    }


def test_the_dock_needs_no_torch(root: Path) -> None:
    """Every panel's module is imported in a process of its own."""
    import json
    import subprocess
    import sys

    wheres = [where for step in steps.STEPS for _, where in step.panels]
    code = (
        "import json, sys\n"
        "from napari_c2lst.plugin import dock\n"
        "from napari_c2lst.plugin.guide.steps import panel_class\n"
        f"names = [panel_class(where).__name__ for where in {wheres!r}]\n"
        "print(json.dumps([names, sorted({'torch', 'diffusers', 'transformers', 'accelerate'} & sys.modules.keys())]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, loaded = json.loads(done.stdout.splitlines()[-1])
    assert len(names) == len(wheres)
    assert loaded == []
