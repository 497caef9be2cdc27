"""Predictions on a grid as images, a pixel a position: a viewer shows any number of positions at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.slides.slide import Slide

from .grid import Grid, image_transformations


def raster_values(grid: Grid, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values (M,) of a grid as an image (rows, columns); NaN where there is no tissue."""
    places = grid.rows_columns
    image = np.full(places.max(axis=0) + 1, np.nan, dtype=np.float32)
    image[places[:, 0], places[:, 1]] = values
    return image


def raster(slide: Slide, grid: Grid, values: NDArray[np.float32], gene: str) -> Any:
    """One gene on a grid as an image element, in every coordinate system of the slide's image.

    A pixel of the raster covers the square of one stride around its position.
    """
    from spatialdata.models import Image2DModel

    y, x = grid.origin - grid.stride_px / 2  # the corner of pixel (0, 0)
    to_pixels = np.array([[grid.stride_px, 0, x], [0, grid.stride_px, y], [0, 0, 1]])
    return Image2DModel.parse(
        raster_values(grid, values)[None],
        dims=("c", "y", "x"),
        c_coords=[gene],
        transformations=image_transformations(slide, to_pixels),
    )
