from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.slides.pictures import EOSIN, HAEMATOXYLIN, stained, tissue_picture

from napari_c2lst.slides.stain import separation
from napari_c2lst.slides.stain.separation import concentrations, macenko_stains, recolour, vahadane_stains

TRUE = np.array([HAEMATOXYLIN / np.linalg.norm(HAEMATOXYLIN), EOSIN / np.linalg.norm(EOSIN)])


def mixed(count=4, pixels=4096, seed=0):
    """Images (n, P, 3) where each pixel is mostly one stain."""
    rng = np.random.default_rng(seed)
    nucleus = rng.random((count, pixels)) < 0.4
    haematoxylin = np.where(nucleus, rng.uniform(0.6, 1.8, nucleus.shape), rng.uniform(0, 0.05, nucleus.shape))
    eosin = np.where(nucleus, rng.uniform(0, 0.05, nucleus.shape), rng.uniform(0.4, 1.0, nucleus.shape))
    return stained(haematoxylin, eosin)


def cosines(stains):
    unit = stains / np.linalg.norm(stains, axis=-1, keepdims=True)
    return np.einsum("nsc,sc->ns", unit, TRUE)


def best_by_grid(density, stains, sparsity):
    """Minimum of |x - c S|^2 / 2 + sparsity sum(c) over a grid of c >= 0."""
    grid = np.stack(np.meshgrid(*[np.linspace(0, 3, 301)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    loss = ((density - grid @ stains) ** 2).sum(axis=1) / 2 + sparsity * grid.sum(axis=1)
    return grid[loss.argmin()]


@pytest.mark.parametrize("sparsity", [0.01, 0.1])
def test_concentrations_are_the_minimum(sparsity):
    rng = np.random.default_rng(0)
    density = np.abs(rng.normal(0, 0.7, (1, 40, 3))).astype(np.float32)
    found = concentrations(density, TRUE[None].astype(np.float32), sparsity)
    expected = [best_by_grid(x, TRUE, sparsity) for x in density[0]]
    np.testing.assert_allclose(found[0], expected, atol=0.011)
    assert (found >= 0).all()
    assert (found == 0).any(axis=1).any()


@pytest.mark.parametrize("method", [macenko_stains, vahadane_stains])
def test_the_stains_of_a_mixture_are_found(method):
    stains, found = method(mixed())
    assert found.all()
    assert stains.shape == (4, 2, 3)
    assert cosines(stains).min() > 0.99


@pytest.mark.parametrize("method", [macenko_stains, vahadane_stains])
def test_each_image_of_a_batch_is_by_itself(method):
    images = np.concatenate([mixed(1, 900, seed) for seed in range(3)])
    together, _ = method(images)
    alone = np.concatenate([method(image[None])[0] for image in images])
    np.testing.assert_allclose(together, alone, atol=2e-3)
    np.testing.assert_array_equal(together, method(images)[0])


@pytest.mark.parametrize("method", [macenko_stains, vahadane_stains])
def test_glass_does_not_change_the_colours(method):
    image = mixed(1, 4000)
    with_glass = np.concatenate([image, np.full((1, 3000, 3), 250, np.uint8)], axis=1)
    bare, glassy = (cosines(method(pixels)[0]) for pixels in (image, with_glass))
    np.testing.assert_allclose(bare, glassy, atol=2e-3)


@pytest.mark.parametrize("method", [macenko_stains, vahadane_stains])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (128, 128, 128)])
def test_blank_images_give_usable_numbers_and_are_marked(method, colour):
    stains, found = method(np.full((2, 100, 3), colour, np.uint8))
    assert np.isfinite(stains).all()
    assert (np.linalg.norm(stains, axis=-1) > 0).all()
    if method is macenko_stains:
        assert not found.any()


def test_a_grey_image_has_no_two_stains():
    ramp = np.repeat(np.linspace(60, 180, 400).astype(np.uint8), 3).reshape(1, 400, 3)
    assert not macenko_stains(ramp)[1].any()


def test_an_absent_stain_is_not_blown_up():
    image = stained(np.full((1, 500), 0.0), np.random.default_rng(0).uniform(0.3, 0.9, (1, 500)))
    stains, _ = vahadane_stains(image)
    assert np.linalg.norm(stains, axis=-1).min() >= 0.049


def test_recolour_to_the_own_stains_changes_little():
    images = tissue_picture(64, 64).reshape(1, -1, 3)
    stains, _ = macenko_stains(images)
    again = recolour(images, stains, stains[0])
    assert np.abs(again.astype(float) - images).mean() < 6


def test_recolour_brings_the_stains_of_the_target():
    source, target = mixed(1, seed=1), mixed(1, seed=2)
    faint = np.rint(255 * (source / 255.0) ** 0.5).astype(np.uint8)  # half the optical density
    stains, _ = macenko_stains(faint)
    goal, _ = macenko_stains(target)
    strong = recolour(faint, stains, goal[0])
    assert np.abs(strong.astype(float) - source).mean() < 5
    assert np.abs(faint.astype(float) - source).mean() > 30
    assert recolour(np.full((1, 4, 3), 255, np.uint8), stains, goal[0]).min() == 255


def test_quantiles_are_numpys():
    rng = np.random.default_rng(0)
    rows = np.sort(rng.random((3, 50)).astype(np.float32), axis=1)
    count = np.array([50, 7, 1])
    for share in (0.01, 0.5, 0.99):
        expected = [np.quantile(row[:n], share) for row, n in zip(rows, count, strict=True)]
        np.testing.assert_allclose(separation._quantile(rows, share, count), expected, rtol=1e-5)
    infinite = np.full((1, 4), np.inf, np.float32)
    assert separation._quantile(infinite, 0.99, np.array([0])) == 0


def test_recolour_is_concentrations_painted_in_the_target():
    pixels = mixed(3, 40_000)  # more pixels than are painted at a time
    source, _ = macenko_stains(pixels)
    target = np.array([[0.9, 1.0, 0.4], [0.2, 1.1, -0.05]], np.float32)  # Macenko's may be a little negative
    strength = np.linalg.norm(source, axis=-1, keepdims=True)
    density = -np.log(np.maximum(pixels, 1) / 255).astype(np.float32)
    codes = concentrations(density, source / strength, 0.01)
    expected = np.clip(255 * np.exp(-codes @ (target / strength)), 0, 255)
    assert np.abs(recolour(pixels, source, target) - expected).max() < 0.6
    one = recolour(pixels, source[:1], target)
    np.testing.assert_array_equal(one[0], recolour(pixels[:1], source[:1], target)[0])
    np.testing.assert_array_equal(one[2], recolour(pixels[2:], source[:1], target)[0])


def test_haematoxylin_comes_first_whichever_there_is_more_of():
    rng = np.random.default_rng(5)
    for share in (0.1, 0.9):
        nucleus = rng.random((1, 3000)) < share
        image = stained(np.where(nucleus, 1.2, 0.02), np.where(nucleus, 0.02, 0.8))
        for method in (macenko_stains, vahadane_stains):
            stains, found = method(image)
            assert found.all()
            assert stains[0, 0, 0] > stains[0, 1, 0], "haematoxylin takes more of the red"


@pytest.mark.parametrize("method", [macenko_stains, vahadane_stains])
def test_the_strength_of_a_stain_grows_with_its_concentration(method):
    rng = np.random.default_rng(6)
    nucleus = rng.random((1, 3000)) < 0.5
    amounts = [np.where(which, rng.uniform(0.5, 1.0, nucleus.shape), 0.02) for which in (nucleus, ~nucleus)]
    faint, strong = (np.linalg.norm(method(stained(*(k * a for a in amounts)))[0][0], axis=1) for k in (0.5, 1.0))
    np.testing.assert_allclose(strong / faint, 2, rtol=0.12)


@pytest.mark.parametrize("method", [macenko_stains, vahadane_stains])
def test_the_order_of_pixels_does_not_matter(method):
    image = mixed(1, 2000)
    shuffled = np.random.default_rng(0).permutation(image, axis=1)
    np.testing.assert_allclose(method(image)[0], method(shuffled)[0], atol=5e-3)


@pytest.mark.parametrize("method", [macenko_stains, vahadane_stains])
@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_images_of_a_few_pixels_give_usable_numbers(method, pixels):
    stains, found = method(mixed(2, pixels))
    assert stains.shape == (2, 2, 3)
    assert np.isfinite(stains).all()
    assert (np.linalg.norm(stains, axis=-1) > 0).all()
    if pixels == 1:
        assert not found.any()


def test_no_images_have_no_stains():
    nothing = np.empty((0, 100, 3), np.uint8)
    assert macenko_stains(nothing)[0].shape == vahadane_stains(nothing)[0].shape == (0, 2, 3)
    assert recolour(nothing, TRUE[None], TRUE).shape == nothing.shape


def test_more_sparsity_never_gives_more_of_anything():
    density = np.abs(np.random.default_rng(1).normal(0, 0.7, (1, 200, 3))).astype(np.float32)
    unit = TRUE[None].astype(np.float32)
    amounts = [concentrations(density, unit, sparsity).sum(axis=-1) for sparsity in (0.0, 0.05, 0.5, 10.0)]
    assert all((more >= less - 1e-5).all() for more, less in itertools.pairwise(amounts))
    assert not amounts[-1].any()


def test_stains_that_are_all_but_the_same_do_not_blow_up():
    one = TRUE[:1].astype(np.float32)
    alike = np.concatenate([one, one])[None]
    codes = concentrations(np.full((1, 5, 3), 0.5, np.float32), alike)
    assert np.isfinite(codes).all()
    painted = recolour(mixed(1, 50), alike, TRUE.astype(np.float32))
    assert painted.shape == (1, 50, 3)


def test_recolouring_leaves_its_input_and_white_alone():
    pixels = mixed(1, 500)
    pixels[0, :10] = 255
    before = pixels.copy()
    source, _ = macenko_stains(pixels)
    painted = recolour(pixels, source, 2 * source[0])
    np.testing.assert_array_equal(pixels, before)
    assert (painted[0, :10] == 255).all()
    assert painted[0, 10:].mean() < pixels[0, 10:].mean(), "twice as strong is darker"


@pytest.mark.parametrize("layout", ["C", "F"])
def test_images_of_the_same_stains_are_painted_as_each_by_itself(layout):
    pixels = np.random.default_rng(3).integers(0, 256, (5, 7000, 3), dtype=np.uint8)
    stains, target = np.array([[[0.9, 1.0, 0.4], [0.1, 1.1, 0.2]]], np.float32), np.eye(3, dtype=np.float32)[:2]
    together = recolour(np.asarray(pixels, order=layout), stains, target)
    each = recolour(pixels, np.repeat(stains, 5, axis=0), target)
    # products of other lengths round the last bit otherwise
    assert np.abs(together.astype(int) - each).max() <= 1
    assert (together != each).mean() < 1e-3
