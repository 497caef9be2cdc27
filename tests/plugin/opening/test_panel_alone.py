"""The panel without a window around it: wrong order, leaving halfway, odd names, and keys."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QFileDialog, QLabel
from tests.slides.stores import make_tiny_legacy

from napari_c2lst.plugin.opening import opener as module
from napari_c2lst.plugin.opening.panel import OpenPanel
from napari_c2lst.plugin.shared import forget


@pytest.fixture
def panel(qtbot: Any) -> Iterator[OpenPanel]:
    viewer = ViewerModel()
    made = OpenPanel(viewer)
    qtbot.addWidget(made)
    yield made
    forget(viewer)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, make_slide: Any) -> Iterator[threading.Event]:
    """Slides open when it is set, and not before."""
    go = threading.Event()

    def slow(path: Path, _opening: dict[str, Any]) -> Any:
        go.wait(20)
        return make_slide(path=path, name=path.stem, spots=None)

    monkeypatch.setattr(module, "_open", slow)
    monkeypatch.setattr("napari_c2lst.plugin.opening.otherwise.choices_of", lambda _slide: _nothing())
    yield go
    go.set()


def _nothing() -> Any:
    from napari_c2lst.plugin.opening.facts import Choices

    return Choices(["image"], ["global"], [], None)


def type_path(panel: OpenPanel, path: str, qtbot: Any) -> None:
    panel.path.line.setText(path)
    qtbot.keyClick(panel.path.line, Qt.Key.Key_Return)


def test_what_is_opened_can_be_left_by_keyboard(panel: OpenPanel, gate: Any, qtbot: Any) -> None:
    type_path(panel, "/data/B4.zarr", qtbot)
    assert panel.busy.text.text() == "Opening B4.zarr …"
    assert not panel.busy.isHidden()
    qtbot.keyClick(panel.busy.cancel, Qt.Key.Key_Space)
    assert panel.busy.isHidden()
    assert panel.session.slide is None
    assert panel.slide.isHidden()
    assert panel.path.line.text() == "/data/B4.zarr"  # to be corrected or tried again


def test_another_slide_meanwhile_takes_its_place(panel: OpenPanel, gate: Any, qtbot: Any) -> None:
    type_path(panel, "/data/first.zarr", qtbot)
    type_path(panel, "/data/second.zarr", qtbot)
    assert panel.busy.text.text() == "Opening second.zarr …"
    gate.set()
    qtbot.waitUntil(lambda: panel.session.slide is not None)
    assert panel.slide.title() == "second"
    assert panel.busy.isHidden()


def test_a_name_with_a_sign_is_read_as_it_is(panel: OpenPanel, gate: Any, qtbot: Any) -> None:
    gate.set()
    type_path(panel, "/data/H&E.zarr", qtbot)
    qtbot.waitUntil(lambda: panel.session.slide is not None)
    assert panel.slide.title() == "H&&E"  # Qt underlines what follows a single one
    assert panel.about.textFormat() == Qt.TextFormat.PlainText


def test_a_panel_that_comes_while_a_slide_is_opened_says_so(panel: OpenPanel, gate: Any, qtbot: Any) -> None:
    type_path(panel, "/data/B4.zarr", qtbot)
    late = OpenPanel(panel.canvas.viewer)
    qtbot.addWidget(late)
    assert (late.busy.isHidden(), late.busy.text.text()) == (False, "Opening B4.zarr …")
    gate.set()
    qtbot.waitUntil(lambda: late.busy.isHidden())
    assert late.slide.title() == "B4"


def test_a_panel_that_is_closed_while_a_slide_is_opened(panel: OpenPanel, gate: Any, qtbot: Any) -> None:
    gone = OpenPanel(panel.canvas.viewer)
    type_path(gone, "/data/B4.zarr", qtbot)
    with qtbot.waitSignal(gone.destroyed):
        gone.deleteLater()
    with qtbot.captureExceptions() as raised:
        gate.set()
        qtbot.waitUntil(lambda: panel.session.slide is not None)
    assert raised == []
    assert panel.slide.title() == "B4"  # the one that is left shows it


def test_closing_the_slide_empties_the_panel(panel: OpenPanel, gate: Any, qtbot: Any) -> None:
    gate.set()
    type_path(panel, "/data/B4.zarr", qtbot)
    qtbot.waitUntil(lambda: panel.session.slide is not None)
    panel.session.close()
    assert panel.slide.isHidden()
    assert panel.spots.isHidden()
    panel.otherwise.mpp.editingFinished.emit()  # the focus leaves a field that is hidden now
    assert panel.opener.path is None


@pytest.mark.parametrize("path", ["x" * 300, "~nobody-of-that-name/x", "no/such/slide.zarr"])
def test_what_is_no_path_is_said_in_the_panel(panel: OpenPanel, path: str, qtbot: Any) -> None:
    with qtbot.captureExceptions() as raised:
        type_path(panel, path, qtbot)
        qtbot.waitUntil(lambda: panel.opener.path is None, timeout=60_000)
    assert raised == []
    assert (panel.message.level, panel.busy.isHidden()) == ("error", True)
    assert panel.message.hint
    assert panel.message.action.isHidden()
    assert panel.path.line.text() == path


def test_a_slide_that_lacks_its_image_is_given_one(
    panel: OpenPanel, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_tiny_legacy(tmp_path / "section")
    elsewhere = (folder / "T1_HE.jpg").rename(tmp_path / "scan.jpg")
    answers = iter(["", str(elsewhere)])
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: asked.append(a[2]) or (next(answers), ""))
    type_path(panel, str(folder), qtbot)
    qtbot.waitUntil(lambda: panel.opener.path is None, timeout=60_000)
    assert panel.message.hint == "choose its image file"
    qtbot.keyClick(panel.message.action, Qt.Key.Key_Space)
    assert panel.opener.path is None  # thought better of it; the button stays
    assert not panel.message.action.isHidden()
    qtbot.keyClick(panel.message.action, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: panel.session.slide is not None, timeout=60_000)
    assert asked == [str(tmp_path)] * 2
    assert panel.session.opening == {"image": elsewhere}
    assert panel.message.isHidden()
    assert "36 spots" in panel.about.text()
    qtbot.waitUntil(lambda: not panel.canvas.colouring.reading, timeout=60_000)


def test_a_key_leads_to_one_field_only(panel: OpenPanel) -> None:
    """Alt and a letter; those of napari's menus are theirs."""
    panel.message.show_message("error", "x", action="&Browse for its image …")
    labels = [each.text() for each in panel.findChildren(QLabel) if each.buddy() is not None]
    buttons = [each.text() for each in panel.findChildren(QAbstractButton)]
    letters = Counter(text[text.index("&") + 1].upper() for text in labels + buttons if "&" in text)
    assert {letter for letter, count in letters.items() if count > 1} == set()
    assert not letters.keys() & set("FLVPWH")  # File, Layers, View, Plugins, Window, Help
    assert len(letters) > 10


def test_every_field_can_be_reached_and_has_a_name(panel: OpenPanel) -> None:
    form = panel.otherwise
    for each in (panel.path.line, form.mpp, form.image, form.system, form.table, form.square, panel.busy.bar):
        assert each.accessibleName()
    for each in (panel.path.line, panel.path.browse, panel.path.sample, panel.path.layer, form.mpp, form.full):
        assert each.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert each.toolTip()
