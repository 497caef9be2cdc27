"""What a network has to beat: constants, and ridge regression on colours.

Each baseline is a function `fit(patches, targets) -> Baseline`; it sees training spots only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.slides.patches.features import colour_features

ALPHAS = tuple(10.0**p for p in range(-1, 6))
"""Ridge penalties to choose from; the largest come close to the mean predictor."""
COMPONENTS = 32
FOLDS = 5


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline.

    Attributes
    ----------
    name
        What it is.
    facts
        What was chosen while fitting (a ridge's alpha).
    """

    name: str
    facts: dict[str, float]
    _predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]]

    def predict(self, patches: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Predict expression of patches (N, px, px, 3): (N, d) float32 on the scale of the targets it was fitted to."""
        return self._predict(patches)

    __call__ = predict


def mean_predictor(patches: NDArray[np.uint8], targets: NDArray[np.float32]) -> Baseline:
    """The training mean of each gene, for every patch: the best constant in squared error."""
    return _constant("mean", targets.mean(axis=0))


def median_predictor(patches: NDArray[np.uint8], targets: NDArray[np.float32]) -> Baseline:
    """The training median of each gene, for every patch: the best constant in absolute error, Eq. (11)."""
    return _constant("median", np.median(targets, axis=0))


def ridge_on_colour(
    patches: NDArray[np.uint8],
    targets: NDArray[np.float32],
    *,
    yx: NDArray[np.float64] | None = None,
    alphas: tuple[float, ...] = ALPHAS,
    seed: int = 0,
) -> Baseline:
    """Colour statistics of a patch, their principal components, ridge regression.

    The penalty is the one with the smallest absolute error in cross-validation over the training spots: the measure
    that everything is compared in, so that the baseline is as strong as it can be.

    Parameters
    ----------
    patches, targets
        (N, px, px, 3) uint8 and (N, d) float32 of the training spots.
    yx
        (N, 2) positions. With them the folds are compact regions of tissue, else neighbours that share tissue would
        stand on both sides and too small a penalty would win; without them the folds are random.
    alphas
        Penalties to choose from.
    seed
        Of the folds.
    """
    features = colour_features(patches)
    folds = _folds(len(patches), yx, seed)
    errors = [_cross_validated_mae(alpha, features, targets, folds, seed) for alpha in alphas]
    best = float(alphas[int(np.argmin(errors))])
    model = _ridge(best, len(patches), seed).fit(features, targets)

    def predict(new: NDArray[np.uint8]) -> NDArray[np.float32]:
        return _not_negative(model.predict(colour_features(new)))

    return Baseline("ridge", {"alpha": best, "cv_mae": float(min(errors))}, predict)


def _constant(name: str, values: NDArray[Any]) -> Baseline:
    row = values.astype(np.float32)
    return Baseline(name, {}, lambda patches: np.repeat(row[None], len(patches), axis=0))


def _ridge(alpha: float, n: int, seed: int) -> Any:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pca = PCA(min(COMPONENTS, n - 1), svd_solver="full", random_state=seed)
    return make_pipeline(StandardScaler(), pca, Ridge(alpha))


def _folds(n: int, yx: NDArray[np.float64] | None, seed: int) -> NDArray[np.int64]:
    """(N,) fold of each spot."""
    k = min(FOLDS, n)
    if yx is None:
        return np.random.default_rng(seed).permutation(n) % k
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(k, n_init=4, random_state=seed).fit_predict(yx), dtype=np.int64)


def _cross_validated_mae(
    alpha: float, features: NDArray[np.float32], targets: NDArray[np.float32], folds: NDArray[np.int64], seed: int
) -> float:
    total = 0.0
    for fold in np.unique(folds):
        out = folds == fold
        model = _ridge(alpha, int((~out).sum()), seed).fit(features[~out], targets[~out])
        total += float(np.abs(_not_negative(model.predict(features[out])) - targets[out]).sum())
    return total / targets.size


def _not_negative(predicted: NDArray[Any]) -> NDArray[np.float32]:
    # no expression is; the network's predictions are cut off in the same way
    return np.asarray(np.maximum(predicted, 0), dtype=np.float32)
