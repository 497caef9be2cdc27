"""Lasso, rectangle and brush with a real viewer, wherever the layers were moved, turned or scaled to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import shapely
from napari.components import ViewerModel
from napari.utils.interactions import mouse_press_callbacks, mouse_release_callbacks
from qtpy.QtCore import QObject
from tests.plugin.selecting.mouse import Box, Event, Mouse

from napari_c2lst.plugin.canvas import Canvas
from napari_c2lst.plugin.drawing import DRAWN
from napari_c2lst.plugin.selecting.areas import MOST_OUTLINES
from napari_c2lst.plugin.selecting.choice import Choice, How, Step
from napari_c2lst.plugin.selecting.hand import Hand
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide, Spots

GRID = np.array([[y, x] for y in range(50, 400, 50) for x in range(50, 600, 50)], dtype=float)  # 7 rows of 11 spots

TRANSFORMATIONS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "scaled": {"scale": (4.0, 4.0)},
    "unequal": {"scale": (0.3, 2.0)},
    "shifted": {"translate": (-300.0, 1000.0)},
    "turned": {"rotate": 40.0},
    "mirrored": {"affine": np.diag([-1.0, 1.0, 1.0])},
    "axes swapped": {"affine": np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])},
    "affine": {"affine": np.array([[0.8, 0.5, 20.0], [-0.4, 1.2, -30.0], [0, 0, 1]])},
    "all at once": {"scale": (2.0, 0.7), "rotate": -20.0, "shear": [0.3], "translate": (11.0, 22.0)},
}


class Bench:
    """A hand over a slide of 77 spots."""

    def __init__(self, viewer: Any, slide: Slide) -> None:
        self.session = Session()
        self.canvas = Canvas(viewer, self.session)
        self.session.open(slide)
        self.choice = Choice(len(GRID))
        self.how = How.ADD
        self.owner = QObject()
        self.hand = Hand(self.canvas, self.choice, lambda: self.how, self.owner)
        self.choice.changed.connect(self.hand.show_shapes)
        self.refused: list[str] = []
        self.hand.refused.connect(lambda message, hint: self.refused.append(message))
        self.mouse = Mouse(viewer)

    @property
    def spots(self) -> list[int]:
        return np.flatnonzero(self.choice.mask).tolist()

    def seen_at(self, yx_px: Any) -> list[tuple[float, float]]:
        """Where places of the slide are seen: where the spots' layer shows them."""
        layer = self.canvas.layer("spots")
        return [tuple(layer.data_to_world(np.asarray(at, dtype=float) - 0.5)) for at in yx_px]

    def layer(self) -> Any:
        return self.canvas.layer(DRAWN)


def slide_of(make_slide: Callable[..., Slide]) -> Slide:
    return make_slide(spots=Spots(np.array([f"s{i}" for i in range(len(GRID))]), GRID, 20.0))


@pytest.fixture
def bench(qtbot: Any, make_slide: Callable[..., Slide]) -> Iterator[Bench]:
    made = Bench(ViewerModel(), slide_of(make_slide))
    yield made
    made.hand.close()
    made.canvas.close()


@pytest.fixture
def window(make_napari_viewer: Callable[..., Any], make_slide: Callable[..., Slide]) -> Iterator[Bench]:
    """The same with a window."""
    made = Bench(make_napari_viewer(), slide_of(make_slide))
    yield made
    made.hand.close()
    made.canvas.close()


def square(y: float, x: float, side: float, corners: int = 5) -> list[tuple[float, float]]:
    """Places along the border of a square."""
    t = np.linspace(0, side, corners)[:-1]
    return [*((y, x + d) for d in t), *((y + d, x + side) for d in t), *((y + side, x + side - d) for d in t),
            *((y + side - d, x) for d in t)]  # fmt: skip


