"""Nuclei of one image with their types, from the maps of HoVer-Net."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .contours import outlines
from .separating import FixedRange, Labels, separate

_FEWEST_CORNERS = 3


@dataclass(frozen=True, eq=False)
class Nuclei:
    """Nuclei of an image, n of them, in the order of their labels.

    Attributes
    ----------
    ids
        (n,) their labels.
    type
        (n,) type; 0 where there are no types, or only background lies inside.
    type_prob
        (n,) share of the type's pixels in the nucleus.
    centroid
        (n, 2) float64 (x, y): mean of its pixels, (0, 0) the centre of the first pixel.
    area
        (n,) pixels.
    contours
        n outlines (k, 2) int32 (x, y) through the centres of border pixels.
    """

    ids: NDArray[np.int64]
    type: NDArray[np.int64]
    type_prob: NDArray[np.float64]
    centroid: NDArray[np.float64]
    area: NDArray[np.int64]
    contours: list[NDArray[np.int32]]

    def __len__(self) -> int:
        """Number of nuclei."""
        return len(self.ids)

    def keep(self, chosen: NDArray[np.bool_]) -> "Nuclei":
        """Those where `chosen` (n,) is True."""
        kept = [contour for contour, wanted in zip(self.contours, chosen, strict=True) if wanted]
        return Nuclei(
            self.ids[chosen], self.type[chosen], self.type_prob[chosen], self.centroid[chosen], self.area[chosen], kept
        )


def postprocess(
    type_map: NDArray[np.integer] | None,
    nucleus_prob: NDArray[np.floating],
    horizontal: NDArray[np.floating],
    vertical: NDArray[np.floating],
    *,
    fixed: FixedRange | None = None,
) -> tuple[Labels, Nuclei]:
    """Nuclei of one image; without `fixed` what the official post-processing gives, to the pixel.

    Parameters
    ----------
    type_map
        (H, W) most probable type of each pixel, background 0; None without types.
    nucleus_prob
        (H, W) probability of a pixel to be of a nucleus, 0 to 1.
    horizontal, vertical
        (H, W) distances to the nucleus's centre, -1 to 1.
    fixed
        Constants to normalise gradients by, for images that are parts of a larger one; None: min-max of this image.

    Returns
    -------
    labels
        (H, W) int32, 0 is background.
    nuclei
        What is known of each. Those whose outline has fewer than three corners are in `labels` only.

    Raises
    ------
    ValueError
        If the maps differ in size.
    """
    maps = [nucleus_prob, horizontal, vertical, *([] if type_map is None else [type_map])]
    if len({m.shape for m in maps}) != 1 or nucleus_prob.ndim != 2:
        raise ValueError(f"maps are (H, W) and of one size, not {', '.join(str(m.shape) for m in maps)}")
    labels = separate(nucleus_prob, horizontal, vertical, fixed)
    return labels, measure(labels, type_map)


def measure(labels: Labels, type_map: NDArray[np.integer] | None) -> Nuclei:
    """Type, area, centroid and outline of every label; see `postprocess`."""
    inside = np.flatnonzero(labels)
    label = labels.ravel()[inside]
    count = np.bincount(label)
    ids = np.flatnonzero(count)
    area = count[ids]
    y, x = np.divmod(inside, labels.shape[1])
    sums = np.stack([np.bincount(label, values)[ids] for values in (x, y)], axis=1) if len(ids) else np.zeros((0, 2))
    if type_map is None:
        kind, share = np.zeros(len(ids), np.int64), np.ones(len(ids))
    else:
        kind, share = _majority(label, type_map.ravel()[inside].astype(np.int64), ids, area)
    nuclei = Nuclei(ids, kind, share, sums / np.maximum(area, 1)[:, None], area, outlines(labels, ids))
    return nuclei.keep(np.array([len(contour) >= _FEWEST_CORNERS for contour in nuclei.contours], bool))


def _majority(
    label: NDArray[np.int32], kind: NDArray[np.int64], ids: NDArray[np.int64], area: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The most frequent type in each nucleus, or the second where that is background; and its share of the pixels."""
    if len(ids) == 0:
        return np.zeros(0, np.int64), np.zeros(0)
    types = int(kind.max()) + 1
    place = np.zeros(int(ids[-1]) + 1, np.int64)
    place[ids] = np.arange(len(ids))
    count = np.bincount(place[label] * types + kind, minlength=len(ids) * types).reshape(len(ids), types)
    best = count.argmax(axis=1)  # the lower number where two are as frequent
    other = np.where(np.arange(types) == 0, -1, count)
    second = other.argmax(axis=1)
    rows = np.arange(len(ids))
    best = np.where((best == 0) & (count[rows, second] > 0), second, best)
    return best, count[rows, best] / (area + 1e-6)
