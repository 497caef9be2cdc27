from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from tests.plugin.selecting.mouse import Event, Mouse

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.brush import BRUSH, SUBTRACT_COLOUR, Brush
from napari_c2lst.plugin.canvas import Canvas
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide, Spots

GRID = np.array([[y, x] for y in range(50, 400, 50) for x in range(50, 600, 50)], dtype=float)  # 77 spots, 50 px apart


class Strokes:
    """What a brush told."""

    def __init__(self, brush: Brush) -> None:
        self.during: list[tuple[list[int], bool]] = []
        self.after: list[tuple[list[int], bool]] = []
        brush.stroked.connect(lambda mask, away: self.during.append((np.flatnonzero(mask).tolist(), away)))
        brush.released.connect(lambda mask, away: self.after.append((np.flatnonzero(mask).tolist(), away)))


@pytest.fixture
def brush(qtbot: Any, make_slide: Callable[..., Slide]) -> Iterator[Brush]:
    session = Session()
    canvas = Canvas(ViewerModel(), session)
    session.open(make_slide(spots=Spots(np.array([f"s{i}" for i in range(len(GRID))]), GRID, 20.0)))
    made = Brush(canvas, radius_um=20)  # 40 px
    yield made
    made.stop()
    canvas.close()


def test_a_press_takes_what_lies_within_the_radius(brush: Brush) -> None:
    brush.start()
    told = Strokes(brush)
    mouse = Mouse(brush._canvas.viewer)
    # at the spot of row 2, column 3 (y 150, x 200), in microns of half a pixel; napari's places are half a pixel off
    mouse.drag([(149.5 / 2, 199.5 / 2)])
    assert told.after == [([2 * 11 + 3], False)]
    brush.set_radius(26)  # 52 px: its neighbours too
    mouse.drag([(149.5 / 2, 199.5 / 2)])
    assert told.after[-1][0] == [14, 24, 25, 26, 36]


def test_a_quick_stroke_misses_nothing_between_two_places(brush: Brush) -> None:
    brush.start()
    told = Strokes(brush)
    Mouse(brush._canvas.viewer).drag([(24.75, 24.75), (24.75, 274.75)])  # along the whole first row, in one move
    assert told.after == [(list(range(11)), False)]
    assert told.during[0] == ([0], False)
    assert told.during[-1][0] == list(range(11))


@pytest.mark.parametrize("key", ["Shift", "Alt"])
def test_with_shift_or_alt_spots_are_taken_away(brush: Brush, key: str) -> None:
    brush.start()
    told = Strokes(brush)
    Mouse(brush._canvas.viewer).drag([(24.75, 24.75)], modifiers=(key,))
    assert told.after == [([0], True)]
    colour = brush._canvas.layer(BRUSH).border_color[0]
    assert np.allclose(colour[:3] * 255, [int(SUBTRACT_COLOUR[i : i + 2], 16) for i in (1, 3, 5)], atol=1)


def test_the_view_stays_while_brushing_and_moves_with_control(brush: Brush) -> None:
    brush.start()
    told = Strokes(brush)
    mouse = Mouse(brush._canvas.viewer)
    assert all(event.handled for event in mouse.drag([(25, 25), (25, 60)])[:-1])
    assert not any(event.handled for event in mouse.drag([(25, 25), (25, 60)], modifiers=("Control",)))
    assert not any(event.handled for event in mouse.drag([(25, 25), (25, 60)], button=2))
    assert len(told.after) == 1


def test_the_circle_follows_the_mouse_in_its_real_size(brush: Brush) -> None:
    brush.start()
    layer = brush._canvas.layer(BRUSH)
    Mouse(brush._canvas.viewer).move((40, 70))
    assert np.allclose(layer.data_to_world(layer.data[0]), (40, 70))
    assert layer.size[0] * layer.scale[-1] == pytest.approx(2 * 20)  # microns
    brush.set_radius(30)
    assert layer.size[0] * layer.scale[-1] == pytest.approx(60)


