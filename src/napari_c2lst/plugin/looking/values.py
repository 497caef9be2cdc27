"""The numbers behind gene maps: predicted, measured and spread, once in memory, a gene at a time at no cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

from .predictions import Prediction, held_out_column

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

Values = NDArray[np.float32]

UNIT = "log(1 + x), counts scaled to the training spots' median total"


@dataclass(frozen=True, eq=False)
class GeneMatrix:
    """Values of n places and d genes; a gene's values lie side by side in memory, so reading one copies nothing.

    Attributes
    ----------
    genes
        (d,) names.
    values
        (n, d) float32, column-major.
    """

    genes: tuple[str, ...]
    values: Values
    _at: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asfortranarray(self.values, dtype=np.float32))
        object.__setattr__(self, "_at", {gene: i for i, gene in enumerate(self.genes)})

    def column(self, gene: str) -> Values:
        """(n,) values of one gene; a view.

        Raises
        ------
        InputError
            If the gene is not there.
        """
        if gene not in self._at:
            raise InputError(f"gene '{gene}' was not predicted", f"choose one of the {len(self.genes)} predicted genes")
        return self.values[:, self._at[gene]]

    def __contains__(self, gene: str) -> bool:
        """Whether the gene is there."""
        return gene in self._at


@dataclass(frozen=True, eq=False)
class MapValues:
    """Everything that can be shown of one prediction.

    Attributes
    ----------
    prediction
        Which one.
    yx
        (n, 2) places that were predicted, level-0 pixels.
    predicted
        (n, d) on the panel's scale.
    spread
        (n, d) standard deviation over flips and turns of a patch; None where that was not asked for.
    spot
        (n,) index of each place among the slide's spots; None on a grid.
    held_out
        (n,) places the predictor may be judged on; none on a grid.
    lattice
        (n, 2) row and column on the grid; None on spots.
    stride_px
        Distance of grid positions in level-0 pixels; None on spots.
    measured
        (N, d) of all the slide's spots on the same scale; None where the slide lacks these genes.
    spots_yx
        (N, 2) the slide's spots.
    """

    prediction: Prediction
    yx: NDArray[np.float64]
    predicted: GeneMatrix
    spread: GeneMatrix | None
    spot: NDArray[np.int64] | None
    held_out: NDArray[np.bool_]
    lattice: NDArray[np.int64] | None
    stride_px: float | None
    measured: GeneMatrix | None
    spots_yx: NDArray[np.float64]

    def measured_here(self, gene: str) -> Values | None:
        """(n,) measured values at the predicted places; None on a grid, or where nothing comparable was measured."""
        if self.measured is None or self.spot is None:
            return None
        return self.measured.column(gene)[self.spot]

    def limits(self, gene: str) -> tuple[float, float]:
        """The one colour range of a gene, measured and predicted: 2nd to 98th percentile of what was measured.

        On the spots that count (held out) where there are any, else on all; of the prediction where nothing was
        measured.
        """
        here = self.measured_here(gene)
        if here is not None:
            values = here[self.held_out] if self.held_out.any() else here
        else:
            values = (self.predicted if self.measured is None else self.measured).column(gene)
        return _range(values)

    def spread_limits(self, gene: str) -> tuple[float, float]:
        """From no spread to the 98th percentile of this gene's."""
        assert self.spread is not None
        return 0.0, max(_percentiles(self.spread.column(gene), 98)[0], 1e-3)

    def difference_limit(self, gene: str) -> float:
        """98th percentile of the size of predicted minus measured: the range of a map that is centred at 0."""
        here = self.measured_here(gene)
        assert here is not None
        return max(_percentiles(np.abs(self.predicted.column(gene) - here), 98)[0], 1e-3)


def load_values(slide: Slide, prediction: Prediction) -> MapValues:
    """Read a prediction and bring what was measured to its scale; takes a second on a large slide.

    Raises
    ------
    InputError
        If the table is no longer in the slide, or belongs to other spots.
    """
    table = slide.sdata.tables.get(prediction.key)
    if table is None:
        raise InputError(f"the slide holds no predictions '{prediction.key}' any more", "predict again")
    grid = prediction.where == "grid"
    spot = None if grid else _spots_of(slide, table)
    return MapValues(
        prediction=prediction,
        yx=np.ascontiguousarray(np.asarray(table.obsm["spatial"], dtype=np.float64)[:, ::-1]),
        predicted=GeneMatrix(prediction.genes, dense(table.X)),
        spread=GeneMatrix(prediction.genes, dense(table.layers["spread"])) if prediction.has_spread else None,
        spot=spot,
        held_out=np.zeros(table.n_obs, dtype=bool) if grid else held_out_column(table),
        lattice=table.obs[["row", "column"]].to_numpy(dtype=np.int64) if grid else None,
        stride_px=float(table.uns["c2lst"]["stride_um"]) / prediction.written.mpp if grid else None,
        measured=measured_values(slide, prediction),
        spots_yx=slide.spots.yx if slide.spots is not None else np.zeros((0, 2)),
    )


def measured_values(slide: Slide, prediction: Prediction) -> GeneMatrix | None:
    """What the slide's spots measured, on the prediction's scale; None without raw counts of the panel's genes."""
    if slide.spots is None or slide.table_name not in slide.sdata.tables:
        return None
    panel = prediction.written.predictor.panel
    try:
        return GeneMatrix(panel.genes, panel.targets(slide.counts(), slide.genes, where=f"slide '{slide.name}'"))
    except InputError:  # other genes, no counts or counts that were changed: the prediction can be shown all the same
        return None


def dense(matrix: Any) -> Values:
    """A matrix of an AnnData, whatever holds it, as float32."""
    for step in ("compute", "toarray"):
        if hasattr(matrix, step):
            matrix = getattr(matrix, step)()
    return np.asarray(matrix, dtype=np.float32)


def _spots_of(slide: Slide, table: Any) -> NDArray[np.int64]:
    at = {str(name): i for i, name in enumerate(slide.require_spots().ids)}
    try:
        return np.array([at[str(name)] for name in table.obs_names], dtype=np.int64)
    except KeyError as error:
        raise InputError(
            f"predictions of spot {error} belong to other spots than those of slide '{slide.name}'", "predict again"
        ) from error


def _range(values: Values) -> tuple[float, float]:
    low, high = _percentiles(values, 2, 98)
    return (low, high) if high > low else (low, low + 1e-3)


def _percentiles(values: Values, *shares: float) -> list[float]:
    """Of the values that are numbers; the shares themselves, from 0 to 1, where there are none."""
    finite = values[np.isfinite(values)]
    return [float(end) for end in np.percentile(finite, shares)] if len(finite) else [share / 100 for share in shares]
