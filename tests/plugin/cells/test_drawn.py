"""The layer of cells as the user leaves it: hidden, deleted, looked at from afar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.plugin.cells.test_raster import many

from napari_c2lst.plugin.cells.drawn import DrawnCells
from napari_c2lst.plugin.cells.raster import CellRaster

PALETTE = [(255, 0, 0), (0, 0, 255)]


class Layer:
    """What is asked of napari's layer."""

    def __init__(self, level: int) -> None:
        self.visible, self.colormap, self.data_level, self.drawn = True, None, level, 0

    def refresh(self, *, extent: bool) -> None:
        assert not extent  # it is where it was: to find out anew would take long
        self.drawn += 1


class Canvas:
    """One layer, or none."""

    def __init__(self) -> None:
        self.there: dict[str, Any] = {}
        self.added: list[Any] = []

    def layer(self, key: str) -> Any:
        return self.there.get(key)

    def add_or_update(self, data: Any, key: str) -> None:
        self.added.append(data)
        self.there[key] = Layer(0)

    def remove(self, key: str) -> None:
        self.there.pop(key, None)


@pytest.fixture(scope="module")
def raster() -> CellRaster:
    return many(300, 8000)


@pytest.fixture
def canvas() -> Canvas:
    return Canvas()


@pytest.fixture
def drawn(canvas: Canvas) -> DrawnCells:
    return DrawnCells(canvas)  # type: ignore[arg-type]


def test_it_is_made_once_and_again_if_it_was_deleted(
    drawn: DrawnCells, canvas: Canvas, raster: CellRaster, make_slide: Any
) -> None:
    slide = make_slide()
    assert not drawn.seen
    for _ in range(2):
        drawn.draw(slide, raster, PALETTE, "outline")
    assert len(canvas.added) == 1
    levels, options, kind = canvas.added[0]
    assert (len(levels), options["name"], kind) == (len(raster.levels), "P12 cells", "labels")
    assert drawn.seen
    canvas.there.clear()  # by napari's own button
    drawn.draw(slide, raster, PALETTE, "outline")
    assert len(canvas.added) == 2
    drawn.remove()
    drawn.remove()
    assert not drawn.seen


def test_a_layer_that_the_user_hid_is_not_seen(drawn: DrawnCells, canvas: Canvas) -> None:
    canvas.there["cells"] = Layer(0)
    assert drawn.seen
    canvas.there["cells"].visible = False
    assert not drawn.seen


def test_colours_change_without_drawing_anew(drawn: DrawnCells, canvas: Canvas, raster: CellRaster) -> None:
    layer = canvas.there["cells"] = Layer(0)
    drawn.recolour(raster, PALETTE, "filled")
    number = np.array([raster.codes.outline[1]], raster.codes.dtype)
    assert layer.colormap.map(number)[0].tolist() == [0, 0, 1, 1]  # type: ignore[attr-defined]
    assert layer.drawn == 0


@pytest.mark.parametrize(("look", "times"), [("outline", 0), ("filled", 0), ("density", 1)])
def test_other_types_are_counted_anew_where_they_are_counted(
    drawn: DrawnCells, canvas: Canvas, raster: CellRaster, look: str, times: int
) -> None:
    level = next(i for i in range(len(raster.levels)) if raster.look(i) == look)
    layer = canvas.there["cells"] = Layer(level)
    drawn.recolour(raster, PALETTE, "outline", types=True)
    assert layer.drawn == times


def test_nothing_happens_without_a_layer(drawn: DrawnCells, canvas: Canvas, raster: CellRaster) -> None:
    drawn.recolour(raster, PALETTE, "outline", types=True)
    drawn.refresh()
    drawn.remove()
    assert canvas.added == []
