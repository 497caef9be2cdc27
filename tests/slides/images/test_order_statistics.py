import numpy as np
import pytest

from napari_c2lst.slides.images.order_statistics import median, quantile


def in_parts(values, size):
    return lambda: (values[start : start + size] for start in range(0, len(values), size))


@pytest.mark.parametrize("count", [1, 2, 3, 100, 1001, 20_000])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.95, 0.99, 1.0])
def test_quantiles_are_numpys(count, share):
    values = np.random.default_rng(count).gamma(2, 40, count).astype(np.float32)
    # NumPy's last bit depends on whether it multiplies and adds in one step
    assert quantile(in_parts(values, 97), share) == pytest.approx(np.quantile(values, share), rel=3e-7)


@pytest.mark.parametrize("count", [1, 2, 5, 1000, 1001])
def test_medians_are_numpys(count):
    values = np.random.default_rng(count).integers(0, 256, count).astype(np.float32)
    assert median(in_parts(values, 64)) == np.median(values)


def test_many_equal_values_and_empty_parts():
    values = np.r_[np.zeros(500), np.full(400, 7.25), 255].astype(np.float32)
    parts = [values[:0], values[:700], values[:0], values[700:]]
    assert median(lambda: parts) == 0
    assert quantile(lambda: parts, 0.9) == np.quantile(values, 0.9) == 7.25


def test_minus_zero_is_zero():
    values = np.array([-0.0, 1, 2], np.float32)
    assert median(lambda: [values]) == 1
