from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from spatialdata.models import Image2DModel
from spatialdata.transformations import Affine, Identity, MapAxis, Scale, Sequence, get_transformation

from napari_c2lst.common.errors import InputError
from napari_c2lst.expression.grid import Grid, grid_shapes, image_transformations, tissue_grid
from napari_c2lst.slides.images import tissue
from napari_c2lst.slides.opening import open_slide

AFFINE = Affine([[2, 0.5, 10], [-0.5, 3, 20], [0, 0, 1]], input_axes=("x", "y"), output_axes=("x", "y"))
KINDS = [
    pytest.param(Identity(), (7, 4), id="identity"),
    pytest.param(Scale([0.5, 2.0], axes=("x", "y")), (3.5, 8), id="scale"),
    pytest.param(AFFINE, (26, 28.5), id="affine"),
    pytest.param(MapAxis({"x": "y", "y": "x"}), (4, 7), id="axis order"),
    pytest.param(Sequence([Scale([2.0, 1.0], axes=("x", "y")), AFFINE]), (40, 25), id="sequence"),
]


def image_slide(transformations: dict[str, Any], shape: tuple[int, int] = (60, 80), mpp: float = 2.0) -> Any:
    """A slide of which only the image element counts."""
    element = Image2DModel.parse(np.zeros((3, *shape), np.uint8), dims=("c", "y", "x"), transformations=transformations)
    return SimpleNamespace(name="s", image_name="he", sdata=SimpleNamespace(images={"he": element}), mpp=mpp)


def lattice(rows: int = 3, columns: int = 4, stride: float = 5.0, keep: float = 1.0) -> Grid:
    yx = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), -1).reshape(-1, 2) * stride
    kept = np.random.default_rng(0).random(len(yx)) <= keep
    return Grid(yx[kept] + [10.5, 20.25], stride, stride * 2.0)


def test_rows_and_columns_of_a_lattice_with_holes() -> None:
    full, part = lattice(), lattice(keep=0.6)
    assert full.rows_columns.tolist() == [[r, c] for r in range(3) for c in range(4)]
    assert 0 < len(part) < len(full)
    back = part.rows_columns * part.stride_px + part.origin
    np.testing.assert_allclose(back, part.yx)


def test_rows_and_columns_survive_a_crooked_stride_over_a_large_slide() -> None:
    stride = 56 / 0.3457
    yx = np.stack(np.meshgrid(np.arange(400), np.arange(3), indexing="ij"), -1).reshape(-1, 2)
    grid = Grid(yx * stride + 81.3, stride, 56)
    assert np.array_equal(grid.rows_columns, yx)


@pytest.mark.parametrize(("transformation", "goes_to"), KINDS)
def test_pixels_go_where_the_image_goes(transformation: Any, goes_to: tuple[float, float]) -> None:
    ways = image_transformations(image_slide({"aligned": transformation, "global": Identity()}))
    assert set(ways) == {"aligned", "global"}
    matrix = ways["aligned"].to_affine_matrix(("x", "y"), ("x", "y"))
    np.testing.assert_allclose((matrix @ [7, 4, 1])[:2], goes_to)


def test_an_element_in_other_pixels_goes_through_level_0() -> None:
    ways = image_transformations(image_slide({"aligned": AFFINE}), np.array([[2.0, 0, 1], [0, 2.0, 2], [0, 0, 1]]))
    np.testing.assert_allclose((ways["aligned"].to_affine_matrix(("x", "y"), ("x", "y")) @ [3, 1, 1])[:2], (26, 28.5))


def test_circles_touch_and_follow_the_image() -> None:
    grid = lattice()
    shapes = grid_shapes(image_slide({"aligned": AFFINE}), grid).first()
    assert len(shapes) == 12
    assert (shapes["radius"] == 2.5).all()
    assert np.array_equal(np.stack([shapes.geometry.y, shapes.geometry.x], 1), grid.yx)
    way = get_transformation(shapes, "aligned").to_affine_matrix(("x", "y"), ("x", "y"))
    np.testing.assert_allclose((way @ [7, 4, 1])[:2], (26, 28.5))


def test_a_stored_channel_axis_is_no_obstacle() -> None:
    matrix = np.diag([2.0, 3.0, 1.0, 1.0])
    channels = Affine(matrix, input_axes=("x", "y", "c"), output_axes=("x", "y", "c"))
    shapes = grid_shapes(image_slide({"aligned": channels}), lattice()).first()
    way = get_transformation(shapes, "aligned").to_affine_matrix(("x", "y"), ("x", "y"))
    np.testing.assert_allclose(way, np.diag([2.0, 3.0, 1.0]))


def test_positions_lie_on_tissue(store_once: Path) -> None:
    slide = open_slide(store_once)
    grid = tissue_grid(slide, 56.0, 112.0)
    assert 100 < len(grid) < 250
    assert grid.stride_px == pytest.approx(56 / slide.mpp)
    red, green, _ = np.asarray(slide.pyramid.levels[0])[:, *np.floor(grid.yx).astype(int).T].astype(int)
    assert (red - green > 25).mean() > 0.85  # pink or violet, not white (half of the square around it may be)


def test_a_finer_stride_has_more_positions(store_once: Path) -> None:
    slide = open_slide(store_once)
    assert len(tissue_grid(slide, 28.0, 112.0)) == pytest.approx(4 * len(tissue_grid(slide, 56.0, 112.0)), rel=0.15)


def test_no_tissue_is_said(store_once: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tissue, "grid_positions", lambda *_: np.zeros((0, 2)))
    with pytest.raises(InputError, match="no tissue was found on slide 'tiny'"):
        tissue_grid(open_slide(store_once), 56.0, 112.0)


def test_a_stride_below_a_pixel_is_refused(store_once: Path) -> None:
    with pytest.raises(InputError, match="a stride of 1 um is finer than a pixel"):
        tissue_grid(open_slide(store_once), 1.0, 112.0)
