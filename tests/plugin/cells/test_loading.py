from collections.abc import Callable

import numpy as np
import pytest
from tests.plugin.cells.stores import RADIUS, places

from napari_c2lst.plugin.cells.loading import load_composition, load_raster
from napari_c2lst.plugin.cells.stored import CellResult
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Slide


def test_the_raster_is_in_pixels_of_the_slide(result: CellResult) -> None:
    raster = load_raster(result, open_slide(result.store))
    assert raster.shape == (300, 400)
    assert len(raster.columns) == len(places())
    assert raster.diameter / 2 == pytest.approx(RADIUS, rel=0.1)


def test_counts_follow_the_slides_order_of_spots(result: CellResult) -> None:
    ids = open_slide(result.store).require_spots().ids
    counts, turned = load_composition(result, ids), load_composition(result, ids[::-1])
    assert counts is not None
    assert turned is not None
    np.testing.assert_array_equal(turned, counts[::-1])
    others = load_composition(result, np.array(["nobody", str(ids[3])]))
    assert others is not None
    assert others[0].sum() == 0
    np.testing.assert_array_equal(others[1], counts[3])


def test_a_composition_of_no_spots_is_none(result: CellResult, monkeypatch: pytest.MonkeyPatch) -> None:
    none = (np.zeros(0, dtype=str), np.zeros((0, 4), np.float32))
    monkeypatch.setattr("napari_c2lst.plugin.cells.loading.read_composition", lambda _: none)
    assert load_composition(result, np.array(["a"])) is None


def test_a_slide_without_known_microns_has_nuclei_of_a_size_that_can_be(
    result: CellResult, make_slide: Callable[..., Slide]
) -> None:
    """Areas are in square microns: a quarter of a micron a pixel is what scanners make."""
    raster = load_raster(result, make_slide(microns=None))
    assert raster.shape == (400, 600)
    area = np.median(raster.columns.area_um2)
    assert raster.diameter == pytest.approx(2 * np.sqrt(area / 0.25**2 / np.pi), rel=0.01)


def test_a_slide_whose_cells_were_not_counted(result: CellResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_c2lst.plugin.cells.loading.read_composition", lambda _: None)
    assert load_composition(result, np.array(["a"])) is None
    one = (np.array(["a"]), np.array([[1, 2]], np.float32))
    monkeypatch.setattr("napari_c2lst.plugin.cells.loading.read_composition", lambda _: one)
    assert load_composition(result, np.array([], dtype=str)).shape == (0, 2)  # type: ignore[union-attr]
    assert load_composition(result, np.array(["b", "a", "a"])).tolist() == [[0, 0], [1, 2], [1, 2]]  # type: ignore[union-attr]
