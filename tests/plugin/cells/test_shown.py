"""What is shown of the cells of the open slide, in a viewer without a window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.plugin.cells.stores import NAMES, places, write_cells

from napari_c2lst.plugin.cells.layer import KEY
from napari_c2lst.plugin.cells.shown import ShownCells, shown_cells
from napari_c2lst.plugin.cells.stored import UNTYPED
from napari_c2lst.plugin.cells.styles import SAFE
from napari_c2lst.plugin.shared import Shared
from napari_c2lst.slides.opening import open_slide


def settle(qtbot: Any, cells: ShownCells) -> None:
    qtbot.waitUntil(lambda: not cells.reading, timeout=20_000)


@pytest.fixture
def cells(qtbot: Any, shared_viewer: Shared, cells_store: Path) -> ShownCells:
    shared_viewer.session.open(open_slide(cells_store))
    cells = shown_cells(shared_viewer)
    settle(qtbot, cells)
    return cells


@pytest.fixture
def seen(qtbot: Any, cells: ShownCells) -> ShownCells:
    cells.show()
    settle(qtbot, cells)
    return cells


def test_nothing_is_shown_until_it_is_wanted(cells: ShownCells, shared_viewer: Shared) -> None:
    assert cells.result is not None
    assert cells.result.name == "narrow"
    assert cells.raster is None
    assert shared_viewer.canvas.layer(KEY) is None
    assert shown_cells(shared_viewer) is cells


def test_cells_lie_above_the_spots_with_their_outlines(seen: ShownCells, shared_viewer: Shared) -> None:
    keys = shared_viewer.canvas.keys()
    assert keys.index(KEY) > keys.index("spots")
    assert seen.raster is not None
    assert seen.raster.outlines is not None
    assert seen.types == (*NAMES, UNTYPED)
    assert seen.counts.sum() == len(places())
    assert seen.counts[-1] == 1


def test_hiding_a_type_makes_it_transparent(seen: ShownCells, shared_viewer: Shared) -> None:
    layer, raster = shared_viewer.canvas.layer(KEY), seen.raster
    assert raster is not None
    seen.show_types(np.array([False, True, True, True, True]))
    number = np.array([raster.codes.outline[0], raster.codes.outline[1]])
    assert layer.colormap.map(number)[:, 3].tolist() == [0, 1]
    assert seen.visible.tolist() == [False, True, True, True, True]


def test_colours_of_the_weights_or_safe_ones(seen: ShownCells) -> None:
    assert seen.colours()[:4] == list(SAFE[:4])
    seen.use_palette("weights")
    assert seen.colours()[1] == (0, 255, 0)
    assert seen.colours((UNTYPED,)) == [seen.colours()[-1]]


def test_filled_covers_the_tissue(seen: ShownCells, shared_viewer: Shared) -> None:
    assert seen.raster is not None
    layer, number = shared_viewer.canvas.layer(KEY), np.array([seen.raster.codes.fill[0]])
    before = layer.colormap.map(number)[0, 3]
    seen.use_look("filled")
    assert shared_viewer.canvas.layer(KEY).colormap.map(number)[0, 3] > before


def test_a_click_tells_type_probability_and_area(seen: ShownCells) -> None:
    x, y = places()[100]
    seen._on_click(np.array([float(y), float(x)]))
    assert seen.picked is not None
    assert (seen.picked.number, seen.picked.type) == (100, NAMES[0])
    assert seen.picked.area_um2 == pytest.approx(350)
    assert seen.picked.sentence.startswith("Cell 100: miscellaneous, probability 0.57, 350 µm²")
    seen._on_click(np.array([y + 6.0, x + 6.0]))
    assert seen.picked is None


def test_a_deleted_layer_is_made_again(seen: ShownCells, shared_viewer: Shared) -> None:
    shared_viewer.canvas.remove(KEY)
    seen.show()
    assert shared_viewer.canvas.layer(KEY) is not None
    seen.show(False)
    assert shared_viewer.canvas.layer(KEY) is None


def test_the_composition_colours_spots(cells: ShownCells, shared_viewer: Shared) -> None:
    assert cells.composition is not None
    cells.colour_spots("nuclei")
    layer = shared_viewer.canvas.layer("spots")
    np.testing.assert_array_equal(layer.features["value"], cells.composition.sum(axis=1))
    cells.colour_spots(NAMES[1])
    share = np.asarray(layer.features["value"])
    assert share[np.isfinite(share)].max() <= 1
    assert shared_viewer.canvas.colouring.name == f"share of {NAMES[1]}"
    cells.colour_spots("")
    assert shared_viewer.canvas.colouring.name == shared_viewer.session.gene


def test_what_a_spot_is_composed_of(cells: ShownCells) -> None:
    found = cells.of_spot(20)
    assert found is not None
    assert found.types == NAMES
    assert found.counts.sum() == cells.composition[20].sum()  # type: ignore[index]
    assert cells.of_spot(-1) is None
    assert cells.of_spot(10_000) is None


def test_new_results_are_expected_and_shown(
    qtbot: Any, cells: ShownCells, cells_store: Path, shared_viewer: Shared
) -> None:
    cells.expect("wide")
    assert not cells.wanted
    write_cells(cells_store, "wide", step=40)
    shared_viewer.session.refresh(open_slide(cells_store))
    settle(qtbot, cells)
    assert cells.result is not None
    assert cells.result.name == "wide"
    assert shared_viewer.canvas.layer(KEY) is not None


def test_another_result_takes_the_place_of_the_one_shown(qtbot: Any, seen: ShownCells, cells_store: Path) -> None:
    write_cells(cells_store, "wide", step=40)
    seen.renew()
    assert seen.result is not None
    assert seen.result.name == "narrow"
    before = len(seen.raster.columns)  # type: ignore[arg-type, union-attr]
    seen.choose("wide")
    settle(qtbot, seen)
    assert len(seen.raster.columns) < before  # type: ignore[arg-type, union-attr]


def test_another_slide_takes_its_cells_away(qtbot: Any, seen: ShownCells, shared_viewer: Shared) -> None:
    shared_viewer.session.close()
    settle(qtbot, seen)
    assert (seen.result, seen.raster, seen.wanted) == (None, None, False)
    assert shared_viewer.canvas.layer(KEY) is None


def test_damaged_outlines_leave_circles_and_are_told(
    qtbot: Any, cells: ShownCells, cells_store: Path, shared_viewer: Shared
) -> None:
    told: list[tuple[str, str, str]] = []
    shared_viewer.session.told.connect(lambda *each: told.append(each))
    file = cells_store / "shapes" / "c2lst_cells_narrow" / "shapes.parquet"
    file.write_bytes(file.read_bytes()[:500])
    cells.show()
    settle(qtbot, cells)
    assert "circles" in cells.outlines_missing
    assert shared_viewer.canvas.layer(KEY) is not None
    assert [level for level, *_ in told] == ["error"]


def test_nothing_is_heard_after_the_end(seen: ShownCells, shared_viewer: Shared) -> None:
    seen.close()
    shared_viewer.session.close()
    assert seen.result is not None


def test_spots_are_not_coloured_by_a_result_that_is_no_longer_shown(
    qtbot: Any, cells: ShownCells, cells_store: Path, shared_viewer: Shared
) -> None:
    write_cells(cells_store, "wide", step=40)
    cells.renew()
    cells.colour_spots("nuclei")
    assert cells.spots_by == "nuclei"
    cells.choose("wide")
    assert cells.spots_by == ""  # a gene, until they are read
    settle(qtbot, cells)
    assert cells.spots_by == "nuclei"
    layer = shared_viewer.canvas.layer("spots")
    np.testing.assert_array_equal(layer.features["value"], cells.composition.sum(axis=1))  # type: ignore[union-attr]
    shared_viewer.canvas.show_spots_colours(np.zeros(63), "somebody else's")
    assert cells.spots_by == ""
    cells.choose("narrow")
    settle(qtbot, cells)
    assert shared_viewer.canvas.colouring.name == "somebody else's"  # not ours to change


def test_results_that_go_take_their_colours_along(cells: ShownCells, shared_viewer: Shared) -> None:
    cells.colour_spots(NAMES[0])
    cells.results = []
    cells.choose("")
    assert cells.spots_by == ""
    assert shared_viewer.canvas.colouring.name == shared_viewer.session.gene
    cells.colour_spots("nuclei")  # nothing is known: nothing happens
    assert cells.spots_by == ""


def test_damaged_cells_are_told_once(cells: ShownCells, cells_store: Path, shared_viewer: Shared) -> None:
    told: list[str] = []
    shared_viewer.session.told.connect(lambda _level, message, _hint: told.append(message))
    (cells_store / "shapes" / "c2lst_cells_narrow" / "shapes.parquet").unlink()
    for _ in range(3):
        shared_viewer.session.results_changed.emit()
    assert len(told) == 1
    assert "'narrow' are damaged" in told[0]
    assert cells.result is None
