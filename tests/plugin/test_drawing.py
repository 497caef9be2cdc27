"""The layer that shapes are drawn on: whatever the user does with napari's own tools is found out and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.canvas import Canvas
from napari_c2lst.plugin.drawing import DRAWN, Drawing, Outline, layer_in_hand
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide

SQUARE = np.array([[10.0, 10.0], [10.0, 50.0], [50.0, 50.0], [50.0, 10.0]])
BLUE, RED = "#56b4e9", "#d55e00"


class Bench:
    """A drawing in a viewer without a window, and what it told."""

    def __init__(self, slide: Slide) -> None:
        self.session = Session()
        self.canvas = Canvas(ViewerModel(), self.session)
        self.session.open(slide)
        self.drawing = Drawing(self.canvas)
        self.drawn: list[tuple[Any, str]] = []
        self.moved: list[int] = []
        self.deleted: list[list[int]] = []
        self.ended = 0
        self.drawing.drawn.connect(lambda corners, kind: self.drawn.append((corners, kind)))
        self.drawing.moved.connect(lambda place, corners, kind: self.moved.append(place))
        self.drawing.deleted.connect(self.deleted.append)
        self.drawing.ended.connect(self._on_end)

    def _on_end(self) -> None:
        self.ended += 1

    @property
    def layer(self) -> Any:
        return self.canvas.layer(DRAWN)

    def look(self) -> None:
        """What the event loop does once napari has finished."""
        self.drawing._look()


@pytest.fixture
def bench(qtbot: Any, make_slide: Callable[..., Slide]) -> Iterator[Bench]:
    made = Bench(make_slide())
    yield made
    made.drawing.close()
    made.canvas.close()


def shown(bench: Bench, *shifts: float, colour: str = BLUE) -> None:
    bench.drawing.show([Outline(SQUARE + shift, colour) for shift in shifts])


def test_shapes_come_and_go_as_they_are_told(bench: Bench) -> None:
    bench.drawing.show([])
    assert bench.layer is None  # nothing to show needs no layer
    shown(bench, 0, 100)
    assert len(bench.layer.data) == 2
    bench.drawing.show([Outline(SQUARE, RED)])
    assert len(bench.layer.data) == 1
    assert np.allclose(bench.layer.edge_color[0][:3], [213 / 255, 94 / 255, 0], atol=0.01)
    bench.look()
    assert (bench.drawn, bench.moved, bench.deleted) == ([], [], [])  # our own doing is no news


def test_a_shape_is_told_in_pixels_of_the_slide(bench: Bench) -> None:
    shown(bench, 0)
    bench.layer.add_rectangles(bench.drawing.pointing.data_in(bench.layer, SQUARE + 100))
    bench.look()
    ((corners, kind),) = bench.drawn
    assert kind == "rectangle"
    assert np.allclose(corners, SQUARE + 100)
    bench.look()
    assert len(bench.drawn) == 1  # once


def test_an_exact_copy_that_is_pasted_is_a_shape_of_its_own(bench: Bench) -> None:
    """napari pastes a copy right over the shape it is of."""
    shown(bench, 0)
    bench.layer.selected_data = {0}
    bench.layer._copy_data()
    bench.layer._paste_data()
    assert len(bench.layer.data) == 2
    bench.look()
    assert [kind for _, kind in bench.drawn] == ["polygon"]
    assert np.allclose(bench.drawn[0][0], SQUARE)


def test_one_of_two_shapes_that_are_alike_is_deleted(bench: Bench) -> None:
    shown(bench, 0, 0, 100)
    bench.layer.selected_data = {1}
    bench.layer.remove_selected()
    bench.look()
    assert len(bench.deleted) == 1
    assert len(bench.deleted[0]) == 1
    assert bench.deleted[0][0] in (0, 1)


def test_all_shapes_deleted_at_once_are_told_at_once(bench: Bench) -> None:
    shown(bench, 0, 100, 200)
    bench.layer.selected_data = {0, 1, 2}
    bench.layer.remove_selected()
    bench.look()
    assert bench.deleted == [[0, 1, 2]]


def test_what_is_moved_is_told_by_its_place(bench: Bench) -> None:
    shown(bench, 0, 100)
    data = [np.array(each) for each in bench.layer.data]
    bench.layer.data = [(data[0], "polygon"), (data[1] + 5, "polygon")]
    bench.look()
    assert bench.moved == [1]


@pytest.mark.parametrize("tool", ["lasso", "polygon", "rectangle"])
def test_a_tool_is_taken_and_put_down(bench: Bench, tool: str) -> None:
    bench.drawing.start(tool)
    assert bench.canvas.viewer.layers.selection.active is bench.layer
    assert layer_in_hand(bench.canvas) is bench.layer
    assert str(bench.layer.mode).startswith("add_")
    bench.drawing.stop()
    assert (bench.drawing.tool, str(bench.layer.mode)) == ("", "pan_zoom")
    assert bench.ended == 0  # who puts it down need not be told
    bench.drawing.stop()  # harmless twice


def test_a_layer_that_was_hidden_is_seen_when_it_is_drawn_on(bench: Bench) -> None:
    shown(bench, 0)
    bench.layer.visible = False
    bench.drawing.start("lasso")
    assert bench.layer.visible


def test_another_tool_of_napari_ends_it_once(bench: Bench) -> None:
    bench.drawing.start("lasso")
    bench.layer.mode = "select"
    bench.layer.mode = "direct"
    assert bench.ended == 1
    assert bench.drawing.tool == ""


def test_a_layer_that_was_deleted_with_the_tool_in_hand(bench: Bench) -> None:
    bench.drawing.start("lasso")
    bench.canvas.viewer.layers.remove(bench.layer)
    bench.drawing._end_if_left()
    bench.look()
    bench.drawing.stop()
    assert bench.layer is None
    bench.drawing.start("rectangle")
    assert bench.drawing.tool == "rectangle"
    assert bench.layer is not None


def test_a_slide_that_is_closed_takes_the_shapes_along(bench: Bench, make_slide: Callable[..., Slide]) -> None:
    shown(bench, 0)
    bench.drawing.start("lasso")
    bench.session.close()
    bench.look()
    bench.drawing.stop()
    bench.drawing.show([])
    assert bench.layer is None
    bench.session.open(make_slide())
    shown(bench, 100)
    assert len(bench.layer.data) == 1


def test_nothing_listens_after_the_end(bench: Bench, make_slide: Callable[..., Slide]) -> None:
    events = bench.canvas.viewer.layers.selection.events.active
    before = len(events.callbacks)
    other = Drawing(bench.canvas)
    other.show([Outline(SQUARE, BLUE)])
    other.close()
    assert len(events.callbacks) == before