def test_radius_in_pixels_where_microns_are_not_known(brush: Brush, make_slide: Callable[..., Slide]) -> None:
    assert brush.radius_px == 40
    brush._canvas.session.open(make_slide(microns=None))
    assert brush.radius_px == 20


@pytest.mark.parametrize(
    "change",
    [
        {"scale": (3.0, 3.0)},
        {"translate": (500.0, -200.0)},
        {"rotate": 30.0},
        {"affine": np.array([[0.2, 0.9, 5.0], [-1.1, 0.3, 80.0], [0, 0, 1]])},
        {"scale": (0.5, 2.0), "rotate": 60.0, "shear": [0.4], "translate": (7.0, 8.0)},
    ],
)
def test_it_paints_where_the_spots_are_seen(brush: Brush, change: dict[str, Any]) -> None:
    spots = brush._canvas.layer("spots")
    for name, value in change.items():
        setattr(spots, name, value)
    brush.start()
    told = Strokes(brush)
    mouse = Mouse(brush._canvas.viewer)
    for place in (0, 40, 76):
        mouse.drag([spots.data_to_world(spots.data[place])])
    assert told.after == [([0], False), ([40], False), ([76], False)]


def test_another_layer_in_hand_puts_it_down(brush: Brush, qtbot: Any) -> None:
    brush.start()
    viewer = brush._canvas.viewer
    callbacks = len(viewer.mouse_drag_callbacks)
    with qtbot.waitSignal(brush.ended, timeout=5000):
        viewer.layers.selection.active = brush._canvas.layer("image")
    assert not brush.active
    assert brush._canvas.layer(BRUSH) is None
    assert len(viewer.mouse_drag_callbacks) == callbacks - 1


def test_a_layer_that_comes_does_not_put_it_down(brush: Brush, qtbot: Any) -> None:
    brush.start()
    brush._canvas.session.choose(np.arange(len(GRID)) < 3)  # the layer of chosen spots comes
    qtbot.wait(10)
    assert brush.active
    assert brush._canvas.viewer.layers.selection.active is brush._canvas.layer(BRUSH)


def test_nothing_stays_in_the_viewer(brush: Brush) -> None:
    viewer = brush._canvas.viewer
    before = (len(viewer.mouse_drag_callbacks), len(viewer.mouse_move_callbacks), len(viewer.layers))
    for _ in range(3):
        brush.start()
        brush.start()
        brush.stop()
        brush.stop()
    assert (len(viewer.mouse_drag_callbacks), len(viewer.mouse_move_callbacks), len(viewer.layers)) == before


def test_a_slide_without_spots(brush: Brush, make_slide: Callable[..., Slide]) -> None:
    brush._canvas.session.open(make_slide(spots=None))
    with pytest.raises(InputError, match="has no spots"):
        brush.start()
    assert not brush.active


@pytest.mark.parametrize("spots", [3, 500])
def test_a_stroke_ends_with_the_slide_it_began_on(brush: Brush, make_slide: Callable[..., Slide], spots: int) -> None:
    """A slide that was being opened comes while the button is held; its spots are others."""
    brush.start()
    told = Strokes(brush)
    session = brush._canvas.session
    session.slide_changed.connect(brush.stop)  # as the panel does
    places = np.random.default_rng(0).uniform(0, 400, (spots, 2))
    event = Event("mouse_press", (25, 25), (0, 0))
    stroke = brush._on_drag(brush._canvas.viewer, event)
    next(stroke)
    before = len(told.during)
    session.open(make_slide(spots=Spots(np.array([f"t{i}" for i in range(spots)]), places, 20.0)))
    event.type = "mouse_move"
    assert list(stroke) == []
    assert (len(told.during), told.after) == (before, [])
    brush.start()  # and it can be taken in hand again
    Mouse(brush._canvas.viewer).drag([(24.75, 24.75)])
    assert len(told.after) == 1


def test_a_radius_that_is_set_without_a_slide_is_kept(brush: Brush) -> None:
    brush.start()
    brush.stop()
    brush._canvas.session.close()
    brush.set_radius(75)
    assert brush.radius_um == 75
    with pytest.raises(InputError, match="no slide is open"):
        brush.start()
    assert not brush.active
