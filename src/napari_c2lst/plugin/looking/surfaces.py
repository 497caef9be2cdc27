"""Values at scattered places as an image: as squares of a grid, or smooth between the places.

The weights of places in pixels are worked out once; after that, showing another gene is one sparse product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

Positions = NDArray[np.float64]
Values = NDArray[np.float32]

STEPS_A_PITCH = 6  # pixels of a smooth image between two neighbouring places
MAX_SIDE = 500  # pixels; a finer image would only be slower
NEIGHBOURS = 8
BANDWIDTH = 0.45  # of the smoothing, in pitches: neighbours blend, and a single spot can still be seen
REACH = 0.85  # pitches from the nearest place at which the image ends


@dataclass(frozen=True, eq=False)
class Surface:
    """An image over the slide and the weights of n places in each of its pixels.

    Attributes
    ----------
    origin_px
        (2,) centre of the pixel (0, 0), level-0 pixels (y, x) from the corner of the slide's image.
    step_px
        Side of a pixel in level-0 pixels.
    shape
        (rows, columns).
    weights
        (rows * columns, n); a row adds up to 1, or to 0 where there is nothing to show.
    """

    origin_px: Positions
    step_px: float
    shape: tuple[int, int]
    weights: csr_matrix

    def image(self, values: Values) -> Values:
        """(rows, columns) float32 of values (n,); NaN where there is nothing to show. Places that are NaN count not."""
        finite = np.isfinite(values)
        share = self._whole if finite.all() else self.weights @ finite.astype(np.float32)
        total = self.weights @ np.where(finite, values, 0).astype(np.float32)
        image = np.full(len(share), np.nan, dtype=np.float32)
        np.divide(total, share, out=image, where=share > 0.5)
        return image.reshape(self.shape)

    @cached_property
    def _whole(self) -> Values:
        """(rows * columns,) how much of the places' weight is in each pixel when all of them count."""
        return np.asarray(self.weights.sum(axis=1), dtype=np.float32).ravel()

    def columns_px(self) -> Positions:
        """(columns,) x of the pixels' centres in level-0 pixels."""
        return self.origin_px[1] + self.step_px * np.arange(self.shape[1])


def grid_surface(yx: Positions, lattice: NDArray[np.int64], stride_px: float) -> Surface:
    """Positions of a grid as squares of one stride.

    Parameters
    ----------
    yx, lattice
        (n, 2) centres in level-0 pixels; (n, 2) row and column of each.
    """
    first = lattice.min(axis=0)
    places = lattice - first
    rows, columns = (int(end) + 1 for end in places.max(axis=0))
    pixel = places[:, 0] * columns + places[:, 1]
    weights = csr_matrix((np.ones(len(yx), np.float32), (pixel, np.arange(len(yx)))), shape=(rows * columns, len(yx)))
    return Surface((yx - places * stride_px).mean(axis=0), stride_px, (rows, columns), weights)


def smooth_surface(yx: Positions, pixels_of: Surface | None = None) -> Surface:
    """A smooth image through n places: a weighted mean of the nearest, which ends where there are none.

    Parameters
    ----------
    yx
        (n, 2) places in level-0 pixels.
    pixels_of
        Another surface whose pixels this one is to have, so that the two can be compared.
    """
    origin, step, shape = _lattice(yx) if pixels_of is None else _lattice_of(pixels_of)
    grid = np.stack(np.mgrid[: shape[0], : shape[1]], axis=-1).reshape(-1, 2)
    return Surface(origin, step, shape, _weights(yx, origin + grid * step))


def _lattice(yx: Positions) -> tuple[Positions, float, tuple[int, int]]:
    between = pitch(yx)
    low, high = yx.min(axis=0) - REACH * between, yx.max(axis=0) + REACH * between
    step = max(between / STEPS_A_PITCH, float((high - low).max()) / MAX_SIDE)
    rows, columns = (int(side) for side in np.ceil((high - low) / step))
    return low + step / 2, step, (rows, columns)


def _lattice_of(surface: Surface) -> tuple[Positions, float, tuple[int, int]]:
    return surface.origin_px, surface.step_px, surface.shape


def pitch(yx: Positions) -> float:
    """Distance of neighbouring places: the median over places of that to the nearest; 1 for a single one."""
    if len(yx) < 2:
        return 1.0
    return max(float(np.median(cKDTree(yx).query(yx, k=2)[0][:, 1])), 1e-6)


def _weights(yx: Positions, pixels: Positions) -> csr_matrix:
    between = pitch(yx)
    k = min(NEIGHBOURS, len(yx))
    distance, index = cKDTree(yx).query(pixels, k=k, distance_upper_bound=2 * between)
    distance, index = distance.reshape(-1, k), index.reshape(-1, k)
    weight = np.exp(-0.5 * (distance / (BANDWIDTH * between)) ** 2)  # 0 where there is no neighbour: inf
    weight[distance[:, 0] > REACH * between] = 0
    total = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    kept = weight > 1e-4
    row = np.broadcast_to(np.arange(len(pixels))[:, None], weight.shape)[kept]
    return csr_matrix((weight[kept].astype(np.float32), (row, index[kept])), shape=(len(pixels), len(yx)))
