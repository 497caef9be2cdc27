"""Predictions made up by hand: no slide, no store, every number known."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from napari_c2lst.plugin.looking.predictions import Prediction
from napari_c2lst.plugin.looking.values import GeneMatrix, MapValues

GENES = ("ACTB", "ERBB2", "FASN")


def prediction(
    name: str = "run", n: int = 6, *, genes: Sequence[str] = GENES, where: Any = "spots", spread: bool = False
) -> Prediction:
    """A prediction of a few genes, a third of its spots for training."""
    predictor = SimpleNamespace(
        arm="real",
        training_ids=("a", "b"),
        panel=SimpleNamespace(genes=tuple(genes)),
        spec=SimpleNamespace(patch_um=112.0),
    )
    written: Any = SimpleNamespace(name=name, predictor=predictor, mpp=0.5)
    key = f"c2lst_{where}_{name}"
    return Prediction(key, where, written, n, 0 if where == "grid" else n - n // 3, spread)


def values(predicted: Any, measured: Any = None, spread: Any = None, *, grid: bool = False, side: int = 3) -> MapValues:
    """The numbers of a prediction of `GENES` on spots 100 px apart, or on a grid; `side` of them in a row."""
    predicted = np.asarray(predicted, np.float32)
    n = len(predicted)
    lattice = np.stack(np.divmod(np.arange(n), side), axis=1)
    yx = 100.0 + 100.0 * lattice

    def matrix(numbers: Any) -> GeneMatrix | None:
        return None if numbers is None else GeneMatrix(GENES, np.asarray(numbers, np.float32))

    return MapValues(
        prediction=prediction(n=n, where="grid" if grid else "spots", spread=spread is not None),
        yx=yx,
        predicted=GeneMatrix(GENES, predicted),
        spread=matrix(spread),
        spot=None if grid else np.arange(n),
        held_out=np.zeros(n, bool) if grid else np.arange(n) >= n // 3,
        lattice=lattice if grid else None,
        stride_px=100.0 if grid else None,
        measured=matrix(measured),
        spots_yx=yx,
    )
