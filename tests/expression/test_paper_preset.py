"""`train --preset paper` is the paper: read off the network and the optimiser that are built."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_c2lst.common.learning import cosine_rate
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.expression.fitting import _Fit, count_steps
from napari_c2lst.expression.pool import Pool
from napari_c2lst.expression.settings import FitSettings


@pytest.fixture(scope="module")
def fit() -> _Fit:
    settings = FitSettings.resolve(preset="paper", device="cpu")
    draw = np.random.default_rng(0)
    real = (draw.integers(0, 255, (8, 64, 64, 3), dtype=np.uint8), draw.random((8, 250), dtype=np.float32))
    return _Fit(Pool.of(real, None), settings, count_steps(settings, 8), Reporter())


def test_the_network_is_resnet_50_for_250_genes(fit: _Fit) -> None:
    count = sum(p.numel() for p in fit.net.parameters())
    assert count == pytest.approx(23.5e6 + 2048 * 250, rel=0.02)
    assert fit.net.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 250)


def test_the_rate_falls_as_a_cosine_from_1e3_to_1e5_after_a_warm_up_of_a_twentieth(fit: _Fit) -> None:
    s, steps = fit.settings, 1000

    def rate(step: int) -> float:
        return cosine_rate(step, steps, first=s.learning_rate, last=s.last_rate, warmup=s.warmup)

    assert rate(24) == pytest.approx(0.5e-3)
    assert max(rate(step) for step in range(steps)) == pytest.approx(1e-3)
    assert rate(steps - 1) == pytest.approx(1e-5, rel=0.01)


def test_200_epochs_are_counted_over_real_and_ten_times_as_many_synthetic_patches() -> None:
    settings = FitSettings.resolve(preset="paper", device="cpu")
    assert settings.epochs == 200
    assert count_steps(settings, 64) == 200 * -(-64 * 11 // settings.batch)
