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


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1.0, 3e38], ids=["denormal", "tiny", "one", "largest"])
def test_numbers_of_any_size(scale):
    values = (np.random.default_rng(1).random(777) * scale).astype(np.float32)
    for share in (0.0, 0.25, 1.0):
        assert quantile(in_parts(values, 50), share) == pytest.approx(float(np.quantile(values, share)), rel=1e-6)
    assert median(in_parts(values, 50)) == np.median(values)


def test_the_order_of_values_and_parts_does_not_matter():
    values = np.random.default_rng(2).gamma(1, 30, 999).astype(np.float32)
    found = {float(quantile(in_parts(v, size), 0.9)) for v in (values, np.sort(values)[::-1]) for size in (1, 64, 999)}
    assert len(found) == 1


def test_neighbours_that_differ_in_their_last_bit_are_told_apart():
    low = np.float32(200)
    high = np.nextafter(low, np.float32(np.inf))
    values = np.array([high, low, low, high, high], np.float32)
    assert median(lambda: [values]) == high
    assert quantile(lambda: [values], 0.25) == low


def test_whole_numbers_are_counted_as_they_are():
    values = np.random.default_rng(3).integers(0, 256, 500)
    assert median(lambda: [values.astype(np.uint8)]) == np.median(values)
    assert quantile(lambda: [values], 0.5) == median(lambda: [values])
