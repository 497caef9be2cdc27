"""The box that keeps drawings: hidden while there are none, asks before it replaces, waits for jobs that write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from napari.components import ViewerModel

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.neighbour import keep_box as module
from napari_c2lst.plugin.neighbour.docks import neighbour_of
from napari_c2lst.plugin.neighbour.drawn import Drawn
from napari_c2lst.plugin.neighbour.keep_box import DrawnBox
from napari_c2lst.plugin.shared import forget, shared_of
from napari_c2lst.slides.slide import Slide


class Bench:
    """A box, a slide that something was drawn on, and what was written."""

    def __init__(self, viewer: Any, slide: Slide, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shared = shared_of(viewer)
        self.session = self.shared.session
        self.drawn = [Drawn("regions", [1, 2], None)]
        self.there: list[str] = []
        self.fails = False
        self.written: list[tuple[Any, Any]] = []
        monkeypatch.setattr(module, "drawn_in", lambda lent: [] if self.written else self.drawn)
        monkeypatch.setattr(module, "replaced", lambda drawn, slide: self.there)
        monkeypatch.setattr(module, "save_drawn", self.write)
        self.told: list[tuple[str, str, str]] = []
        self.session.told.connect(self.hear)
        self.session.slide = slide
        self.box = DrawnBox(self.shared)
        self.neighbour = neighbour_of(self.shared)

    def hear(self, *said: str) -> None:
        self.told.append(said)  # type: ignore[arg-type]

    def write(self, lent: Any, drawn: Any, slide: Any) -> list[str]:
        if self.fails:
            raise InputError("the disk is full", "make room")
        self.written.append((lent, drawn))
        return ["c2lst_drawn_regions"]

    def lend(self) -> None:
        self.neighbour.lent = SimpleNamespace(slide=self.session.slide)  # type: ignore[assignment]
        self.neighbour.changed.emit()


@pytest.fixture
def bench(make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch, qtbot: Any) -> Iterator[Bench]:
    viewer = ViewerModel()
    made = Bench(viewer, make_slide(sdata=SimpleNamespace()), monkeypatch)
    qtbot.addWidget(made.box)
    yield made
    forget(viewer)


def test_hidden_until_something_was_drawn(bench: Bench) -> None:
    assert bench.box.isHidden()
    bench.lend()
    assert not bench.box.isHidden()
    assert bench.box.state.text() == "regions: 2 shapes"
    assert bench.box.button.isEnabled()


def test_saved_and_gone(bench: Bench, qtbot: Any) -> None:
    bench.lend()
    bench.box.button.click()
    qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    assert bench.told[0][:2] == ("info", "saved into 'P12.zarr': c2lst_drawn_regions")
    assert bench.box.isHidden()


@pytest.mark.parametrize("agreed", [True, False])
def test_nothing_is_replaced_unasked(bench: Bench, qtbot: Any, agreed: bool) -> None:
    bench.there = ["c2lst_drawn_regions"]
    asked: list[str] = []
    bench.box.agree = lambda question: bool(asked.append(question)) or agreed
    bench.lend()
    bench.box.save()
    assert asked == ["The slide already holds c2lst_drawn_regions. Replace?"]
    if agreed:
        qtbot.waitUntil(lambda: bool(bench.written), timeout=10_000)
        qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    assert bool(bench.written) == agreed


def test_what_fails_is_told_and_can_be_tried_again(bench: Bench, qtbot: Any) -> None:
    bench.fails = True
    bench.lend()
    bench.box.save()
    qtbot.waitUntil(lambda: bool(bench.told), timeout=10_000)
    assert bench.told == [("error", "the disk is full", "make room")]
    assert bench.box.button.isEnabled()


def test_it_waits_for_a_job_that_writes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as for_now:
        for_now.setattr(bench.shared.jobs, "running", lambda: [SimpleNamespace(task="predict")])
        bench.lend()
        assert not bench.box.button.isEnabled()
        assert "A job is writing" in bench.box.state.text()
    bench.shared.jobs.ended.emit(None)
    assert bench.box.button.isEnabled()


def test_a_slide_that_is_no_store_is_saved_as_one_first(bench: Bench, make_slide: Callable[..., Slide]) -> None:
    bench.session.slide = make_slide(is_zarr=False)
    bench.lend()
    assert not bench.box.button.isEnabled()
    assert "save a copy as one" in bench.box.state.text()


def test_drawings_of_another_slide_are_no_matter(bench: Bench, make_slide: Callable[..., Slide]) -> None:
    bench.lend()
    bench.session.slide = make_slide(path=Path("other.zarr"))
    bench.session.slide_changed.emit()
    assert bench.box.isHidden()
