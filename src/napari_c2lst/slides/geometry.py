"""Transformations of SpatialData elements: always (x, y) inside a matrix, (y, x) in our arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError


def systems_of(element: Any) -> list[str]:
    """Names of the coordinate systems an element has a place in, sorted."""
    from spatialdata.transformations import get_transformation

    return sorted(get_transformation(element, get_all=True))


def matrix_to_system(element: Any, system: str, where: str) -> NDArray[np.float64]:
    """(3, 3) matrix that takes (x, y, 1) of an element to (x, y, 1) of a coordinate system.

    Identity, scale, translation, affine, axis order (MapAxis) and sequences of them are honoured.

    Raises
    ------
    InputError
        If the element has no place in that system, or the way there cannot be inverted.
    """
    from spatialdata.transformations import get_transformation

    transformations = get_transformation(element, get_all=True)
    if system not in transformations:
        raise InputError(
            f"{where} has no place in the coordinate system '{system}'",
            f"it has one in: {', '.join(sorted(transformations))}",
        )
    matrix = _xy_matrix(transformations[system])
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-30:
        raise InputError(f"the transformation of {where} to '{system}' cannot be inverted", "correct it in the store")
    return matrix


def _xy_matrix(transformation: Any) -> NDArray[np.float64]:
    try:
        return np.asarray(transformation.to_affine_matrix(("x", "y"), ("x", "y")), dtype=float)
    except ValueError:
        # an affine of an image may name the channel axis too
        full = transformation.to_affine_matrix(("x", "y", "c"), ("x", "y", "c"))
        return np.asarray(full, dtype=float)[np.ix_([0, 1, 3], [0, 1, 3])]


def scale_of(matrix: NDArray[np.float64]) -> float:
    """Length of one unit after a (3, 3) transformation: the square root of the area of a unit square."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def apply_yx(matrix: NDArray[np.float64], yx: NDArray[np.floating]) -> NDArray[np.float64]:
    """Transform (N, 2) points in (y, x) order by a (3, 3) matrix in (x, y) order."""
    xy = np.asarray(yx, dtype=float)[:, ::-1] @ matrix[:2, :2].T + matrix[:2, 2]
    return xy[:, ::-1]


def centres_yx(shapes: Any) -> NDArray[np.float64]:
    """(N, 2) centres (y, x) of circles or polygons, in the element's own units."""
    points = shapes.geometry if (shapes.geometry.geom_type == "Point").all() else shapes.geometry.centroid
    return np.column_stack([points.y.to_numpy(), points.x.to_numpy()]).astype(float)


def image_size(element: Any) -> tuple[int, int]:
    """Height and width of the finest level of an image element."""
    from napari_c2lst.slides.images.pyramid import element_levels

    height, width = max((level.shape[1:] for level in element_levels(element)), key=lambda hw: hw[0] * hw[1])
    return int(height), int(width)
