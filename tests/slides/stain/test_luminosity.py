from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.slides.pictures import tissue_picture

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides import standardize_luminosity
from napari_c2lst.slides.stain.colour import rgb_to_lab


def dim_patches(count: int = 5, side: int = 48) -> np.ndarray:
    bright = np.stack([tissue_picture(side, side, seed=s) for s in range(count)])
    return np.rint(bright * np.linspace(0.4, 0.9, count)[:, None, None, None]).astype(np.uint8)


@pytest.mark.parametrize("percentile", [50.0, 95.0, 100.0])
def test_the_percentile_becomes_full_brightness(percentile: float) -> None:
    dim = np.repeat(dim_patches()[..., 1:2], 3, axis=-1)  # grey: what is bright and coloured leaves RGB, and is clipped
    before = dim.copy()
    result, unchanged = standardize_luminosity(dim, percentile, return_flags=True)
    assert not unchanged.any()
    np.testing.assert_array_equal(dim, before)
    lightness = rgb_to_lab(result)[..., 0].reshape(len(dim), -1)
    np.testing.assert_allclose(np.percentile(lightness, percentile, axis=1), 100, atol=0.3)
    assert lightness.mean() > rgb_to_lab(dim)[..., 0].mean() + 5


def test_a_bright_patch_stays_as_it_is() -> None:
    patch = dim_patches(1)
    patch[:, :24] = 255
    result = standardize_luminosity(patch)
    assert np.abs(result.astype(int) - patch).max() <= 1


def test_as_staintools() -> None:
    theirs = pytest.importorskip("staintools").LuminosityStandardizer
    dim = dim_patches()
    expected = np.stack([theirs.standardize(patch.copy()) for patch in dim])
    # theirs rounds luminosity and both colours to whole numbers on the way, and clips
    difference = np.abs(standardize_luminosity(dim).astype(int) - expected)
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99) <= 6
    assert np.abs(expected.astype(int) - dim).mean() > 20


@pytest.mark.parametrize("percentile", [60.0, 95.0, 100.0])
def test_tensors_as_arrays(percentile: float) -> None:
    dim = dim_patches()
    expected, flags = standardize_luminosity(dim, percentile, return_flags=True)
    result, unchanged = standardize_luminosity(torch.from_numpy(dim), percentile, return_flags=True)
    assert isinstance(result, torch.Tensor)
    assert np.abs(result.numpy().astype(int) - expected).max() <= 1
    assert unchanged.tolist() == flags.tolist()


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_white_black_and_blank_patches_pass_through(kind: type) -> None:
    odd = np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in ((255,) * 3, (0,) * 3, (120, 110, 130))])
    batch = kind(np.concatenate([odd, dim_patches(1, 32)]))
    result, unchanged = standardize_luminosity(batch, return_flags=True)
    assert unchanged.tolist() == [True, True, True, False]
    np.testing.assert_array_equal(np.asarray(result)[:3], odd)


def test_one_image_and_none() -> None:
    image = dim_patches(1)[0]
    np.testing.assert_array_equal(standardize_luminosity(image), standardize_luminosity(image[None])[0])
    assert standardize_luminosity(np.empty((0, 8, 8, 3), np.uint8)).shape == (0, 8, 8, 3)


@pytest.mark.parametrize("percentile", [0.0, -1.0, 101.0, float("nan")])
def test_no_such_percentile(percentile: float) -> None:
    with pytest.raises(InputError, match="no percentile"):
        standardize_luminosity(dim_patches(1), percentile)


def test_other_arrays_are_refused() -> None:
    with pytest.raises(InputError, match="uint8 RGB"):
        standardize_luminosity(np.zeros((2, 8, 8, 3)))
