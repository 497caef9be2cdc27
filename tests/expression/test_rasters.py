from __future__ import annotations

import numpy as np
import pytest
from spatialdata.transformations import get_transformation
from tests.expression.test_grid import AFFINE, KINDS, image_slide, lattice

from napari_c2lst.expression.rasters import raster, raster_values


def test_each_position_is_one_pixel_and_glass_is_nan() -> None:
    grid = lattice(keep=0.6)
    values = np.arange(len(grid), dtype=np.float32)
    image = raster_values(grid, values)
    assert image.shape == tuple(grid.rows_columns.max(0) + 1)
    assert np.array_equal(image[tuple(grid.rows_columns.T)], values)
    assert np.isnan(image).sum() == image.size - len(grid)


@pytest.mark.parametrize(("transformation", "_"), KINDS)
def test_the_middle_of_a_pixel_is_its_position(transformation: object, _: object) -> None:
    grid = lattice(keep=0.6)
    slide = image_slide({"aligned": transformation})
    element = raster(slide, grid, np.zeros(len(grid), np.float32), "A")
    of_raster = get_transformation(element, "aligned").to_affine_matrix(("x", "y"), ("x", "y"))
    of_image = get_transformation(slide.sdata.images["he"], "aligned").to_affine_matrix(("x", "y"), ("x", "y"))
    middles = np.c_[grid.rows_columns[:, ::-1] + 0.5, np.ones(len(grid))]  # x, y of the middles of pixels
    positions = np.c_[grid.yx[:, ::-1], np.ones(len(grid))]
    np.testing.assert_allclose(middles @ of_raster.T, positions @ of_image.T)


def test_it_is_named_after_its_gene() -> None:
    element = raster(image_slide({"aligned": AFFINE}), lattice(), np.ones(12, np.float32), "HLA-A")
    assert element.dims == ("c", "y", "x")
    assert element.c.values.tolist() == ["HLA-A"]
    assert element.dtype == np.float32
