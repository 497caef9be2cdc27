"""Values at scattered places as images."""

from __future__ import annotations

import numpy as np
import pytest

from napari_c2lst.plugin.looking.surfaces import MAX_SIDE, REACH, grid_surface, pitch, smooth_surface

LATTICE = np.stack(np.meshgrid(np.arange(4), np.arange(5), indexing="ij"), -1).reshape(-1, 2)
PLACES = 100.0 + 50.0 * LATTICE


def test_the_pitch_is_the_distance_of_neighbours() -> None:
    assert pitch(PLACES) == 50
    assert pitch(PLACES[:1]) == 1


def test_a_grid_is_an_image_with_a_pixel_a_position() -> None:
    surface = grid_surface(PLACES, LATTICE + 7, 50.0)
    values = np.arange(20, dtype=np.float32)
    assert surface.image(values).tolist() == values.reshape(4, 5).tolist()
    assert surface.origin_px.tolist() == [100, 100]
    assert surface.step_px == 50
    assert surface.columns_px().tolist() == [100, 150, 200, 250, 300]


def test_where_the_grid_has_no_position_there_is_nothing() -> None:
    surface = grid_surface(PLACES[1:], LATTICE[1:], 50.0)
    image = surface.image(np.ones(19, np.float32))
    assert np.isnan(image[0, 0])
    assert np.isfinite(image).sum() == 19


def test_a_smooth_image_of_one_value_has_that_value_and_ends() -> None:
    surface = smooth_surface(PLACES)
    image = surface.image(np.full(20, 3.0, np.float32))
    inside = np.isfinite(image)
    assert inside.any()
    np.testing.assert_allclose(image[inside], 3.0, rtol=1e-5)
    centres = surface.origin_px + surface.step_px * np.argwhere(~inside)
    nearest = np.linalg.norm(centres[:, None] - PLACES[None], axis=2).min(axis=1)
    assert (nearest >= REACH * 50 - 1e-6).all()


def test_a_smooth_image_shows_each_place_where_it_is() -> None:
    values = np.zeros(20, np.float32)
    values[7] = 1.0
    surface = smooth_surface(PLACES)
    image = np.nan_to_num(surface.image(values))
    peak = surface.origin_px + surface.step_px * np.array(np.unravel_index(image.argmax(), image.shape))
    assert np.linalg.norm(peak - PLACES[7]) <= surface.step_px
    assert image.max() > 0.6


def test_a_place_without_a_value_is_filled_by_its_neighbours_only_where_they_reach() -> None:
    values = np.ones(20, np.float32)
    values[7] = np.nan
    surface = smooth_surface(PLACES)
    row, column = np.rint((PLACES[7] - surface.origin_px) / surface.step_px).astype(int)
    assert np.isnan(surface.image(values)[row, column])


def test_two_images_can_have_the_same_pixels() -> None:
    first = grid_surface(PLACES, LATTICE, 50.0)
    second = smooth_surface(PLACES + 10, first)
    assert second.shape == first.shape
    assert second.origin_px.tolist() == first.origin_px.tolist()
    assert np.isfinite(second.image(np.ones(20, np.float32))).any()


def test_a_fine_array_does_not_make_a_huge_image() -> None:
    rng = np.random.default_rng(0)
    surface = smooth_surface(rng.random((3000, 2)) * 1e5)
    assert max(surface.shape) <= MAX_SIDE + 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_places_are_enough(count: int) -> None:
    image = smooth_surface(PLACES[:count]).image(np.ones(count, np.float32))
    assert np.isfinite(image).any()