def test_lasso_in_every_transformation(window: Bench, make_slide: Callable[..., Slide], qtbot: Any) -> None:
    for name, options in TRANSFORMATIONS.items():
        window.session.open(slide_of(make_slide))  # its layers are as they come
        window.choice.begin(len(GRID))
        for option, value in options.items():
            setattr(window.canvas.layer("spots"), option, value)
        window.hand.take("lasso")
        window.mouse.drag(window.seen_at(square(75, 75, 100)))  # around the spots of rows and columns 1 and 2
        qtbot.waitUntil(lambda: bool(window.choice.steps), timeout=5000)
        assert window.spots == [12, 13, 23, 24], name
        # the shape that stays on the screen lies where it was drawn
        shown = window.layer()
        corners = np.array([shown.data_to_world(corner) for corner in shown.data[0]])
        drawn = np.array(window.seen_at(square(75, 75, 100)))
        assert np.allclose(corners.min(axis=0), drawn.min(axis=0), atol=1), name
        assert np.allclose(corners.max(axis=0), drawn.max(axis=0), atol=1), name
        window.hand.take("")
    assert window.refused == []


@pytest.mark.parametrize("name", ["scaled", "shifted", "affine"])
def test_a_drawing_layer_that_was_moved_itself(bench: Bench, qtbot: Any, name: str) -> None:
    bench.hand.take("lasso")
    for option, value in TRANSFORMATIONS[name].items():
        setattr(bench.layer(), option, value)
    bench.mouse.drag(bench.seen_at(square(75, 75, 100)))
    qtbot.waitUntil(lambda: bench.spots == [12, 13, 23, 24], timeout=5000)


