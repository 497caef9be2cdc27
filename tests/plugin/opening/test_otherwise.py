from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_c2lst.plugin.opening.otherwise import OpenOtherwise
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Microns


@pytest.fixture
def form(qtbot: Any) -> OpenOtherwise:
    made = OpenOtherwise()
    qtbot.addWidget(made)
    made.show()
    made.said = []
    made.wanted.connect(made.said.append)
    return made


def test_microns_are_shown_with_their_source_and_corrected(form: OpenOtherwise, shared: Path, qtbot: Any) -> None:
    form.show_slide(open_slide(shared / "her2st" / "B4"), {})
    assert form.mpp.value() == pytest.approx(0.6875, abs=1e-4)
    assert "ST 1k array" in form.source.text()
    assert not form.back.isVisible()
    form.mpp.editingFinished.emit()
    assert form.said == []  # nothing was changed
    form.mpp.setValue(0.5)
    form.mpp.editingFinished.emit()
    assert form.said == [{"mpp": 0.5}]


def test_a_correction_can_be_taken_back(form: OpenOtherwise, shared: Path) -> None:
    form.show_slide(open_slide(shared / "her2st" / "B4", mpp=0.5), {"mpp": 0.5})
    assert form.back.isVisible()
    form.back.click()
    assert form.said == [{"mpp": None}]


def test_there_is_a_choice_only_where_there_is_one(form: OpenOtherwise, shared: Path) -> None:
    form.show_slide(open_slide(shared / "her2st" / "B4"), {})
    assert not form.image.isVisible()
    assert not form.table.isVisible()
    assert not form.square.isVisible()
    slide = open_slide(shared / "layouts" / "visium_hd_seurat")
    form.show_slide(slide, {})
    assert form.image.isVisible()
    assert form.image.currentText() == slide.image_name
    assert form.square.value() == 112
    assert form.said == []


def test_choices_are_wishes(form: OpenOtherwise, shared: Path) -> None:
    form.show_slide(open_slide(shared / "layouts" / "visium_hd_seurat"), {})
    form.image.setCurrentIndex(1 - form.image.currentIndex())
    form.image.activated.emit(form.image.currentIndex())
    assert form.said == [{"image_name": form.image.currentText()}]
    form.square.setValue(128)
    form.square.editingFinished.emit()
    assert form.said[-1] == {"square_um": 128}
    form.system.activated.emit(0)
    assert form.said[-1] == {"coordinate_system": form.system.currentText(), "image_name": None}
    form.table.activated.emit(0)
    assert form.said[-1]["table"] == form.table.currentText()


def test_another_image_file(form: OpenOtherwise, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form.show_slide(open_slide(shared / "her2st" / "B4"), {})
    answers = iter([("", ""), ("/x/full.tif", "")])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a, **_k: next(answers))
    form.full.click()
    assert form.said == []
    form.full.click()
    assert form.said == [{"image": Path("/x/full.tif"), "image_name": None}]


def test_an_unknown_size_of_a_pixel_says_so(form: OpenOtherwise, make_slide: Any, monkeypatch: Any) -> None:
    from napari_c2lst.plugin.opening import otherwise
    from napari_c2lst.plugin.opening.facts import Choices

    monkeypatch.setattr(otherwise, "choices_of", lambda _slide: Choices(["image"], ["global"], ["table"], None))
    form.show_slide(make_slide(microns=None), {})
    assert form.mpp.text() == "not known"
    form.mpp.editingFinished.emit()
    assert form.said == []
    form.mpp.setValue(0.25)
    form.mpp.editingFinished.emit()
    assert form.said == [{"mpp": 0.25}]


@pytest.fixture
def plain(form: OpenOtherwise, make_slide: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The form shows a slide of half a micron; its choices can be set."""
    from napari_c2lst.plugin.opening import otherwise
    from napari_c2lst.plugin.opening.facts import Choices

    def show(images: tuple[str, ...] = ("image",), square_um: float | None = None, **changes: Any) -> OpenOtherwise:
        choices = Choices(list(images), ["global"], ["table"], square_um)
        monkeypatch.setattr(otherwise, "choices_of", lambda _slide: choices)
        form.show_slide(make_slide(**changes), {})
        return form

    return show


def test_a_size_is_typed_and_return_applies_it(plain: Any, qtbot: Any) -> None:
    form = plain()
    form.mpp.selectAll()
    qtbot.keyClicks(form.mpp, "0.25")
    assert form.said == []  # not at every digit
    qtbot.keyClick(form.mpp, Qt.Key.Key_Return)
    assert form.said == [{"mpp": 0.25}]


def test_a_size_cannot_be_taken_away_by_typing(plain: Any, qtbot: Any) -> None:
    form = plain()
    form.mpp.setValue(0.0)
    form.mpp.editingFinished.emit()
    assert form.said == []
    assert form.mpp.text() == "0.5000 µm"  # what the slide is opened with


@pytest.mark.parametrize("typed", ["abc", "-1", "1e9"])
def test_nonsense_is_not_taken_for_a_size(plain: Any, qtbot: Any, typed: str) -> None:
    form = plain()
    form.mpp.selectAll()
    qtbot.keyClicks(form.mpp, typed)
    qtbot.keyClick(form.mpp, Qt.Key.Key_Return)
    assert all(0 < wish["mpp"] <= 100 for wish in form.said)


def test_digits_that_the_field_cannot_show_are_no_change(plain: Any) -> None:
    form = plain(microns=Microns(0.50004, "fitted", "the array"))
    form.mpp.editingFinished.emit()
    assert form.said == []


def test_what_is_used_is_offered_also_where_it_is_not_among_the_rest(plain: Any) -> None:
    form = plain(images=("other",), image_name="full")
    assert [form.image.itemText(i) for i in range(form.image.count())] == ["full", "other"]
    assert form.image.currentText() == "full"
    assert form.image.isVisible()
    assert not form.system.isVisible()


def test_rows_of_the_slide_before_are_taken_away(plain: Any) -> None:
    form = plain(images=("a", "b"), image_name="a", square_um=16)
    assert form.image.isVisible()
    assert form.square.isVisible()
    form = plain(images=("image",), spots=None)
    assert not form.image.isVisible()
    assert not form.square.isVisible()
    assert not form.full.isVisible()  # an image alone has no other one
    assert form.said == []


def test_without_a_slide_nothing_is_wished_for(form: OpenOtherwise, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: asked.append(a) or ("", ""))
    form.show_slide(None, {})
    form.mpp.setValue(0.5)
    form.mpp.editingFinished.emit()
    form.square.setValue(64)
    form.square.editingFinished.emit()
    form.full.click()
    assert (form.said, asked) == ([], [])
