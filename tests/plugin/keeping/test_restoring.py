"""What a store keeps of a view comes back when it is opened; what is gone, damaged or another slide's is no error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from psygnal import Signal

from napari_c2lst.plugin.guide.standing import SAVED_VIEW
from napari_c2lst.plugin.keeping import restoring as module
from napari_c2lst.plugin.keeping.restoring import Restorer, form_of
from napari_c2lst.plugin.keeping.view import SavedView
from napari_c2lst.plugin.looking.map_layers import IMAGE_KEY, SPOTS_KEY
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide


class Canvas:
    """Layers of a viewer, found by their keys."""

    shown = Signal()

    def __init__(self) -> None:
        self.viewer = ViewerModel()

    def layer(self, key: str) -> Any:
        return next((each for each in self.viewer.layers if each.metadata["c2lst"]["key"] == key), None)

    def add(self, key: str, **options: Any) -> Any:
        return self.viewer.add_image(np.zeros((9, 9)), metadata={"c2lst": {"key": key}}, **options)


class Bench:
    def __init__(self, make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch) -> None:
        self.make_slide, self.canvas, self.session = make_slide, Canvas(), Session()
        self.predictions = [SimpleNamespace(key="c2lst_spots_both", where="spots")]
        self.prepared: list[tuple[Any, Any, str]] = []
        self.drawn: list[tuple[str, str]] = []
        self.lacks = ""  # why a mode cannot be shown
        self.meanwhile: Callable[[], Any] = lambda: None
        monkeypatch.setattr(module, "list_predictions", lambda slide: (self.predictions, []))
        monkeypatch.setattr(module, "why_not", lambda values, mode: self.lacks)
        monkeypatch.setattr(module.maps, "prepare", self.prepare)
        monkeypatch.setattr(module.maps, "draw", lambda canvas, ready, gene, mode, at: self.drawn.append((gene, mode)))
        shared: Any = SimpleNamespace(session=self.session, canvas=self.canvas)
        self.restorer = Restorer(shared)

    def prepare(self, slide: Any, prediction: Any, form: str) -> Any:
        self.prepared.append((slide, prediction, form))
        self.meanwhile()
        return SimpleNamespace(slide=slide, values=SimpleNamespace(predicted={"FASN": None, "ERBB2": None}))

    def open(self, view: SavedView | str | None, **changes: Any) -> Slide:
        """Open a slide whose store keeps a view, and show it."""
        tables: dict[str, Any] = {}
        if view is not None:
            text = view if isinstance(view, str) else json.dumps(asdict(view))
            tables[SAVED_VIEW] = SimpleNamespace(uns={"c2lst": {"version": 1, "view": text}})
        slide = self.make_slide(sdata=SimpleNamespace(tables=tables), **changes)
        self.session.open(slide)
        self.canvas.shown.emit()
        return slide


@pytest.fixture
def bench(qtbot: Any, make_slide: Callable[..., Slide], monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(make_slide, monkeypatch)
    yield made
    made.restorer.close()


def a_map(key: str = SPOTS_KEY, **looks: Any) -> SavedView:
    return SavedView(layers=({"key": key, "prediction": "c2lst_spots_both", "gene": "FASN", **looks},))


def ended(bench: Bench, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not bench.restorer._work.awaited, timeout=10_000)


def test_gene_spots_looks_and_place_come_back(bench: Bench) -> None:
    image = bench.canvas.add("image")
    looks = {"key": "image", "opacity": 0.3, "visible": False}
    bench.open(SavedView("FASN", (looks,), (0.0, 4.0, 5.0), 2.5, ("a", "c", "of another slide")))
    assert bench.session.gene == "FASN"
    assert bench.session.chosen.tolist() == [True, False, True]
    assert (image.opacity, image.visible) == (0.3, False)
    assert (bench.canvas.viewer.camera.center, bench.canvas.viewer.camera.zoom) == ((0, 4, 5), 2.5)


@pytest.mark.parametrize("view", [None, "{", '{"layers": 3}', '{"chosen": null}'])
def test_a_slide_without_a_view_or_with_a_damaged_one_is_shown_as_any_other(bench: Bench, view: str | None) -> None:
    bench.canvas.viewer.camera.zoom = 7.0
    bench.open(view)
    assert (bench.session.gene, bench.session.chosen.any()) == ("", False)
    assert bench.canvas.viewer.camera.zoom == 7.0


def test_an_image_without_spots_has_no_gene(bench: Bench) -> None:
    bench.open(SavedView("FASN", chosen=("a",), zoom=3.0), spots=None)
    assert (bench.session.gene, len(bench.session.chosen)) == ("", 0)
    assert bench.canvas.viewer.camera.zoom == 3.0


def test_layers_that_come_later_get_their_looks_once(bench: Bench) -> None:
    bench.open(SavedView(layers=({"key": "sets", "opacity": 0.2}, {"key": "cells", "opacity": 0.6})))
    assert bench.canvas.add("sets").opacity == 0.2
    assert bench.canvas.add("other").opacity == 1.0
    bench.canvas.viewer.layers.clear()
    assert bench.canvas.add("sets").opacity == 1.0  # as it is made anew, it is as it is made


def test_what_waits_for_layers_of_one_slide_is_not_given_to_the_next(bench: Bench) -> None:
    bench.open(SavedView(layers=({"key": "sets", "opacity": 0.2},)))
    bench.open(None, path=Path("other.zarr"))
    assert bench.canvas.add("sets").opacity == 1.0


@pytest.mark.parametrize(
    ("what", "mode"),
    [
        ("predicted", "predicted"),
        ("measured", "measured"),
        ("uncertainty", "spread"),
        ("predicted − measured", "difference"),
        ("of a later version", "predicted"),
    ],
)
def test_the_map_that_was_shown_is_shown_again(bench: Bench, qtbot: Any, what: str, mode: str) -> None:
    slide = bench.open(a_map(what=what))
    ended(bench, qtbot)
    assert bench.prepared == [(slide, bench.predictions[0], "spots")]
    assert bench.drawn == [("FASN", mode)]


def test_a_map_that_can_no_longer_be_compared_is_shown_as_predicted(bench: Bench, qtbot: Any) -> None:
    bench.lacks = "the slide measured none of these genes"
    bench.open(a_map(what="measured"))
    ended(bench, qtbot)
    assert bench.drawn == [("FASN", "predicted")]


@pytest.mark.parametrize("view", [a_map(gene="KRT5"), a_map("somebody else's"), a_map(prediction="gone"), SavedView()])
def test_a_map_that_is_gone_is_no_error(bench: Bench, qtbot: Any, view: SavedView) -> None:
    told: list[Any] = []
    bench.session.told.connect(lambda *said: told.append(said))
    bench.open(view)
    ended(bench, qtbot)
    assert (bench.drawn, told) == ([], [])


def test_predictions_that_cannot_be_read_are_left_to_the_panel_that_shows_them(bench: Bench, qtbot: Any) -> None:
    def broken() -> None:
        raise ValueError("damaged")

    told: list[Any] = []
    bench.session.told.connect(lambda *said: told.append(said))
    bench.meanwhile = broken
    bench.open(a_map())
    ended(bench, qtbot)
    assert (len(bench.prepared), bench.drawn, told) == (1, [], [])


def test_a_map_is_not_drawn_on_the_next_slide_nor_over_one_that_the_user_made(bench: Bench, qtbot: Any) -> None:
    bench.open(a_map())
    bench.session.open(bench.make_slide(path=Path("other.zarr"), sdata=SimpleNamespace(tables={})))  # not shown yet
    ended(bench, qtbot)
    assert bench.drawn == []
    bench.open(a_map(IMAGE_KEY))
    bench.canvas.add(IMAGE_KEY)
    ended(bench, qtbot)
    assert bench.drawn == []


def test_nothing_is_brought_back_after_its_end(bench: Bench) -> None:
    bench.open(SavedView(layers=({"key": "sets", "opacity": 0.2},)))
    bench.restorer.close()
    bench.restorer.close()
    assert bench.canvas.add("sets").opacity == 1.0
    bench.open(SavedView("FASN"))
    assert bench.session.gene == ""


def test_forms_of_maps() -> None:
    grid, spots = (SimpleNamespace(where=where) for where in ("grid", "spots"))
    assert form_of(SPOTS_KEY, grid) == form_of(SPOTS_KEY, spots) == "spots"  # type: ignore[arg-type]
    assert (form_of(IMAGE_KEY, grid), form_of(IMAGE_KEY, spots)) == ("squares", "smooth")  # type: ignore[arg-type]
