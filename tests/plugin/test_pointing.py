from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Points

from napari_c2lst.plugin.canvas import Canvas
from napari_c2lst.plugin.pointing import Pointing, matrix_of
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide

CHANGES: list[dict[str, Any]] = [
    {},
    {"scale": (2.0, 3.0), "rotate": 25.0, "translate": (7.0, -9.0)},
    {"affine": np.array([[0.0, -1.5, 4.0], [2.0, 0.3, 5.0], [0, 0, 1]])},
]


@pytest.fixture
def canvas(qtbot: Any, make_slide: Callable[..., Slide]) -> Canvas:
    session = Session()
    made = Canvas(ViewerModel(), session)
    session.open(make_slide())
    return made


@pytest.mark.parametrize("change", CHANGES)
def test_the_matrix_is_what_napari_does(change: dict[str, Any]) -> None:
    layer = Points(np.zeros((1, 2)), **change)
    for at in ((0.0, 0.0), (3.5, -2.0)):
        assert np.allclose(matrix_of(layer) @ [*at, 1], [*layer.data_to_world(at), 1])
    deep = Points(np.zeros((1, 3)), scale=(9.0, 2.0, 0.5))
    assert np.allclose(matrix_of(deep), np.diag([2.0, 0.5, 1.0]))


@pytest.mark.parametrize("change", CHANGES)
def test_there_and_back(canvas: Canvas, change: dict[str, Any]) -> None:
    spots = canvas.layer("spots")
    for name, value in change.items():
        setattr(spots, name, value)
    pointing = Pointing(canvas)
    places = np.array([[100.0, 100.0], [12.5, 300.0]])
    assert np.allclose(pointing.to_px(pointing.to_world(places)), places)
    assert np.allclose(pointing.to_world(places[0]), spots.data_to_world(places[0] - 0.5))
    other = Points(np.zeros((1, 2)), scale=(3.0, 0.1), translate=(1.0, 2.0))
    assert np.allclose(pointing.px_of(other, pointing.data_in(other, places)), places)


@pytest.mark.parametrize("change", CHANGES)
def test_a_new_layer_lies_on_the_spots(canvas: Canvas, change: dict[str, Any]) -> None:
    spots = canvas.layer("spots")
    for name, value in change.items():
        setattr(spots, name, value)
    layer = Points(np.zeros((1, 2)), **Pointing(canvas).transformation())
    assert np.allclose(matrix_of(layer), matrix_of(spots))
    assert layer.scale[0] == pytest.approx(np.sqrt(abs(np.linalg.det(matrix_of(spots)[:2, :2]))))


def test_without_a_layer_of_spots_the_picture_says_where(canvas: Canvas) -> None:
    before = Pointing(canvas).to_px((10.0, 20.0))
    canvas.remove("spots")
    assert np.allclose(Pointing(canvas).to_px((10.0, 20.0)), before)
    canvas.remove("image")
    assert np.allclose(Pointing(canvas).to_px((10.0, 20.0)), before)
    assert np.allclose(before, [20.5, 40.5])
