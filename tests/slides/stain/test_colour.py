from __future__ import annotations

import numpy as np
import pytest

from napari_c2lst.slides.stain.colour import lab_to_rgb, optical_density, rgb_to_lab, stained


def colours(count=4000, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 3), dtype=np.uint8)


def test_optical_density():
    density = optical_density(np.array([[255, 128, 0]], np.uint8))
    np.testing.assert_allclose(density, [[1e-6, -np.log(128 / 255), -np.log(1 / 255)]], rtol=1e-5)
    assert density.dtype == np.float32


def test_stained_pixels_are_neither_glass_nor_black():
    pixels = np.array(
        [[255, 255, 255], [240, 235, 240], [180, 90, 170], [60, 40, 110], [0, 0, 0], [10, 12, 15]], np.uint8
    )
    assert stained(pixels).tolist() == [False, False, True, True, False, False]


def test_lab_of_known_colours():
    lab = rgb_to_lab(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255], [119, 119, 119]], np.uint8))
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.2], [32.3, 79.19, -107.86], [50.03, 0, 0]]
    np.testing.assert_allclose(lab, expected, atol=0.15)


def test_lab_agrees_with_scikit_image():
    color = pytest.importorskip("skimage.color")
    pixels = colours()
    np.testing.assert_allclose(rgb_to_lab(pixels), color.rgb2lab(pixels), atol=0.15)


def test_lab_and_back():
    pixels = colours()
    assert np.abs(lab_to_rgb(rgb_to_lab(pixels)).astype(int) - pixels).max() <= 1


def test_colours_outside_rgb_are_clipped():
    lab = np.array([[150.0, 0, 0], [-20.0, 0, 0], [50.0, 300.0, 0]], np.float32)
    rgb = lab_to_rgb(lab)
    assert rgb[0].tolist() == [255, 255, 255]
    assert rgb[1].tolist() == [0, 0, 0]
    assert rgb[2, 0] == 255


def test_shapes_are_kept_whatever_they_are():
    patches = colours(2 * 4 * 5).reshape(2, 4, 5, 3)
    assert optical_density(patches).shape == rgb_to_lab(patches).shape == (2, 4, 5, 3)
    assert stained(patches).shape == (2, 4, 5)
    np.testing.assert_array_equal(rgb_to_lab(patches).reshape(-1, 3), rgb_to_lab(patches.reshape(-1, 3)))
    assert lab_to_rgb(rgb_to_lab(patches)).dtype == np.uint8


def test_darker_is_denser():
    greys = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    density = optical_density(greys)[:, 0]
    assert (np.diff(density) <= 0).all()
    assert density[0] == pytest.approx(5.54, abs=0.01)  # black is taken as 1 / 255
    assert density[-1] > 0  # never exactly nothing: logarithms follow


def test_glass_begins_at_a_lightness_of_80():
    greys = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    lightness = rgb_to_lab(greys)[:, 0]
    kept = stained(greys)
    assert not kept[lightness > 80.2].any()
    assert kept[(lightness < 79.8) & (greys[:, 0] >= 16)].all()
    assert not kept[greys[:, 0] < 16].any()


def test_greys_have_no_hue_and_rise_in_lightness():
    greys = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    lab = rgb_to_lab(greys)
    assert np.abs(lab[:, 1:]).max() < 0.2
    assert (np.diff(lab[:, 0]) >= 0).all()


def test_the_brightest_channel_decides_what_is_black():
    pixels = np.array([[15, 15, 15], [16, 0, 0], [0, 16, 0], [0, 0, 16], [0, 0, 0]], np.uint8)
    assert stained(pixels).tolist() == [False, True, True, True, False]


def test_black_has_a_density_that_can_be_counted_with():
    density = optical_density(np.array([0, 1, 255], np.uint8))
    assert np.isfinite(density).all()
    assert density[0] == density[1] > 5
    assert 0 < density[2] < 1e-5