def test_every_shape_counts_not_only_the_first(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("lasso")
    for number in range(3):
        bench.mouse.drag(bench.seen_at(square(25, 25 + 150 * number, 50)))
        qtbot.waitUntil(lambda n=number: len(bench.choice.steps) == n + 1, timeout=5000)
    assert bench.spots == [0, 3, 6]
    assert len(bench.layer().data) == 3
    assert bench.hand.drawing.tool == "lasso"  # still in hand
    assert not bench.layer().selected_data  # without handles


def test_a_rectangle(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("rectangle")
    bench.mouse.drag(bench.seen_at([(25, 25), (60, 60), (125, 175)]))
    qtbot.waitUntil(lambda: bench.spots == [0, 1, 2, 11, 12, 13], timeout=5000)
    assert bench.choice.steps[0].way == "rectangle"


def test_a_polygon_by_its_corners(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("polygon")
    corners = bench.seen_at([(25, 25), (25, 125), (75, 125), (75, 25)])
    for corner in corners:
        bench.mouse.move(corner)
        bench.mouse.drag([corner])
    bench.mouse.double_click(corners[-1])
    qtbot.waitUntil(lambda: bench.spots == [0, 1], timeout=5000)


def test_shapes_add_subtract_intersect_and_leave_out_in_their_colours(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("rectangle")
    wanted = [
        (How.ADD, (25, 25, 150), [0, 1, 2, 11, 12, 13, 22, 23, 24]),
        (How.SUBTRACT, (25, 25, 50), [1, 2, 11, 12, 13, 22, 23, 24]),
        (How.INTERSECT, (75, 25, 200), [11, 12, 13, 22, 23, 24]),
        (How.LEAVE_OUT, (75, 25, 60), [12, 13, 22, 23, 24]),
    ]
    for number, (how, (y, x, side), spots) in enumerate(wanted):
        bench.how = how
        bench.mouse.drag(bench.seen_at([(y, x), (y + side / 2, x + side / 2), (y + side, x + side)]))
        qtbot.waitUntil(lambda n=number: len(bench.choice.steps) == n + 1, timeout=5000)
        assert bench.spots == spots
    assert np.flatnonzero(bench.choice.left_out).tolist() == [11]
    assert len({tuple(colour) for colour in bench.layer().edge_color}) == 4
    for spots in ([11, 12, 13, 22, 23, 24], [1, 2, 11, 12, 13, 22, 23, 24]):
        bench.choice.undo()
        assert bench.spots == spots
    assert len(bench.layer().data) == 2  # shapes come and go with their steps
    bench.choice.redo()
    assert len(bench.layer().data) == 3


def test_a_shape_that_is_moved_by_hand(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("rectangle")
    bench.mouse.drag(bench.seen_at([(25, 25), (50, 50), (75, 75)]))
    qtbot.waitUntil(lambda: bench.spots == [0], timeout=5000)
    layer = bench.layer()
    bench.hand.take("")
    layer.mode = "select"
    layer.selected_data = {0}
    here, there = bench.seen_at([(40, 40), (40, 90)])
    bench.mouse.drag([here, tuple(np.mean([here, there], axis=0)), there])
    qtbot.waitUntil(lambda: bench.spots == [1], timeout=5000)
    bench.choice.undo()
    assert bench.spots == [0]


def test_a_shape_that_is_deleted_by_hand(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("rectangle")
    for x in (25, 125):
        bench.mouse.drag(bench.seen_at([(25, x), (50, x + 20), (75, x + 50)]))
    qtbot.waitUntil(lambda: bench.spots == [0, 2], timeout=5000)
    bench.layer().selected_data = {0}
    bench.layer().remove_selected()
    qtbot.waitUntil(lambda: bench.spots == [2], timeout=5000)
    assert len(bench.layer().data) == 1
    bench.choice.undo()
    assert bench.spots == [0, 2]
    assert len(bench.layer().data) == 2


def test_a_shape_that_crosses_itself_is_refused_and_goes(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("lasso")
    eight = [(100, 100), (300, 300), (300, 200), (300, 100), (200, 200), (100, 300), (100, 200)]
    bench.mouse.drag(bench.seen_at(eight))
    qtbot.waitUntil(lambda: bool(bench.refused), timeout=5000)
    assert "crosses itself" in bench.refused[0]
    assert bench.spots == []
    assert len(bench.layer().data) == 0
    bench.mouse.drag(bench.seen_at(square(25, 25, 50)))  # and the tool goes on
    qtbot.waitUntil(lambda: bench.spots == [0], timeout=5000)


def test_the_brush_adds_and_takes_away(bench: Bench, qtbot: Any) -> None:
    bench.hand.brush.set_radius(15)  # 30 px
    bench.hand.take("brush")
    bench.mouse.drag(bench.seen_at([(50, 50), (50, 250)]))
    assert bench.spots == [0, 1, 2, 3, 4]
    bench.mouse.drag(bench.seen_at([(50, 100)]), modifiers=("Shift",))
    assert bench.spots == [0, 2, 3, 4]
    bench.how = How.INTERSECT
    bench.mouse.drag(bench.seen_at([(50, 150), (50, 200)]))
    assert bench.spots == [2, 3]
    assert [step.way for step in bench.choice.steps] == ["brush"] * 3


def test_spots_are_ringed_while_the_brush_moves(bench: Bench, qtbot: Any) -> None:
    bench.hand.brush.set_radius(15)
    bench.hand.take("brush")
    seen = bench.seen_at([(50, 50), (50, 100)])
    viewer = bench.canvas.viewer
    box = Box(Event("mouse_press", seen[0], (0, 0)))
    mouse_press_callbacks(viewer, box)
    qtbot.waitUntil(lambda: bench.canvas.layer("chosen") is not None, timeout=5000)
    assert bench.spots == []  # the button is still down
    mouse_release_callbacks(viewer, Box(Event("mouse_release", seen[0], (0, 0))))
    assert bench.spots == [0]


def test_only_one_tool_is_in_hand(bench: Bench, qtbot: Any) -> None:
    put_down = []
    bench.hand.put_down.connect(lambda: put_down.append(True))
    bench.hand.take("lasso")
    bench.hand.take("brush")
    qtbot.wait(10)
    assert (bench.hand.drawing.tool, bench.hand.brush.active) == ("", True)
    bench.hand.take("rectangle")
    qtbot.wait(10)
    assert (bench.hand.drawing.tool, bench.hand.brush.active) == ("rectangle", False)
    assert put_down == []
    bench.layer().mode = "pan_zoom"  # by napari's own button
    assert put_down == [True]
    bench.hand.take("lasso")
    bench.canvas.viewer.layers.selection.active = bench.canvas.layer("image")
    qtbot.waitUntil(lambda: put_down == [True, True], timeout=5000)


def test_a_drawing_layer_that_was_deleted_is_made_again(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("lasso")
    bench.canvas.viewer.layers.remove(bench.layer())
    qtbot.wait(10)
    bench.hand.take("lasso")
    bench.mouse.drag(bench.seen_at(square(25, 25, 50)))
    qtbot.waitUntil(lambda: bench.spots == [0], timeout=5000)


def test_the_picture_is_marked_where_it_was_drawn_without_a_layer_of_spots(bench: Bench, qtbot: Any) -> None:
    where = bench.seen_at(square(75, 75, 100))
    bench.canvas.viewer.layers.remove(bench.canvas.layer("spots"))
    bench.hand.take("lasso")
    bench.mouse.drag(where)
    qtbot.waitUntil(lambda: bench.spots == [12, 13, 23, 24], timeout=5000)


def test_several_shapes_deleted_at_once_come_back_in_one_step(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("rectangle")
    for x in (25, 125, 225):
        bench.mouse.drag(bench.seen_at([(25, x), (50, x + 20), (75, x + 50)]))
    qtbot.waitUntil(lambda: bench.spots == [0, 2, 4], timeout=5000)
    bench.layer().selected_data = {0, 1, 2}
    bench.layer().remove_selected()
    qtbot.waitUntil(lambda: bench.spots == [], timeout=5000)
    bench.choice.undo()
    assert bench.spots == [0, 2, 4]
    assert len(bench.layer().data) == 3


def test_a_copy_of_a_shape_can_be_moved_to_other_spots(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("rectangle")
    bench.mouse.drag(bench.seen_at([(25, 25), (50, 50), (75, 75)]))
    qtbot.waitUntil(lambda: bench.spots == [0], timeout=5000)
    layer = bench.layer()
    bench.hand.take("")
    layer.selected_data = {0}
    layer._copy_data()
    layer._paste_data()  # napari tells nobody: it is found out with the next thing that happens
    bench.hand.drawing._look()
    assert len(bench.choice.steps) == 2
    data = [np.array(each) for each in layer.data]
    layer.data = [(data[0], "polygon"), (data[1] + np.array([0, 100]), "polygon")]
    bench.hand.drawing._look()
    assert bench.spots == [0, 2]


def test_what_is_drawn_as_the_slide_goes_is_refused_in_a_sentence(bench: Bench) -> None:
    bench.hand.take("lasso")
    corners = np.array([[0.0, 0.0], [0.0, 100.0], [100.0, 100.0]])
    bench.session.close()
    bench.hand._on_drawn(corners, "polygon")
    assert bench.refused == ["no slide is open"]
    assert bench.choice.steps == ()


def test_a_lasso_around_nothing_chooses_nothing_and_can_be_undone(bench: Bench, qtbot: Any) -> None:
    bench.hand.take("lasso")
    bench.mouse.drag(bench.seen_at(square(60, 60, 20)))  # between the spots
    qtbot.waitUntil(lambda: len(bench.choice.steps) == 1, timeout=5000)
    assert bench.spots == []
    assert len(bench.layer().data) == 1
    bench.choice.undo()
    assert len(bench.layer().data) == 0


def test_thousands_of_outlines_are_not_drawn_and_the_others_are_still_told_apart(bench: Bench) -> None:
    nuclei = shapely.union_all([shapely.box(x, 0, x + 1, 1) for x in range(0, 2 * MOST_OUTLINES + 2, 2)])
    bench.choice.apply(Step(How.ADD, np.arange(len(GRID)) < 3, "polygon", area=nuclei))
    assert bench.layer() is None or len(bench.layer().data) == 0
    bench.hand.drawing.drawn.emit(np.array([(325.0, 525.0), (325, 575), (375, 575), (375, 525)]), "polygon")
    assert bench.spots == [0, 1, 2, len(GRID) - 1]
    assert len(bench.layer().data) == 1
    bench.hand.drawing.deleted.emit([0])  # the one that is seen
    assert bench.spots == [0, 1, 2]
    assert bench.choice.steps[0].area is nuclei


def test_a_shape_of_thousands_of_corners_is_drawn_with_fewer_and_can_be_moved(bench: Bench) -> None:
    circle = shapely.Point(100, 100).buffer(40, quad_segs=5000)  # around the spot in the second row and column
    bench.choice.apply(Step(How.ADD, np.arange(len(GRID)) == 12, "polygon", {"polygon": "q.geojson"}, area=circle))
    (outline,) = bench.layer().data
    assert len(outline) <= 600
    assert bench.choice.said() == {"polygon": "q.geojson"}
    corners = np.array(bench.hand.drawing.pointing.px_of(bench.layer(), outline))
    bench.hand.drawing.moved.emit(0, corners + np.array([0, 50]), "polygon")
    assert bench.spots == [13]
    assert bench.choice.said() == {"by_hand": ["add polygon"]}
    bench.choice.undo()
    assert bench.choice.steps[0].area is circle
