from __future__ import annotations

import numpy as np
import pytest
from tests.slides.pictures import her2st, stained, tissue_picture

from napari_c2lst.slides.patches.cutting import read_patches
from napari_c2lst.slides.patches.features import FEATURE_NAMES, colour_features


def feature(patches, name):
    return colour_features(patches)[:, FEATURE_NAMES.index(name)]


def test_there_are_42_with_different_names():
    features = colour_features(np.stack([tissue_picture(32, 32, seed=s) for s in range(5)]))
    assert features.shape == (5, 42)
    assert features.dtype == np.float32
    assert len(set(FEATURE_NAMES)) == 42
    assert np.isfinite(features).all()


def test_statistics_are_what_their_names_say():
    patch = np.random.default_rng(0).integers(0, 256, (1, 21, 20, 3), dtype=np.uint8)
    green = patch[0, ..., 1].astype(float) / 255
    assert feature(patch, "green mean")[0] == pytest.approx(green.mean(), abs=1e-5)
    assert feature(patch, "green std")[0] == pytest.approx(green.std(), abs=1e-5)
    for share in (5, 25, 50, 75, 95):
        expected = np.percentile(green, share, method="nearest")
        assert feature(patch, f"green p{share:02d}")[0] == pytest.approx(expected, abs=0.006)
    gradient = (np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean()) / 2
    assert feature(patch, "green gradient")[0] == pytest.approx(gradient, abs=1e-5)


def test_stains_are_told_apart():
    none, much = np.zeros((16, 16)), np.full((16, 16), 1.2)
    nuclei, stroma, glass = stained(much, none)[None], stained(none, much)[None], stained(none, none)[None]
    length = float(np.linalg.norm([0.65, 0.70, 0.29]))
    assert feature(nuclei, "haematoxylin mean")[0] == pytest.approx(1.2 * length, abs=0.02)
    assert feature(nuclei, "eosin mean")[0] == pytest.approx(0, abs=0.02)
    assert feature(stroma, "haematoxylin mean")[0] == pytest.approx(0, abs=0.02)
    assert feature(stroma, "eosin mean")[0] == pytest.approx(1.2, abs=0.02)
    assert [feature(p, "haematoxylin share")[0] for p in (nuclei, stroma, glass)] == [1, 0, 0]
    assert [feature(p, "white share")[0] for p in (nuclei, stroma, glass)] == [0, 0, 1]


def test_a_patch_has_the_same_features_in_any_batch(monkeypatch):
    patches = np.stack([tissue_picture(24, 24, seed=s) for s in range(7)])
    whole = colour_features(patches)
    monkeypatch.setattr("napari_c2lst.slides.patches.features._CHUNK_PIXELS", 24 * 24 * 2)
    np.testing.assert_allclose(colour_features(patches), whole, atol=1e-6)
    np.testing.assert_allclose(colour_features(patches[3:4])[0], whole[3], atol=1e-6)


def test_turning_a_patch_changes_nothing():
    patch = tissue_picture(32, 32)[None]
    np.testing.assert_allclose(colour_features(np.rot90(patch, axes=(1, 2))), colour_features(patch), atol=1e-4)


def test_odd_sizes():
    assert colour_features(np.empty((0, 8, 8, 3), np.uint8)).shape == (0, 42)
    one = colour_features(np.full((1, 1, 1, 3), 100, np.uint8))
    assert np.isfinite(one).all()
    assert one[0, FEATURE_NAMES.index("red gradient")] == 0


def test_tumour_and_fat_of_a_real_section_differ(shared):
    slide, spots = her2st(shared, "B4")
    features = colour_features(read_patches(slide, spots, patch_um=112, patch_px=32))
    share = features[:, FEATURE_NAMES.index("haematoxylin share")]
    assert np.quantile(share, 0.9) - np.quantile(share, 0.1) > 0.4
    assert (features.std(axis=0) > 0).sum() >= 41
