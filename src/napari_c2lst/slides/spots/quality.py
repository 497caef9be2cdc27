"""Quality of spots: counts, genes and tissue under each, and which spots are too low to be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

if TYPE_CHECKING:
    from napari_c2lst.slides.images.tissue import TissueMask
    from napari_c2lst.slides.slide import Slide

# The square around a spot in which tissue is looked for: a patch of the method.
SIDE_UM = 112.0


@dataclass(frozen=True, eq=False)
class SpotQuality:
    """Quality of N spots.

    Parameters
    ----------
    counts
        (N,) total counts.
    genes
        (N,) genes with at least one count.
    tissue
        (N,) share of the patch around the spot that is tissue, 0 to 1; None when it was not looked at.
    """

    counts: NDArray[Any]
    genes: NDArray[Any]
    tissue: NDArray[Any] | None = None

    def __len__(self) -> int:
        """Number of spots."""
        return len(self.counts)

    def low(self, *, min_counts: float = 0, min_genes: float = 0, min_tissue: float = 0) -> NDArray[np.bool_]:
        """(N,) spots below any of the thresholds; a spot at a threshold is kept.

        Raises
        ------
        InputError
            If there is a threshold for tissue, which was not looked at.
        """
        masks = self._below(min_counts, min_genes, min_tissue).values()
        return np.any(list(masks), axis=0) if masks else np.zeros(len(self), dtype=bool)

    def low_numbers(self, *, min_counts: float = 0, min_genes: float = 0, min_tissue: float = 0) -> dict[str, int]:
        """Number of spots below each threshold, in words; a spot may be below several."""
        return {text: int(mask.sum()) for text, mask in self._below(min_counts, min_genes, min_tissue).items()}

    def _below(self, min_counts: float, min_genes: float, min_tissue: float) -> dict[str, NDArray[np.bool_]]:
        masks = {}
        if min_counts:
            masks[f"fewer than {min_counts:g} counts"] = self.counts < min_counts
        if min_genes:
            masks[f"fewer than {min_genes:g} genes"] = self.genes < min_genes
        if min_tissue:
            if self.tissue is None:
                raise InputError("tissue under the spots was not looked at", "leave out the threshold for tissue")
            masks[f"less than {min_tissue:.0%} tissue".replace("%", " %")] = self.tissue < min_tissue
        return masks

    def summary(self) -> dict[str, dict[str, float]]:
        """Lowest, 5 %, median and highest value of each measure."""
        return {name: _figures(values) for name, values in self._measures().items() if len(values)}

    def lines(self) -> list[str]:
        """The summary in words, one line for each measure."""
        return summary_lines(self.summary())

    def _measures(self) -> dict[str, NDArray[Any]]:
        known = {"counts": self.counts, "genes": self.genes}
        return known if self.tissue is None else {**known, "tissue": self.tissue}


def summary_lines(summary: Mapping[str, Mapping[str, float]]) -> list[str]:
    """A summary in words, one line for each measure."""
    lines = []
    for name, figures in summary.items():
        median, low, high = (figures[key] for key in ("median", "5 %", "highest"))
        if name == "tissue":
            texts = [f"{value:.0%}".replace("%", " %") for value in (median, low, high)]
        else:
            texts = [f"{value:.0f}" for value in (median, low, high)]
        what = "tissue under a spot" if name == "tissue" else f"{name} of a spot"
        if high == 0:
            lines.append(f"{what}: {texts[2]} in every one")
            continue
        few = f"5 % have less than {texts[1]}"
        if texts[1] in ("0", "0 %"):  # nothing is less than 0
            few = "5 % or more have none" if low == 0 else "5 % have hardly any"
        lines.append(f"{what}: median {texts[0]} ({few}, the highest {texts[2]})")
    return lines


def _figures(values: NDArray[Any]) -> dict[str, float]:
    lowest, five, median, highest = np.percentile(values, [0, 5, 50, 100])
    return {"lowest": float(lowest), "5 %": float(five), "median": float(median), "highest": float(highest)}


def spot_quality(slide: Slide, *, tissue: bool | TissueMask = True, side_um: float = SIDE_UM) -> SpotQuality:
    """Look at every spot of a slide.

    Parameters
    ----------
    tissue
        Also look for tissue, which reads a coarse level of the image; or the mask, when it was made already.
    side_um
        Side of the square around a spot in which tissue is looked for.

    Raises
    ------
    InputError
        If the slide has no spots, its table no raw counts, or tissue is wanted and microns per pixel are not known.
    """
    spots = slide.require_spots()
    counts = slide.counts()
    totals = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    genes = np.asarray((counts > 0).sum(axis=1), dtype=np.int64).ravel()
    if tissue is False:
        return SpotQuality(totals, genes)
    from napari_c2lst.slides.images.tissue import tissue_mask

    mask = tissue_mask(slide) if tissue is True else tissue
    share = mask.fraction(spots.yx, side_um / slide.mpp)
    return SpotQuality(totals, genes, np.asarray(share, dtype=np.float64))
