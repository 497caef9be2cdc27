from __future__ import annotations

import numpy as np
import pytest
from tests.expression.patches import coloured_patches

from napari_c2lst.expression.baselines import (
    ALPHAS,
    _folds,
    mean_predictor,
    median_predictor,
    ridge_on_colour,
)


def mae(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).mean())


def test_constants_are_those_of_the_training_spots() -> None:
    patches, targets = coloured_patches(9)
    for fit, value in ((mean_predictor, targets.mean(0)), (median_predictor, np.median(targets, 0))):
        out = fit(patches, targets).predict(patches[:5])
        assert out.shape == (5, 4)
        assert out.dtype == np.float32
        np.testing.assert_allclose(out, np.tile(value, (5, 1)), rtol=1e-6)
    assert mean_predictor(patches, targets).name == "mean"
    assert median_predictor(patches, targets).name == "median"


def test_no_constant_beats_the_median_in_absolute_error() -> None:
    patches, targets = coloured_patches(31)
    targets = targets**3  # skewed, as counts are
    median, mean = median_predictor(patches, targets), mean_predictor(patches, targets)
    assert mae(median.predict(patches), targets) < mae(mean.predict(patches), targets)


def test_ridge_learns_what_colour_tells() -> None:
    patches, targets = coloured_patches(60)
    new, truth = coloured_patches(40, seed=1)
    ridge = ridge_on_colour(patches, targets)
    assert ridge.name == "ridge"
    assert mae(ridge.predict(new)[:, :3], truth[:, :3]) < 0.3 * mae(
        median_predictor(patches, targets)(new)[:, :3], truth[:, :3]
    )
    assert ridge(new).dtype == np.float32
    assert ridge(new).min() >= 0


def test_alpha_is_large_where_colour_tells_nothing() -> None:
    patches, targets = coloured_patches(60)
    noise = np.random.default_rng(5).random(targets.shape).astype(np.float32)
    told, nothing = ridge_on_colour(patches, targets[:, :3]), ridge_on_colour(patches, noise)
    assert told.facts["alpha"] <= 10
    assert nothing.facts["alpha"] >= 100
    assert nothing.facts["cv_mae"] == pytest.approx(mae(noise, noise.mean(0)), rel=0.1)
    assert {told.facts["alpha"], nothing.facts["alpha"]} <= set(ALPHAS)


def test_nothing_but_the_training_spots_is_seen() -> None:
    patches, targets = coloured_patches(30)
    new, _ = coloured_patches(20, seed=1)
    ridge = ridge_on_colour(patches, targets)
    # each new patch is predicted on its own
    np.testing.assert_allclose(ridge(new)[:7], ridge(new[:7]), rtol=1e-4, atol=1e-5)


def test_folds_are_compact_where_positions_are_known() -> None:
    yx = np.stack(np.meshgrid(np.arange(12.0), np.arange(10.0), indexing="ij"), -1).reshape(-1, 2)
    blocked, random = _folds(120, yx, 0), _folds(120, None, 0)
    assert set(blocked) == set(random) == set(range(5))
    spread = [np.mean([yx[f == k].std(0).mean() for k in range(5)]) for f in (blocked, random)]
    assert spread[0] < 0.6 * spread[1]
    assert np.array_equal(random, _folds(120, None, 0))
    assert not np.array_equal(random, _folds(120, None, 1))


def test_as_few_spots_as_a_training_set_may_have() -> None:
    patches, targets = coloured_patches(8)
    yx = np.random.default_rng(0).random((8, 2))
    for positions in (None, yx):
        assert np.isfinite(ridge_on_colour(patches, targets, yx=positions).predict(patches)).all()


def test_the_same_seed_gives_the_same_baseline() -> None:
    patches, targets = coloured_patches(20)
    first, again = (ridge_on_colour(patches, targets, seed=3) for _ in range(2))
    assert first.facts == again.facts
    assert np.array_equal(first(patches), again(patches))
