"""A dense grid of positions over the tissue, and its circles as a SpatialData element."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.geometry import matrix_to_system, systems_of
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.store.in_parts import InParts


@dataclass(frozen=True, eq=False)
class Grid:
    """Positions on a square lattice, M of them, where there is tissue.

    Attributes
    ----------
    yx
        (M, 2) centres in level-0 pixels.
    stride_px
        Distance of neighbours in level-0 pixels.
    stride_um
        The same in microns.
    """

    yx: NDArray[np.float64]
    stride_px: float
    stride_um: float

    def __len__(self) -> int:
        """Number of positions."""
        return len(self.yx)

    @property
    def origin(self) -> NDArray[np.float64]:
        """(2,) y, x of row 0 and column 0, which may themselves lie beside the tissue."""
        return np.asarray(self.yx.min(axis=0), dtype=np.float64)

    @property
    def rows_columns(self) -> NDArray[np.int64]:
        """(M, 2) row and column of each position on the lattice."""
        return self.lattice(self.yx)

    def lattice(self, yx: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n, 2) row and column of some positions (n, 2)."""
        return np.rint((yx - self.origin) / self.stride_px).astype(np.int64)


def tissue_grid(slide: Slide, stride_um: float, patch_um: float) -> Grid:
    """The grid over all tissue of a slide.

    Raises
    ------
    InputError
        If no tissue is found, or the stride is smaller than a pixel.
    """
    from napari_c2lst.slides.images.tissue import grid_positions, tissue_mask

    if stride_um < slide.mpp:
        raise InputError(
            f"a stride of {stride_um:g} um is finer than a pixel of slide '{slide.name}' ({slide.mpp:.3g} um)",
            f"pass a larger --stride-um; the patches are {patch_um:g} um wide",
        )
    yx = np.asarray(grid_positions(slide, tissue_mask(slide), stride_um, patch_um), dtype=np.float64)
    if len(yx) == 0:
        raise InputError(
            f"no tissue was found on slide '{slide.name}'",
            "look at it with 'c2lst info', or predict with --where spots",
        )
    return Grid(yx, stride_um / slide.mpp, stride_um)


def grid_shapes(slide: Slide, grid: Grid) -> InParts:
    """The grid as circles that touch each other, in every coordinate system of the slide's image.

    Circles, not squares: a viewer draws them as points, 20,000 at no cost, while polygons take seconds.
    """
    import pandas as pd
    from spatialdata.models import ShapesModel

    transformations = image_transformations(slide)

    def some(start: int, stop: int) -> Any:
        return ShapesModel.parse(
            np.ascontiguousarray(grid.yx[start:stop, ::-1]),  # x, y
            geometry=0,
            radius=grid.stride_px / 2,
            index=pd.RangeIndex(start, stop),
            transformations=transformations,
        )

    return InParts(len(grid), some)


def image_transformations(slide: Slide, pixels: NDArray[np.float64] | None = None) -> dict[str, Any]:
    """From level-0 pixels of the slide's image to each of its coordinate systems, as affine transformations of x and y.

    Parameters
    ----------
    pixels
        (3, 3) matrix from (x, y, 1) of the element at hand to level-0 pixels; None where it is in them already.
    """
    from spatialdata.transformations import Affine

    element = slide.sdata.images[slide.image_name]
    first = np.eye(3) if pixels is None else pixels
    return {
        system: Affine(
            matrix_to_system(element, system, f"image '{slide.image_name}'") @ first,
            input_axes=("x", "y"),
            output_axes=("x", "y"),
        )
        for system in systems_of(element)
    }
