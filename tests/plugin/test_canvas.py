from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_c2lst.plugin.canvas import Canvas
from napari_c2lst.plugin.layers.slide_layers import slide_layers
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet

MakeSlide = Callable[..., Slide]


@pytest.fixture(autouse=True)
def _no_stored_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_c2lst.slides.spots.spotsets.list_spot_sets", lambda _slide: [])


@pytest.fixture
def canvas(qapp: Any) -> Iterator[Canvas]:
    made = Canvas(ViewerModel(), Session())
    yield made
    made.close()


def press_and_release(canvas: Canvas, position: tuple[float, float], moved: float = 0.0) -> None:
    class Event:
        type = "mouse_press"
        pos = np.array([100.0, 100.0])

    event = Event()
    event.position = position
    walk = canvas._on_press(canvas.viewer, event)
    next(walk)
    event.type, event.pos = "mouse_move", event.pos + moved
    next(walk)
    event.type = "mouse_release"
    next(walk, None)


def test_an_open_slide_is_shown_in_microns(canvas: Canvas, make_slide: MakeSlide) -> None:
    heard: list[int] = []
    canvas.shown.connect(lambda: heard.append(1))
    canvas.session.open(make_slide())
    assert canvas.keys() == ["image", "spots"]
    assert [str(unit) for unit in canvas.viewer.layers.units] == ["micrometer", "micrometer"]
    assert canvas.viewer.canvas.overlays.scale_bar.visible
    assert canvas.viewer.layers.selection.active is canvas.layer("spots")
    assert heard == [1]
    canvas.session.slide_changed.emit()
    assert len(canvas.viewer.layers) == 2


def test_without_microns_there_is_no_scale_bar_to_mislead(canvas: Canvas, make_slide: MakeSlide) -> None:
    canvas.session.open(make_slide(microns=None))
    assert not canvas.viewer.canvas.overlays.scale_bar.visible


def test_the_next_slide_takes_the_place_of_the_one_before(canvas: Canvas, make_slide: MakeSlide) -> None:
    theirs = canvas.viewer.add_points(np.zeros((1, 2)), name="mine")
    canvas.session.open(make_slide())
    canvas.session.open(make_slide(name="P13", spots=None))
    assert [layer.name for layer in canvas.viewer.layers if layer is not theirs] == ["P13"]
    assert theirs in canvas.viewer.layers
    canvas.session.close()
    assert list(canvas.viewer.layers) == [theirs]


def test_a_dropped_slide_becomes_the_open_one(canvas: Canvas, make_slide: MakeSlide, qtbot: Any) -> None:
    slide = make_slide()
    for data, options, kind in slide_layers(slide, {"mpp": 0.5}):
        getattr(canvas.viewer, f"add_{kind}")(data, **options)
    qtbot.waitUntil(lambda: canvas.session.slide is slide)
    assert canvas.session.opening == {"mpp": 0.5}
    assert canvas.keys() == ["image", "spots"]  # those that were dropped, not others beside them


def test_layers_that_were_there_before_any_panel_are_taken_up(make_slide: MakeSlide, qapp: Any) -> None:
    viewer, session, slide = ViewerModel(), Session(), make_slide()
    for data, options, kind in slide_layers(slide):
        getattr(viewer, f"add_{kind}")(data, **options)
    canvas = Canvas(viewer, session)
    assert session.slide is slide
    assert canvas.keys() == ["image", "spots"]
    canvas.close()


def test_a_second_dropped_slide_takes_over(canvas: Canvas, make_slide: MakeSlide, qtbot: Any) -> None:
    canvas.session.open(make_slide())
    other = make_slide(name="P13")
    for data, options, kind in slide_layers(other):
        getattr(canvas.viewer, f"add_{kind}")(data, **options)
    qtbot.waitUntil(lambda: canvas.session.slide is other)
    assert [layer.name for layer in canvas.viewer.layers] == ["P13", "P13 spots"]


def test_layers_of_panels_get_scale_units_and_slide(canvas: Canvas, make_slide: MakeSlide) -> None:
    canvas.session.open(make_slide())
    layer = canvas.add_or_update((np.zeros((3, 2)), {"metadata": {"c2lst": {"gene": "A"}}}, "points"), "map_spots")
    assert np.allclose(layer.scale, 0.5)
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    about = layer.metadata["c2lst"]
    assert (about["key"], about["gene"], about["slide"]) == ("map_spots", "A", "P12")
    assert about["opened"] is canvas.opened
    assert canvas.layer("map_spots") is layer
    canvas.remove("map_spots")
    assert canvas.layer("map_spots") is None


