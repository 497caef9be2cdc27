"""Ours beside staintools: the same colours from the same patches."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from tests.slides.pictures import her2st, tissue_picture

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.patches.cutting import read_patches
from napari_c2lst.slides.stain import staintools_backend
from napari_c2lst.slides.stain.normalizer import StainNormalizer

METHODS = ["macenko", "vahadane", "reinhard"]
# Mean absolute difference of a channel, in grey levels of 255. staintools cuts fractions off where we round (0.5), and
# its Lab has 8 bits and cut-off fractions in every channel (Reinhard).
CLOSE = {"macenko": 0.8, "vahadane": 3.0, "reinhard": 2.0}


@pytest.fixture(scope="module")
def real(shared):
    """Patches of two patients, (4, 64, 64, 3) and (4, 64, 64, 3)."""
    pytest.importorskip("staintools")
    some = []
    for section in ("C2", "B4"):
        slide, spots = her2st(shared, section)
        some.append(read_patches(slide, spots[20:140:30], patch_um=176, patch_px=64))
    return some


def staintools_normalizer(method):
    tools = pytest.importorskip("staintools")
    return tools.ReinhardColorNormalizer() if method == "reinhard" else tools.StainNormalizer(method)


@pytest.mark.parametrize("method", METHODS)
def test_ours_agrees_with_staintools_on_real_patches(real, method):
    reference, source = real
    target = reference[0]
    theirs = staintools_normalizer(method)
    theirs.fit(target.copy())
    expected = np.stack([theirs.transform(patch.copy()) for patch in source[:2]])
    ours = StainNormalizer(method).fit(target).transform(source[:2])
    difference = np.abs(ours.astype(float) - expected).mean(axis=(1, 2, 3))
    assert difference.max() < CLOSE[method]


@pytest.mark.parametrize("method", ["macenko", "reinhard"])
def test_the_staintools_backend_is_staintools(real, method):
    reference, source = real
    theirs = staintools_normalizer(method)
    theirs.fit(reference[0].copy())
    expected = np.stack([theirs.transform(patch.copy()) for patch in source])
    before = source.copy()
    wrapped = StainNormalizer(method, backend="staintools").fit(reference[0])
    found, unchanged = wrapped.transform(source, return_flags=True)
    np.testing.assert_array_equal(source, before)  # staintools writes into its input
    assert not unchanged.any()
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("method", ["macenko", "reinhard"])
def test_slide_values_mean_the_same_to_both(real, method):
    reference, source = real
    ours = StainNormalizer(method).fit(reference)
    theirs = StainNormalizer.from_reference(ours.reference, backend="staintools")
    np.testing.assert_allclose(theirs.estimate(source), ours.estimate(source), rtol=0.02, atol=0.3)
    values = ours.estimate(source)
    difference = ours.transform(source, values).astype(float) - theirs.transform(source, values)
    assert np.abs(difference).mean() < CLOSE[method]


def test_blank_patches_pass_through_staintools_too():
    pytest.importorskip("staintools")
    normalizer = StainNormalizer("macenko", backend="staintools").fit(tissue_picture(48, 48))
    white = np.full((1, 16, 16, 3), 255, np.uint8)
    result, unchanged = normalizer.transform(white, return_flags=True)
    assert unchanged.all()
    np.testing.assert_array_equal(result, white)
    values, found = staintools_backend.stains("macenko", white.reshape(1, -1, 3))
    assert not found.any()
    assert np.isfinite(values).all()


def test_it_says_how_to_install_staintools(monkeypatch):
    monkeypatch.setitem(sys.modules, "staintools", None)
    with pytest.raises(InputError, match="not installed") as caught:
        StainNormalizer("macenko", backend="staintools")
    assert "--no-deps" in caught.value.hint


@pytest.fixture
def bad_guest(monkeypatch):
    """What staintools does wrong: it writes into its input, raises on white, divides by zero."""

    class Extractor:
        @staticmethod
        def get_stain_matrix(image):
            image[:] = 0
            if image.shape[1] == 7:
                raise ValueError("white")
            return np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]])

    def get_concentrations(image, matrix):
        return np.full((image.shape[0] * image.shape[1], 2), np.nan if image.max() == 9 else image.max() / 100.0)

    tools = SimpleNamespace(
        stain_extraction=SimpleNamespace(
            macenko_stain_extractor=SimpleNamespace(MacenkoStainExtractor=Extractor),
            vahadane_stain_extractor=SimpleNamespace(VahadaneStainExtractor=Extractor),
        ),
        miscellaneous=SimpleNamespace(get_concentrations=SimpleNamespace(get_concentrations=get_concentrations)),
    )
    monkeypatch.setattr(staintools_backend, "_staintools", lambda: tools)


@pytest.mark.parametrize("method", ["macenko", "vahadane"])
def test_a_guest_that_spoils_its_input_does_not_spoil_ours(bad_guest, method):
    pixels = np.full((2, 5, 3), 200, np.uint8)
    pixels[1] = 9  # concentrations that are no numbers
    before = pixels.copy()
    values, found = staintools_backend.stains(method, pixels)
    np.testing.assert_array_equal(pixels, before)
    assert found.tolist() == [True, False]
    np.testing.assert_allclose(values[0, 0], np.array([0.65, 0.70, 0.29]) * 2, rtol=1e-6)
    assert np.isfinite(values).all()


def test_an_image_that_the_guest_raises_on_is_not_found(bad_guest):
    values, found = staintools_backend.stains("macenko", np.full((1, 7, 3), 255, np.uint8))
    assert found.tolist() == [False]
    assert (values == 1).all()


def test_painting_takes_one_source_for_all_and_leaves_the_patches(bad_guest):
    pixels = np.full((3, 4, 3), 100, np.uint8)
    source = np.array([[[0.6, 0.8, 0.0], [0.0, 1.0, 0.0]]], np.float32)
    painted = staintools_backend.transform("macenko", pixels, source, source[0])
    assert painted.shape == pixels.shape
    assert (pixels == 100).all()
    np.testing.assert_array_equal(painted[0], painted[2])
    np.testing.assert_array_equal(painted[0, 0], (255 * np.exp(-np.array([0.6, 1.8, 0.0]))).astype(np.uint8))
