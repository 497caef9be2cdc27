"""Scores of outlined nuclei as HoVer-Net's authors compute them (Graham et al. 2019, section 4.2, and their code).

Each is of one image; over a data set it is the mean over its images. All come from one table of overlaps: no image is
gone through once for each nucleus.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MATCH_IOU = 0.5
_TINY = 1e-6

Labels = NDArray[np.integer]


@dataclass(frozen=True)
class Overlaps:
    """How the nuclei of two label maps overlap.

    Attributes
    ----------
    true_area, pred_area
        (t,) and (p,) pixels of each nucleus, in the order of their ids.
    rows, columns
        (k,) places in these of the pairs that share pixels.
    shared
        (k,) pixels that they share.
    """

    true_area: NDArray[np.int64]
    pred_area: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    shared: NDArray[np.int64]

    @classmethod
    def of(cls, true: Labels, pred: Labels) -> "Overlaps":
        """Of two label maps (H, W), 0 the background; ids need not follow one another."""
        if true.shape != pred.shape:
            raise ValueError(f"label maps of {true.shape} and {pred.shape} px")
        true_ids, rows = np.unique(true, return_inverse=True)
        pred_ids, columns = np.unique(pred, return_inverse=True)
        table = np.bincount(rows.ravel() * len(pred_ids) + columns.ravel(), minlength=len(true_ids) * len(pred_ids))
        table = table.reshape(len(true_ids), len(pred_ids))
        inner = table[true_ids > 0][:, pred_ids > 0]
        rows, columns = np.nonzero(inner)
        areas = table.sum(1)[true_ids > 0], table.sum(0)[pred_ids > 0]
        return cls(*areas, rows, columns, inner[rows, columns])

    @property
    def union(self) -> NDArray[np.int64]:
        """(k,) pixels of either nucleus of each pair."""
        return self.true_area[self.rows] + self.pred_area[self.columns] - self.shared

    @property
    def iou(self) -> NDArray[np.float64]:
        """(k,) intersection over union of each pair."""
        return self.shared / self.union


def dice(true: Labels, pred: Labels) -> float:
    """Dice of nuclei against background; 1 where neither map has any."""
    both = int(((true > 0) & (pred > 0)).sum())
    total = int((true > 0).sum()) + int((pred > 0).sum())
    return 2 * both / total if total else 1.0


def aji(overlaps: Overlaps) -> float:
    """Aggregated Jaccard index: shared over joined pixels of each true nucleus and the one that fits it best.

    A predicted nucleus may serve several true ones; what serves none is added below the line. 1 where there are none.
    """
    o = overlaps
    best = _best_of_rows(o)
    used = np.zeros(len(o.pred_area), bool)
    used[o.columns[best]] = True
    found = np.zeros(len(o.true_area), bool)
    found[o.rows[best]] = True
    joined = int(o.union[best].sum()) + int(o.true_area[~found].sum()) + int(o.pred_area[~used].sum())
    return int(o.shared[best].sum()) / joined if joined else 1.0


def _best_of_rows(o: Overlaps) -> NDArray[np.int64]:
    """Index of the pair of highest IoU of each true nucleus that has one; the first of equals."""
    order = np.lexsort((o.columns, -o.iou, o.rows))
    first = np.diff(o.rows[order], prepend=-1) > 0
    return order[first]


@dataclass(frozen=True)
class Panoptic:
    """Panoptic quality and its two parts.

    Attributes
    ----------
    dq
        Detection quality: F1 of nuclei that overlap with an IoU above one half.
    sq
        Segmentation quality: their mean IoU.
    pq
        dq * sq.
    """

    dq: float
    sq: float
    pq: float


def panoptic_quality(overlaps: Overlaps, match_iou: float = MATCH_IOU) -> Panoptic:
    """DQ, SQ and PQ; pairs of an IoU above one half are unique. Without any nuclei all are 0."""
    if match_iou < 0.5:
        raise ValueError(f"match_iou = {match_iou}: below 0.5 pairs need not be unique")
    matched = overlaps.iou[overlaps.iou > match_iou]
    missed, wrong = len(overlaps.true_area) - len(matched), len(overlaps.pred_area) - len(matched)
    counted = len(matched) + 0.5 * wrong + 0.5 * missed
    dq = len(matched) / counted if counted else 0.0
    sq = float(matched.sum()) / (len(matched) + _TINY)
    return Panoptic(dq, sq, dq * sq)


def instance_scores(true: Labels, pred: Labels) -> dict[str, float]:
    """`dice`, `aji`, `dq`, `sq` and `pq` of one image."""
    overlaps = Overlaps.of(true, pred)
    quality = panoptic_quality(overlaps)
    return {"dice": dice(true, pred), "aji": aji(overlaps), "dq": quality.dq, "sq": quality.sq, "pq": quality.pq}