def test_chosen_spots_are_ringed(canvas: Canvas, make_slide: MakeSlide) -> None:
    canvas.session.open(make_slide())
    canvas.session.choose(np.array([True, False, True]))
    ring = canvas.layer("chosen")
    assert ring.data.tolist() == [[99.5, 99.5], [299.5, 499.5]]
    canvas.session.choose(np.array([False, True, False]))
    assert canvas.layer("chosen") is ring
    assert ring.data.tolist() == [[199.5, 299.5]]
    canvas.session.choose(np.zeros(3, bool))
    assert canvas.layer("chosen") is None


def test_sets_are_shown_and_taken_away(canvas: Canvas, make_slide: MakeSlide) -> None:
    canvas.session.open(make_slide())
    train = SpotSet.of("train", canvas.session.slide.spots.ids, np.array([True, False, False]), {})
    canvas.show_sets({"train": train})
    assert list(canvas.layer("sets").features["set"]) == ["train", "held out", "held out"]
    two = SpotSet.of("train", canvas.session.slide.spots.ids, np.array([False, True, True]), {})
    canvas.show_sets({"train": two})
    marks = canvas.layer("sets")
    assert dict(zip(marks.features["set"], map(str, marks.symbol), strict=True)) == {"train": "disc", "held out": "x"}
    assert [str(each) for each in marks.symbol].count("x") == 1
    canvas.show_sets({})
    assert canvas.layer("sets") is None


def test_going_to_a_place(canvas: Canvas, make_slide: MakeSlide) -> None:
    canvas.session.open(make_slide())
    canvas.go_to((100.0, 300.0))
    assert np.allclose(canvas.centre_px(), [100, 300])
    before = canvas.viewer.scene.camera.zoom
    canvas.go_to((50, 60), across_um=20)
    assert canvas.viewer.scene.camera.zoom > before
    near = canvas.viewer.scene.camera.zoom
    canvas.go_to((50, 60), across_um=2000)
    assert canvas.viewer.scene.camera.zoom == near


def test_a_click_names_its_place_and_its_spot(canvas: Canvas, make_slide: MakeSlide) -> None:
    canvas.session.open(make_slide())
    places: list[Any] = []
    spots: list[int] = []
    end = canvas.on_click(places.append)
    canvas.session.spot_clicked.connect(spots.append)
    press_and_release(canvas, (100.0, 150.0))  # microns: 200, 300 px
    assert np.allclose(places[0], [200.5, 300.5])
    press_and_release(canvas, (190.0, 10.0))
    assert spots == [1, -1]
    press_and_release(canvas, (100.0, 150.0), moved=30)  # a drag pans
    press_and_release(canvas, (-5.0, 10.0))  # beside the slide
    assert len(places) == 2
    end()
    press_and_release(canvas, (100.0, 150.0))
    assert len(places) == 2


def test_drawing_is_not_clicking(canvas: Canvas, make_slide: MakeSlide) -> None:
    canvas.session.open(make_slide())
    spots: list[int] = []
    canvas.session.spot_clicked.connect(spots.append)
    lasso = canvas.viewer.add_shapes()
    lasso.mode = "add_polygon_lasso"
    press_and_release(canvas, (100.0, 150.0))
    assert spots == []
    lasso.mode = "pan_zoom"
    press_and_release(canvas, (100.0, 150.0))
    assert spots == [1]


def test_a_spot_is_hit_inside_its_edge_only(canvas: Canvas, make_slide: MakeSlide) -> None:
    canvas.session.open(make_slide(diameter_um=20.0))  # 20 px to the edge
    assert canvas.spot_at(np.array([200.0, 319.0])) == 1
    assert canvas.spot_at(np.array([200.0, 321.0])) == -1
    canvas.session.open(make_slide(spots=None))
    assert canvas.spot_at(np.array([200.0, 300.0])) == -1


def test_closing_lets_go_of_viewer_and_session(make_slide: MakeSlide, qapp: Any) -> None:
    viewer, session = ViewerModel(), Session()
    callbacks = len(viewer.mouse_drag_callbacks)
    canvas = Canvas(viewer, session)
    canvas.close()
    canvas.close()
    session.open(make_slide())
    assert len(viewer.layers) == 0
    assert len(viewer.mouse_drag_callbacks) == callbacks


def test_no_gui_is_needed_and_no_torch_comes_along(shared: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom napari.components import ViewerModel\n"
        "from napari_c2lst.plugin.canvas import Canvas\nfrom napari_c2lst.plugin.session import Session\n"
        "from napari_c2lst.slides.opening import open_slide\n"
        "session = Session(); canvas = Canvas(ViewerModel(), session)\n"
        f"session.open(open_slide({str(shared / 'her2st' / 'B4')!r}))\n"
        "print(session.gene, canvas.layer('spots').face_color_mode, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["SCGB2A2", "colormap", "False"]
