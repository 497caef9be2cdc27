"""Two atoms of a dictionary: what they minimise, and that images do not disturb each other."""

from __future__ import annotations

import numpy as np
import pytest

from napari_c2lst.slides.stain.learning import SPARSITY, better_atoms, learned_atoms, sparse_codes, unmixing
from napari_c2lst.slides.stain.separation import concentrations

TRUE = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]], np.float32)
TRUE /= np.linalg.norm(TRUE, axis=1, keepdims=True)
AWAY = np.array([[0.6, 0.6, 0.5], [0.4, 0.8, 0.4]], np.float32)
AWAY /= np.linalg.norm(AWAY, axis=1, keepdims=True)


def densities(count=1, pixels=500, seed=0, stains=TRUE):
    """(count, 3, pixels): nuclei in one stain, the rest in the other, a little noise."""
    rng = np.random.default_rng(seed)
    nucleus = rng.random((count, pixels, 1)) < 0.4
    amounts = np.where(nucleus, [1.5, 0.2], [0.1, 0.9]) * rng.uniform(0.5, 1.5, (count, pixels, 2))
    made = amounts @ stains + rng.normal(0, 0.02, (count, pixels, 3))
    return np.ascontiguousarray(np.maximum(made, 0).swapaxes(1, 2).astype(np.float32))


def codes_of(density, atoms):
    out, work = np.empty((2, len(density), 2, density.shape[2]), np.float32)
    sparse_codes(density, atoms, out, work)
    return out


def objective(density, atoms):
    codes = codes_of(density, atoms)
    return ((density - atoms.swapaxes(1, 2) @ codes) ** 2).sum() / 2 + SPARSITY * codes.sum()


def test_every_round_lowers_the_objective():
    density, atoms = densities(), AWAY[None]
    losses = [objective(density, atoms)]
    for _ in range(5):
        atoms = better_atoms(density, codes_of(density, atoms), atoms)
        losses.append(objective(density, atoms))
    assert (np.diff(losses) <= 1e-3).all()
    assert losses[-1] < 0.9 * losses[0]


def test_what_is_learned_is_a_minimum():
    density = densities()
    atoms = learned_atoms(density, TRUE[None])
    least, rng = objective(density, atoms), np.random.default_rng(1)
    for _ in range(20):
        other = np.maximum(atoms + rng.normal(0, 0.01, atoms.shape), 0).astype(np.float32)
        other /= np.maximum(np.linalg.norm(other, axis=-1, keepdims=True), 1)
        assert objective(density, other) >= least - 1e-3


def test_codes_are_those_that_recolouring_measures():
    density = densities(3)
    atoms = np.stack([TRUE, AWAY, TRUE[::-1]])
    expected = concentrations(np.ascontiguousarray(density.swapaxes(1, 2)), atoms, SPARSITY)
    np.testing.assert_allclose(codes_of(density, atoms), expected.swapaxes(1, 2), atol=1e-4)


@pytest.mark.parametrize("start", [TRUE, AWAY])
def test_the_stains_are_found_from_anywhere_near(start):
    found = learned_atoms(densities(pixels=3000), start[None])[0]
    assert (np.einsum("kc,kc->k", found, TRUE) / np.linalg.norm(found, axis=1) > 0.98).all()


def test_an_image_does_not_depend_on_those_beside_it():
    easy, hard = densities(), densities(seed=3, stains=AWAY)
    together = learned_atoms(np.concatenate([hard, easy, hard, easy]), np.stack([TRUE] * 4))
    np.testing.assert_allclose(together[1], learned_atoms(easy, TRUE[None])[0], atol=1e-5)
    np.testing.assert_allclose(together[0], together[2], atol=1e-6)


def test_more_images_than_are_at_work_at_a_time():
    density = np.repeat(densities(pixels=30_000), 4, axis=0)
    found = learned_atoms(density, np.stack([TRUE] * 4))
    np.testing.assert_allclose(found, found[:1].repeat(4, axis=0), atol=1e-6)


def test_atoms_are_never_negative_nor_longer_than_one():
    found = learned_atoms(densities(5, seed=2, stains=AWAY), np.stack([TRUE] * 5))
    assert (found >= 0).all()
    assert (np.linalg.norm(found, axis=-1) <= 1 + 1e-6).all()


def test_pixels_that_are_zero_do_not_count():
    density = densities()
    padded = np.concatenate([density, np.zeros_like(density)], axis=2)
    np.testing.assert_allclose(learned_atoms(padded, TRUE[None]), learned_atoms(density, TRUE[None]), atol=1e-4)


def test_an_atom_that_nothing_uses_stays_where_it_was():
    density = np.zeros((1, 3, 50), np.float32)
    np.testing.assert_array_equal(learned_atoms(density, TRUE[None])[0], TRUE)


def test_the_start_is_left_alone_and_no_images_are_no_atoms():
    start = TRUE[None].copy()
    learned_atoms(densities(), start)
    np.testing.assert_array_equal(start[0], TRUE)
    assert learned_atoms(np.zeros((0, 3, 10), np.float32), np.zeros((0, 2, 3), np.float32)).shape == (0, 2, 3)


def test_unmixing_undoes_the_mixing():
    atoms = np.stack([TRUE, AWAY])
    gram = atoms @ atoms.swapaxes(1, 2)
    np.testing.assert_allclose(unmixing(atoms) @ gram, np.stack([np.eye(2)] * 2), atol=1e-4)


def test_two_atoms_that_are_one_have_finite_codes():
    alike = np.stack([TRUE[0], TRUE[0]])[None]
    assert np.isfinite(unmixing(alike)).all()
    assert np.isfinite(codes_of(densities(), alike)).all()


def test_codes_of_what_both_stains_explain_poorly_are_zero():
    faint = np.full((1, 3, 4), SPARSITY / 2, np.float32)
    assert not codes_of(faint, TRUE[None]).any()


@pytest.mark.parametrize("pixels", [1, 2])
def test_a_pixel_or_two_can_be_learned_from(pixels):
    found = learned_atoms(densities(pixels=pixels), TRUE[None])
    assert np.isfinite(found).all()
    assert (np.linalg.norm(found, axis=-1) <= 1 + 1e-6).all()
